"""Walks a whole log and tells what in it is not as docs/format.md says. Reads only."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from gitchat.care.finding import Finding, lost, mend
from gitchat.model import attachment, codec, limits, order, overlay
from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import EMPTY_TREES, Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.rooms.numbering import rule
from gitchat.storage.store import Store

SHOWN_OF_A_KIND = 5
"""How many findings of one kind are told one by one."""


@dataclass(slots=True)
class _Notes:
    """Findings of one kind: all that are wrong, and of the others so many that a person still reads them."""

    subject: str
    wrong: list[Finding] = field(default_factory=list)
    shown: list[Finding] = field(default_factory=list)
    more: int = 0

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.level != "note":
                self.wrong.append(finding)
            elif len(self.shown) < SHOWN_OF_A_KIND:
                self.shown.append(finding)
            else:
                self.more += 1

    def told(self) -> Iterator[Finding]:
        yield from self.wrong
        yield from self.shown
        if self.more:
            yield Finding("note", self.subject, f"{self.more} more of such commits")


@dataclass(slots=True)
class _Seen:
    """What one walk over a log has seen, commit by commit; of each kind in the order of :func:`verify`."""

    store: Store
    room: RoomName
    now_seconds: int
    damage: _Notes
    texts: _Notes
    beyond: _Notes
    attachments: _Notes
    dates: _Notes
    numbers: _Notes
    commits: int = 0
    records: int = 0

    def look(self, oid: Oid, commit: codec.Commit) -> None:
        """All that can be told of a commit alone."""
        self.texts.add(_texts(self.room, oid, commit))
        self.beyond.add(_beyond_limits(self.room, oid, commit, self.now_seconds))
        self.attachments.add(_attachments(self.store, self.room, oid, commit))

    def kinds(self) -> list[_Notes]:
        return [self.damage, self.texts, self.beyond, self.attachments, self.dates, self.numbers]


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
    seen = _along_line(store, room, tip, now_seconds, progress) or _over_all(store, room, tip, now_seconds, progress)
    for kind in seen.kinds():
        yield from kind.told()
    if not any(kind.wrong for kind in seen.kinds()):
        is_noted = seen.beyond.shown
        yield Finding(
            "ok",
            f"room {room}",
            f"{seen.records} record{'' if seen.records == 1 else 's'} in {seen.commits} commits: "
            f"texts, attachments, dates and numbers are right{', but for what is noted' if is_noted else ''}",
        )


def _nothing_seen(store: Store, room: RoomName, now_seconds: int) -> _Seen:
    damage, texts, beyond, attachments, dates, numbers = (_Notes(f"room {room}") for _ in range(6))
    return _Seen(store, room, now_seconds, damage, texts, beyond, attachments, dates, numbers)


def _along_line(
    store: Store, room: RoomName, tip: Oid | None, now_seconds: int, progress: Callable[[int], None]
) -> _Seen | None:
    """A log without merges and copies, of which eight bytes a record are kept; None for any other."""
    seen = _nothing_seen(store, room, now_seconds)
    keys, noted = array("q"), {position.tip for position in store.positions(room)}
    before: dict[Oid, int] = {}
    here: Oid | None = tip
    child: tuple[Oid, _Dated] | None = None
    while here is not None:
        try:
            commit = store.read(here)
        except FormatError as error:
            seen.damage.add(_damage(store, room, [error]))
            break
        if len(commit.parents) > 1:
            return None
        if child is not None:
            seen.dates.add(_dates(room, *child, [commit.committer.moment.seconds]))
        seen.look(here, commit)
        if commit.takes_number:
            if here in noted:
                before[here] = len(keys)
            keys.append(hash(codec.identity_key(here, commit)))
        seen.commits += 1
        if seen.commits % 100 == 0:
            progress(seen.commits)
        child = here, _dated(commit)
        here = next(iter(commit.parents), None)
    if child is not None:  # the root, or what stands before damage
        seen.dates.add(_dates(room, *child, []))
    if any(one == other for one, other in pairwise(sorted(keys))):
        return None
    seen.records = len(keys)
    if not seen.damage.wrong:
        seen.numbers.add(_checkpoints(store, room, {oid: len(keys) - count for oid, count in before.items()}))
    return seen


def _over_all(
    store: Store, room: RoomName, tip: Oid | None, now_seconds: int, progress: Callable[[int], None]
) -> _Seen:
    """Any log. What the order rule needs of each commit is kept."""
    seen = _nothing_seen(store, room, now_seconds)
    nodes: dict[Oid, order.Node] = {}
    dates: dict[Oid, _Dated] = {}
    damage: list[FormatError] = []
    pending = [tip] if tip is not None else []
    while pending:
        oid = pending.pop()
        if oid in nodes:
            continue
        try:
            commit = store.read(oid)
        except FormatError as error:
            if error.oid not in {known.oid for known in damage}:
                damage.append(error)
            continue
        nodes[oid] = rule(oid, commit)
        dates[oid] = _dated(commit)
        seen.look(oid, commit)
        pending += commit.parents
        if len(nodes) % 100 == 0:
            progress(len(nodes))
    for oid, node in nodes.items():
        known = [dates[parent].committed for parent in node.parents if parent in nodes]
        seen.dates.add(_dates(room, oid, dates[oid], known))
    seen.damage.add(_damage(store, room, damage))
    seen.commits = len(nodes)
    if not damage:
        ordered = order.linearize(tip, nodes.__getitem__)
        kept = order.drop_repeated(ordered, nodes.__getitem__)
        seen.records = len(kept)
        if len(kept) < len(ordered):
            text = f"repeated records that are counted once: {len(ordered) - len(kept)}"
            seen.numbers.add([Finding("note", f"room {room}", text)])
        seen.numbers.add(_checkpoints(store, room, {oid: number for number, oid in enumerate(kept, 1)}))
    return seen


def _damage(store: Store, room: RoomName, damage: Iterable[FormatError]) -> Iterator[Finding]:
    for error in damage:
        yield Finding("wrong", f"room {room}", str(error), mend(store, room, error))


def _texts(room: RoomName, oid: Oid, commit: codec.Commit) -> Iterator[Finding]:
    """Commits that are no records and ought to be, and roots that are no genesis."""
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


def _beyond_limits(room: RoomName, oid: Oid, commit: codec.Commit, now_seconds: int) -> Iterator[Finding]:
    """Commits of which a reader cuts something, or passes something over, or whose date no right clock has shown."""
    if commit.wrong:
        said = ", and ".join(commit.wrong)
        yield Finding("note", f"room {room}", f"commit {oid} is beyond the limits: {said}; it is shown without that")
    ahead = commit.committer.moment.seconds - now_seconds
    if ahead > limits.AHEAD_SECONDS:
        text = f"commit {oid} is dated {ahead // 86400} days ahead; what comes after it is not"
        yield Finding("note", f"room {room}", text)


def _attachments(store: Store, room: RoomName, oid: Oid, commit: codec.Commit) -> Iterator[Finding]:
    """Attachments that are missing or damaged, and what a reader passes over in a commit's tree."""
    if commit.tree in EMPTY_TREES:
        return
    try:
        odd = _odd_files(store, commit.tree)
    except FormatError as error:
        advice = f"{mend(store, room, error)}; in a partial clone: git cat-file -e {error.oid}"
        yield Finding("wrong", f"room {room}", f"an attachment of commit {oid}: {error}", advice)
        return
    if odd:
        more = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
        yield Finding("note", f"room {room}", f"commit {oid} carries {odd[0]}{more}")


