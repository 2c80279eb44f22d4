"""Walks a whole log and tells what in it is not as docs/format.md says. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gitchat.care.finding import Finding, lost, mend
from gitchat.model import attachment, codec, limits, order
from gitchat.model.errors import FormatError
from gitchat.model.names import EMPTY_TREES, Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.rooms.numbering import rule
from gitchat.storage.store import Store

SHOWN_OF_A_KIND = 5
"""How many findings of one kind are told one by one."""


@dataclass(slots=True)
class _Walk:
    """What one walk over a log has seen."""

    commits: dict[Oid, codec.Commit] = field(default_factory=dict)
    damage: list[FormatError] = field(default_factory=list)


def verify(
    store: Store, room: RoomName, now_seconds: int, progress: Callable[[int], None] = lambda count: None
) -> Iterator[Finding]:
    """What is wrong with ``room`` at ``now_seconds`` of this machine's clock; one finding that says so when nothing is.

    Reads every commit once, and every attachment. ``progress`` is told how many commits were read, at every
    hundredth.
    """
    try:
        tip = store.tip(log_ref(room))
    except FormatError as error:
        yield Finding("wrong", f"room {room}", str(error), mend(store, room, error))
        return
    if store.is_lost(room):
        yield lost(store, room)
        return
    walk = _walk(store, tip, progress)
    beyond = list(_beyond_limits(room, walk, now_seconds))
    kinds = [
        _damage(store, room, walk),
        _texts(room, walk),
        beyond,
        _attachments(store, room, walk),
        _dates(room, walk),
    ]
    if not walk.damage:
        kinds.append(_numbers(store, room, tip, walk))
    is_right = True
    for kind in kinds:
        findings = list(kind)
        is_right = is_right and not any(finding.level == "wrong" for finding in findings)
        yield from _told(findings, f"room {room}")
    if is_right:
        records = len(order.numbered(tip, lambda oid: rule(oid, walk.commits[oid])))
        yield Finding(
            "ok",
            f"room {room}",
            f"{records} record{'' if records == 1 else 's'} in {len(walk.commits)} commits: "
            f"texts, attachments, dates and numbers are right{', but for what is noted' if beyond else ''}",
        )


def _walk(store: Store, tip: Oid | None, progress: Callable[[int], None]) -> _Walk:
    walk = _Walk()
    pending = [tip] if tip is not None else []
    while pending:
        oid = pending.pop()
        if oid in walk.commits:
            continue
        try:
            commit = store.read(oid)
        except FormatError as error:
            if error.oid not in {known.oid for known in walk.damage}:
                walk.damage.append(error)
            continue
        walk.commits[oid] = commit
        pending += commit.parents
        if len(walk.commits) % 100 == 0:
            progress(len(walk.commits))
    return walk


def _damage(store: Store, room: RoomName, walk: _Walk) -> Iterator[Finding]:
    for error in walk.damage:
        yield Finding("wrong", f"room {room}", str(error), mend(store, room, error))


def _texts(room: RoomName, walk: _Walk) -> Iterator[Finding]:
    """Commits that are no records and ought to be, and roots that are no genesis."""
    for oid, commit in walk.commits.items():
        if commit.block is None:
            yield Finding(
                "note",
                f"room {room}",
                f"commit {oid} by {commit.author.name} is no record: it has no block of trailers",
            )
        elif not commit.parents and commit.kind != "genesis":
            yield Finding("note", f"room {room}", f"commit {oid} is a root and no genesis; it takes no number")
        elif commit.takes_number and commit.value("Chat-Uid") != codec.identity_key(oid, commit)[0]:
            yield Finding("note", f"room {room}", f"record {oid} has no valid uid; one is derived from its commit")


def _beyond_limits(room: RoomName, walk: _Walk, now_seconds: int) -> Iterator[Finding]:
    """Commits of which a reader cuts something, or passes something over, or whose date no right clock has shown."""
    for oid, commit in walk.commits.items():
        if commit.wrong:
            said = ", and ".join(commit.wrong)
            yield Finding(
                "note", f"room {room}", f"commit {oid} is beyond the limits: {said}; it is shown without that"
            )
        ahead = commit.committer.moment.seconds - now_seconds
        if ahead > limits.AHEAD_SECONDS:
            text = f"commit {oid} is dated {ahead // 86400} days ahead; what comes after it is not"
            yield Finding("note", f"room {room}", text)


def _attachments(store: Store, room: RoomName, walk: _Walk) -> Iterator[Finding]:
    """Attachments that are missing or damaged, and what a reader passes over in a commit's tree."""
    for oid, commit in walk.commits.items():
        if commit.tree in EMPTY_TREES:
            continue
        try:
            odd = _odd_files(store, commit.tree)
        except FormatError as error:
            advice = f"{mend(store, room, error)}; in a partial clone: git cat-file -e {error.oid}"
            yield Finding("wrong", f"room {room}", f"an attachment of commit {oid}: {error}", advice)
            continue
        if odd:
            more = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
            yield Finding("note", f"room {room}", f"commit {oid} carries {odd[0]}{more}")


