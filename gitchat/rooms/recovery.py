"""Which rooms have no ref that can be read, and where a room stood when its ref can no longer tell.

Two files know commits of a room besides its ref: the checkpoint, which notes a position
before the ref moves to it, and the journal, which has every commit that is not packed yet.
Both are written under the write lock, by a writer that builds on the ref's value. So of two
commits that were written one after the other the second descends from the first, or from
the first's parent: then the first never became part of the log, its writer was killed. What
fits neither was not written by this rule, somebody moved the ref by hand, and no answer is
better than a wrong one.

The answer may be a commit that was never acknowledged, when its writer was killed before
the ref moved: it is durable, and letting it in loses nothing, where leaving it out might.
What a fetch or a push brought in after it is not known here; fetching again brings it.

Source: docs/format.md sections 6.3, 7.3 and 7.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RoomName, is_slug
from gitchat.model.refs import ROOMS_PREFIX, log_ref
from gitchat.storage.checkpoint import Position
from gitchat.storage.ownfiles import entries
from gitchat.storage.store import Store

Read = Callable[[Oid], codec.Commit]
"""Gives a commit, or raises FormatError."""


def damaged_rooms(store: Store) -> list[RoomName]:
    """Rooms whose ref has a file and no readable value, so that no listing has them; sorted by name."""
    names = {path.parent.name for path in (store.common_dir / ROOMS_PREFIX).glob("*/log")}
    return [RoomName(name) for name in sorted(names) if is_slug(name) and store.is_damaged(log_ref(RoomName(name)))]


def lost_rooms(store: Store) -> list[RoomName]:
    """Rooms that had records, as their checkpoint remembers, and have no ref any more; sorted by name."""
    names = sorted(entries(store.directory, "checkpoints"))
    return [RoomName(name) for name in names if is_slug(name) and store.is_lost(RoomName(name))]


def where_stood(store: Store, room: RoomName) -> Oid | None:
    """Where ``room`` stood, as far as its checkpoint and the journal know; see :func:`last_written`."""
    commits = [saved.oid for saved in store.saved() if saved.kind == "commit"]
    return last_written(room, store.positions(room), commits, store.read)


def last_written(room: RoomName, positions: Sequence[Position], journaled: Sequence[Oid], read: Read) -> Oid | None:
    """The newest commit of ``room`` among its ``positions`` and the commits of the journal, both oldest first.

    None when no commit of the room is known, when one cannot be read that it takes to
    decide, or when they contradict each other.
    """
    tips = [at.tip for at in positions if at.tip is not None]
    try:
        newest_journaled = _newest_of(room, journaled, set(tips), read)
        known = tips if newest_journaled is None else [*tips, newest_journaled]
        newest = known[0] if known else None
        for later in known[1:]:
            newest = _newer(newest, later, read) if newest is not None else None
        if newest is not None:
            read(newest)
    except FormatError:
        return None
    return newest


def descends(oid: Oid, ancestor: Oid, read: Read) -> bool:
    """Whether ``ancestor`` is ``oid`` or on its first-parent chain. Raises FormatError where that cannot be read."""
    return any(link == ancestor for link, _ in _chain(oid, read))


def follows(later: Oid, earlier: Oid, read: Read) -> bool:
    """Whether ``later`` descends from ``earlier``, or from its parent, so that the writer of ``earlier`` was killed.

    Raises FormatError where the chain of ``later`` cannot be read.
    """
    before = {earlier, *read(earlier).parents[:1]}
    return any(link in before for link, _ in _chain(later, read))


def _newest_of(room: RoomName, journaled: Sequence[Oid], own: set[Oid], read: Read) -> Oid | None:
    """The last of ``journaled`` that is of ``room``: whose chain leads to one of ``own``, or to the room's genesis."""
    foreign: set[Oid] = set()
    for oid in reversed(journaled):
        links: list[Oid] = []
        for link, commit in _chain(oid, read):
            if link in own:
                return oid
            links.append(link)
            if link in foreign:
                break
            if not commit.parents and (commit.kind, commit.value("Chat-Room")) == ("genesis", room):
                return oid
        foreign.update(links)
    return None


def _newer(earlier: Oid, later: Oid, read: Read) -> Oid | None:
    """Which of two commits, known in this order, stands for more of the log; None when they contradict each other."""
    if later not in read(earlier).parents and follows(later, earlier, read):
        return later
    # A reader may note a position that writers have long left behind.
    return earlier if descends(earlier, later, read) else None


def _chain(tip: Oid, read: Read) -> Iterator[tuple[Oid, codec.Commit]]:
    """``tip`` and its first parents, each read when it is asked for."""
    oid: Oid | None = tip
    while oid is not None:
        commit = read(oid)
        yield oid, commit
        oid = commit.parents[0] if commit.parents else None