def _odd_files(store: Store, tree: Oid) -> list[str]:
    """What in a commit's tree is not as a sender of ours writes it. Reads every attachment. Raises FormatError."""
    top = store.read_tree(tree)
    odd = [f"'{name}', which is no attachment" for name in attachment.unknown_in(top)]
    directories = [found for found in (attachment.directory_of(top), attachment.excerpts_of(top)) if found is not None]
    entries = [entry for directory in directories for entry in store.read_tree(directory)]
    for one in (one for directory in directories for one in attachment.listed(store.read_tree(directory))):
        if one.problem is not None:
            odd.append(f"'{one.name}', which {one.problem}")
        else:
            store.read_blob(one.oid)
    wip = attachment.directory_of(top, overlay.DIRECTORY)
    if wip is not None:
        odd += _odd_work(store, wip)
    modes = [entry for entry in entries if attachment.has_odd_mode(entry)]
    return odd + [f"'{entry.name.decode('utf-8', 'replace')}' with mode {entry.mode:o}" for entry in modes]


def _odd_work(store: Store, wip: Oid) -> list[str]:
    """As :func:`_odd_files`, of work that is handed over."""
    try:
        found = overlay.read(wip, store.read_tree)
    except UserError as error:
        return [f"work of which {error}"]
    for side in found.sides.values():
        for version in side.values():
            store.read_blob(version.oid)
    return [f"work that nobody can take: {told}" for told in found.left_out]


class _Dated(NamedTuple):
    """When a commit was committed and written, in seconds since the epoch."""

    committed: int
    written: int
    is_right: bool
    """Whether all of it could be read."""


def _dated(commit: codec.Commit) -> _Dated:
    return _Dated(commit.committer.moment.seconds, commit.author.moment.seconds, not commit.wrong)


def _dates(room: RoomName, oid: Oid, dated: _Dated, parents: Sequence[int]) -> Iterator[Finding]:
    """A commit that is dated before a parent although its writer's clock was not behind it by more than a day."""
    if dated.is_right and dated.committed < limits.seconds_after(parents, dated.written):
        yield Finding(
            "wrong",
            f"room {room}",
            f"commit {oid} is dated {max(parents, default=0) - dated.committed} s before its parent: "
            "git's walks may repeat what was read",
            "find out what wrote it, and set that machine's clock; nothing is lost",
        )


def _checkpoints(store: Store, room: RoomName, place: Mapping[Oid, int]) -> Iterator[Finding]:
    """Whether the checkpoint counts as the log does."""
    for position in store.positions(room):
        if position.tip is not None and place.get(position.tip, position.count) != position.count:
            yield Finding(
                "wrong",
                f"room {room}",
                f"the checkpoint counts {position.count} records at {position.tip}, the log {place[position.tip]}",
                f"rm '{store.directory / 'checkpoints' / room}'",
            )
