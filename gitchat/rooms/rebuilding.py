"""A log without some of its pending records, and the positions in it that follow.

What nobody has numbered yet can be taken out of the log again: the commits after it are written once more
without it, with the same uids in the same order, and the ref moves to them by compare-and-swap. A position
that stood on the old commits would go on to hold what was taken out, and carry it to the remote, so it is
moved to what stands for them in the log now. A kill in between leaves positions behind; they are right all
the same, for a copy of what was read is read (docs/format.md section 10.2), and whoever is about to push one
lets it follow first.

Source: docs/format.md section 12.18.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from gitchat.model import codec, order, reach
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import SUMMARY
from gitchat.model.refs import FORMER_PREFIX, SAT_PREFIX, SEATS_PREFIX, cursors_prefix, log_ref, summaries_ref
from gitchat.model.reparent import with_parents
from gitchat.storage.store import Store

Tracked = Callable[[RefName], "Oid | None"]
"""Where a ref of the room is at its remote, as far as is known; None where it is not there."""


class NotPending(Exception):
    """None of the records that were to be taken out is pending: they are gone, or have numbers."""


# --- the log -------------------------------------------------------------------


def pending_keys(store: Store, tip: Oid | None, accepted: Oid | None) -> dict[order.Key, Oid]:
    """The records that ``tip`` reaches and ``accepted`` does not, oldest first, each with its commit.

    A copy of one that has a number is among them. Raises FormatError.
    """
    found: dict[order.Key, Oid] = {}
    for oid in beyond(store, [tip], [accepted]):
        commit = store.read(oid)
        if commit.takes_number:
            found.setdefault(codec.identity_key(oid, commit), oid)
    return found


def without(store: Store, tip: Oid, accepted: Oid | None, dropped: Collection[order.Key]) -> Oid:
    """The log that ends at ``tip`` without the records ``dropped``, as far as ``accepted`` does not have them.

    Nothing points to it yet; it is ``tip`` where there is none of them. Raises FormatError, and what
    Store.write_commit raises.
    """
    images: dict[Oid, tuple[Oid, ...]] = {}
    for oid in beyond(store, [tip], [accepted]):
        commit = store.read(oid)
        parents = _images_of(commit.parents, images)
        is_dropped = commit.takes_number and codec.identity_key(oid, commit) in dropped
        images[oid] = parents if is_dropped else (_after(store, oid, commit, parents),)
    return images.get(tip, (tip,))[0]


def take_out(store: Store, room: RoomName, tracked: Tracked, dropped: Collection[order.Key], reason: str) -> None:
    """Take pending records out of the log of ``room``, and let the positions here follow. For who holds ``sync.lock``.

    What somebody says meanwhile stands behind it. Killed on the way, the records are there or not, and all others are.

    Raises:
        NotPending: none of them is beyond what the remote has.
        FormatError, ConflictError, StorageError: as Store.move, and nothing was done.
    """
    accepted = tracked(log_ref(room))
    old: Oid | None = None

    def build(tip: Oid | None) -> Oid:
        nonlocal old
        old, new = tip, without(store, tip, accepted, dropped) if tip is not None else None
        if new is None or new == tip:
            raise NotPending
        return new

    new = store.move(log_ref(room), build, reason)
    out = set(beyond(store, [old], [new]))
    for ref, value in positions(store, room):
        follow(store, room, ref, value, [accepted, tracked(ref)], reason, out)
    # The journal tells where the room stood, should the ref be damaged: no more on what was taken out.
    store.forget(out)


def follow(
    store: Store,
    room: RoomName,
    ref: RefName,
    value: Oid,
    known: Sequence[Oid | None],
    reason: str,
    out: Collection[Oid] = (),
) -> Oid:
    """Let the position ``ref``, which is at ``value``, follow the log; where it is then. Raises as :func:`take_out`."""

    def build(old: Oid | None) -> Oid:
        return following(store, room, old if old is not None else value, known, out)

    return value if following(store, room, value, known, out) == value else store.move(ref, build, reason)


def _after(store: Store, oid: Oid, commit: codec.Commit, parents: tuple[Oid, ...]) -> Oid:
    """The commit ``oid`` with these parents. A merge of which one side is left is that side."""
    if parents == commit.parents:
        return oid
    if len(commit.parents) > 1 and commit.kind == "merge":
        first, *others = parents
        parents = (first, *(one for one in others if not reach.is_ancestor(one, first, store.step)))
        if len(parents) == 1:
            return first
    return store.write_commit(with_parents(store.raw_commit(oid), parents))


def rebuilt(store: Store, oid: Oid, commit: codec.Commit, images: Mapping[Oid, tuple[Oid, ...]]) -> Oid:
    """The commit ``oid`` after what stands for its parents. Raises what Store.write_commit raises."""
    return _after(store, oid, commit, _images_of(commit.parents, images))


def commits_of(store: Store, tip: Oid) -> list[Oid]:
    """All commits that ``tip`` reaches, parents first. Raises FormatError."""
    return beyond(store, [tip], [])


def _images_of(parents: Iterable[Oid], images: Mapping[Oid, tuple[Oid, ...]]) -> tuple[Oid, ...]:
    """What stands for ``parents`` now, each once, in their order."""
    return tuple(dict.fromkeys(image for parent in parents for image in images.get(parent, (parent,))))


def beyond(store: Store, tips: Sequence[Oid | None], bases: Sequence[Oid | None]) -> list[Oid]:
    """The commits that ``tips`` reach and ``bases`` do not, parents first, in the order of the log.

    None among them is passed over. Raises FormatError.
    """
    heads = [tip for tip in tips if tip is not None]
    steps = reach.difference(heads, [base for base in bases if base is not None], store.step)
    known = _Outside(steps)
    ordered: dict[Oid, None] = {}
    for head in heads:
        ordered |= dict.fromkeys(order.commits(head, lambda oid: order.Node(steps[oid].parents, None), known))
    return list(ordered)


class _Outside:
    """All commits but those of a set."""

    def __init__(self, inside: Collection[Oid]) -> None:
        self._inside = inside

    def __contains__(self, oid: object) -> bool:
        return oid not in self._inside


# --- positions in it -------------------------------------------------------------


def following(store: Store, room: RoomName, value: Oid, known: Sequence[Oid | None], out: Collection[Oid] = ()) -> Oid:
    """The position ``value`` as the log of ``room`` has it: without records that are in neither it nor ``known``.

    Of the commits ``out`` that is certain. Of others dates alone may say so, where a clock was far ahead: these are
    looked for again, since a position that loses what was read tells it again.

    One of which there is a copy in the log stands for that, every other one for what came before it. It is
    ``value`` where there is none such. Raises FormatError, and what Store.write_commit raises.
    """
    log = store.tip(log_ref(room))
    strays = beyond(store, [value], [log, *known])
    commits = {oid: store.read(oid) for oid in strays}
    records = [oid for oid, commit in commits.items() if commit.takes_number]
    bases = [base for base in (log, *known) if base is not None]
    there = reach.found_below([oid for oid in records if oid not in out], bases, store.step)
    if there:
        commits = {oid: commits[oid] for oid in beyond(store, [value], [*bases, *there]) if oid in commits}
        records = [oid for oid in records if oid in commits]
    if not records:
        return value
    copies = pending_keys(store, log, value)
    images: dict[Oid, tuple[Oid, ...]] = {}
    for oid, commit in commits.items():
        parents = _images_of(commit.parents, images)
        if commit.takes_number:
            copy = copies.get(codec.identity_key(oid, commit))
            images[oid] = (copy,) if copy is not None else parents
        elif commit.kind in ("cursor", SUMMARY) or not parents:
            images[oid] = (_after(store, oid, commit, parents),)
        else:  # a merge: what it joins
            images[oid] = parents
    heads = images[value]
    return heads[0] if len(heads) == 1 else _joined(store, commits[value], heads)


def _joined(store: Store, like: codec.Commit, heads: tuple[Oid, ...]) -> Oid:
    """A position at several commits, by who wrote ``like``."""
    return store.write_commit(
        codec.encode_commit(
            tree=store.empty_tree(),
            parents=heads,
            author=like.author,
            committer=like.committer,
            body="read before a merge that is gone",
            block=(("Chat-Kind", "cursor"),),
        )
    )


def positions(store: Store, room: RoomName) -> Iterator[tuple[RefName, Oid]]:
    """All refs here that say how far somebody, or something, has come in the log of ``room``."""
    for prefix in (cursors_prefix(room), f"{SEATS_PREFIX}{room}/", f"{SAT_PREFIX}{room}/", summaries_ref(room)):
        yield from store.backend.list_refs(prefix)
    for ref, value in store.backend.list_refs(FORMER_PREFIX):
        if ref.rpartition("/")[2] == room:
            yield ref, value
