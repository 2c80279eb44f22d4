"""A record added at the end of a log, in as few calls of the system as it takes.

The one quick way of server, library and command. It goes the steps of :meth:`gitchat.storage.refs.Refs.move`, with the
same bytes on disk, where nothing is out of the ordinary: a log that is loose, and of which the end is noted; in its
checkpoint, or in ``ends/`` where a remote gives the numbers. Whatever else is met raises Unusual, and nothing was
changed but, at most, an object more to which nothing points; then the long way does it, or says why not.

    write lock, no intent in it -> tip -> note of the end -> parent's date -> the caller's commit
    -> loose object -> journal, synced -> the note -> intent -> <ref>.lock -> compare -> swap -> intent gone

Before the ref moves the record is in the journal, whose sync is the only one: what a power cut takes of the rest is
made again from there (gitchat/storage/aftermath.py). Source: docs/format.md sections 6 and 7.
"""

import os
from zlib import crc32

from gitchat.quick import loose, swap, turn
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 10.0
"""How long a writer waits for its turn. A turn takes milliseconds."""

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_WRITE = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_REGULAR, _TYPE_BITS = 0o100000, 0o170000

_CHECKPOINT = b"gitchat checkpoint 1\n"
_CHECKPOINT_BYTES = 4096

CHECKPOINTS, ENDS = "checkpoints", "ends"
"""Where the end of a log is noted: of one that this clone numbers, and of one that a remote does."""

_KEPT_POSITIONS = {CHECKPOINTS: 8, ENDS: 1}


class End:
    """The end of a log, with the write lock held: what the next record follows."""

    __slots__ = ("count", "is_closed", "is_plain", "seconds", "tip", "title")

    def __init__(self, tip: str, count: int, is_plain: bool, is_closed: bool, title: str, seconds: int) -> None:
        self.tip = tip
        self.count = count
        self.is_plain = is_plain
        self.is_closed = is_closed
        self.title = title
        """The id of the last record with a title, or ``-``."""
        self.seconds = seconds
        """The committer date of ``tip``."""


class Appended:
    """A record that is acknowledged: it is stored, and its number is final, where this clone gives it."""

    __slots__ = ("journal_bytes", "number", "oid", "seconds", "written_bytes")

    def __init__(self, oid: str, number: int, seconds: int, journal_bytes: int, written_bytes: int) -> None:
        self.oid = oid
        self.number = number
        self.seconds = seconds
        """Its committer date."""
        self.journal_bytes = journal_bytes
        """How large the journal is now, and how much of that this record added."""
        self.written_bytes = written_bytes


def append(
    clone: Clone,
    ref: str,
    room: str,
    make: "Callable[[End], tuple[bytes, int]]",
    wait_seconds: float = WAIT_SECONDS,
    noted_in: str = CHECKPOINTS,
) -> Appended:
    """Add the record whose commit and committer date ``make`` gives, once, with the write lock held.

    It has the empty tree, is no ``meta`` record, and its one parent is ``end.tip``. When ``make`` raises, nothing has
    changed. With :data:`ENDS` it has to see to it that the log there goes on from all that the remote has. Raises
    Unusual: as above. What is acknowledged survives the process, and where the clone is synced the system, too.
    """
    clone.refuse_link(noted_in)
    lock = turn.take(clone.common_dir + "/chatroom/write.lock", wait_seconds)
    try:
        return _add(clone, ref, room, make, noted_in, lock)
    except OSError as refused:
        raise Unusual from refused
    finally:
        turn.give_back(lock)


def _add(
    clone: Clone,
    ref: str,
    room: str,
    make: "Callable[[End], tuple[bytes, int]]",
    noted_in: str,
    lock: int,
) -> Appended:
    if os.pread(lock, 1, 0):
        raise Unusual  # somebody died at this work
    tip = swap.tip(f"{clone.common_dir}/{ref}")
    note = swap.opened(f"{clone.common_dir}/chatroom/{noted_in}/{room}", _WRITE)
    try:
        before = os.read(note, _CHECKPOINT_BYTES)
        lines, end = _end(clone, before, tip)
        raw, seconds = make(end)
        oid, framed = loose.frame(b"commit", raw)
        loose.write(clone.common_dir + "/objects", oid, framed)
        journal_bytes, written_bytes = _keep(clone, oid, raw)
        after = b"%s %d %d %d %s\n" % (oid.encode(), end.count + 1, end.is_plain, end.is_closed, end.title.encode())
        _note(note, [*lines, after][-_KEPT_POSITIONS[noted_in] :], len(before))
    finally:
        os.close(note)
    swap.move(clone, ref, tip, oid, lock)
    clone.last = (oid, seconds)
    return Appended(oid, end.count + 1, seconds, journal_bytes, written_bytes)


# --- what the checkpoint knows --------------------------------------------------------------


def _end(clone: Clone, data: bytes, tip: str) -> "tuple[list[bytes], End]":
    """The lines of a checkpoint, oldest first, and the end of the log that it notes. Raises Unusual: it does not."""
    body = data[:-9]
    if data[-9:] != b"%08x\n" % crc32(body) or not body.startswith(_CHECKPOINT):
        raise Unusual
    lines = body[len(_CHECKPOINT) :].splitlines(keepends=True)
    wanted = tip.encode()
    for line in reversed(lines):
        if line.startswith(wanted):
            words = line.split()
            if len(words) != 5 or not words[1].isdigit():
                raise Unusual
            seconds = _seconds(clone, tip)
            end = End(tip, int(words[1]), words[2] == b"1", words[3] == b"1", words[4].decode(), seconds)
            return lines, end
    raise Unusual


def _note(note: int, lines: "list[bytes]", size_bytes: int) -> None:
    """Write ``lines`` over the ``size_bytes`` that stand there. Before the ref moves."""
    body = _CHECKPOINT + b"".join(lines)
    data = b"%s%08x\n" % (body, crc32(body))
    os.pwrite(note, data, 0)
    if len(data) < size_bytes:
        os.ftruncate(note, len(data))


def _seconds(clone: Clone, oid: str) -> int:
    """The committer date of a record without attachments. Raises Unusual: it is not one that this can read."""
    if clone.last[0] == oid:
        return clone.last[1]
    head = clone.read(oid).partition(b"\n\n")[0].split(b"\n")
    date = head[-1].rpartition(b"> ")[2].partition(b" ")[0]
    # With another tree nobody can tell whether the empty one is there, which the next record needs.
    if head[0] != b"tree " + EMPTY_TREE.encode() or not head[-1].startswith(b"committer ") or not date.isdigit():
        raise Unusual
    return int(date)


# --- what is written ------------------------------------------------------------------------


def _keep(clone: Clone, oid: str, raw: bytes) -> "tuple[int, int]":
    """Append a commit to the journal, in one write; how large that is, and by how much larger than it was."""
    entry = b"%s commit %d %08x\n%s\n" % (oid.encode(), len(raw), crc32(raw), raw)
    journal = swap.opened(clone.common_dir + "/chatroom/journal", _WRITE | os.O_APPEND)
    try:
        status = os.fstat(journal)
        if status.st_mode & _TYPE_BITS != _REGULAR or os.write(journal, entry) != len(entry):
            raise Unusual
        if clone.is_synced:
            sync(journal)
    finally:
        os.close(journal)
    return status.st_size + len(entry), len(entry)


def sync(descriptor: int) -> None:
    """Return when what was written to an open file is on the disk, and its length."""
    os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)