def _odd_files(store: Store, tree: Oid) -> list[str]:
    """What in a commit's tree is not as a sender of ours writes it. Reads every attachment. Raises FormatError."""
    top = store.read_tree(tree)
    odd = [f"'{name}', which is no attachment" for name in attachment.unknown_in(top)]
    directory = attachment.directory_of(top)
    entries = store.read_tree(directory) if directory is not None else ()
    for one in attachment.listed(entries):
        if one.problem is not None:
            odd.append(f"'{one.name}', which {one.problem}")
        else:
            store.read_blob(one.oid)
    modes = [entry for entry in entries if attachment.has_odd_mode(entry)]
    return odd + [f"'{entry.name.decode('utf-8', 'replace')}' with mode {entry.mode:o}" for entry in modes]


def _dates(room: RoomName, walk: _Walk) -> Iterator[Finding]:
    """Commits that are dated before a parent although their writer's clock was not behind it by more than a day."""
    for oid, commit in walk.commits.items():
        parents = [walk.commits[parent] for parent in commit.parents if parent in walk.commits]
        dates = [parent.committer.moment.seconds for parent in parents]
        before, due = max(dates, default=0), limits.seconds_after(dates, commit.author.moment.seconds)
        if commit.committer.moment.seconds < due and not commit.wrong:
            yield Finding(
                "wrong",
                f"room {room}",
                f"commit {oid} is dated {before - commit.committer.moment.seconds} s before its parent: "
                "git's walks may repeat what was read",
                "find out what wrote it, and set that machine's clock; nothing is lost",
            )


def _numbers(store: Store, room: RoomName, tip: Oid | None, walk: _Walk) -> Iterator[Finding]:
    """What the uid rule dropped, and whether the checkpoint counts as the log does."""
    ordered = order.linearize(tip, lambda oid: rule(oid, walk.commits[oid]))
    kept = order.drop_repeated(ordered, lambda oid: rule(oid, walk.commits[oid]))
    if len(kept) < len(ordered):
        yield Finding("note", f"room {room}", f"repeated records that are counted once: {len(ordered) - len(kept)}")
    place = {oid: number for number, oid in enumerate(kept, 1)}
    for position in store.positions(room):
        if position.tip in place and place[position.tip] != position.count:
            yield Finding(
                "wrong",
                f"room {room}",
                f"the checkpoint counts {position.count} records at {position.tip}, the log {place[position.tip]}",
                f"rm '{store.directory / 'checkpoints' / room}'",
            )


def _told(findings: list[Finding], subject: str) -> Iterator[Finding]:
    """All that is wrong, and of the notes so many that a person still reads them."""
    notes = [finding for finding in findings if finding.level == "note"]
    yield from (finding for finding in findings if finding.level != "note")
    yield from notes[:SHOWN_OF_A_KIND]
    if len(notes) > SHOWN_OF_A_KIND:
        yield Finding("note", subject, f"{len(notes) - SHOWN_OF_A_KIND} more of such commits")
