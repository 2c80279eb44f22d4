"""What stands beside a log when a record is added: where it ends, and the record's entry in the journal.

The end is noted in a checkpoint, or in ``ends/`` where a remote gives the numbers. The journal alone is synced before a
record is acknowledged. Source: docs/format.md sections 7.3, 7.4 and 7.23.
"""

import os
from zlib import crc32

from gitchat.quick import swap
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

CHECKPOINTS, ENDS = "checkpoints", "ends"
"""Where the end of a log is noted: of one that this clone numbers, and of one that a remote does."""

_KEPT_POSITIONS = {CHECKPOINTS: 8, ENDS: 1}
_HEADER = b"gitchat checkpoint 1\n"
_MOST_BYTES = 4096
_WRITE = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


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

    def line_after(self, oid: str) -> bytes:
        """What is noted of the record ``oid``, which follows."""
        return b"%s %d %d %d %s\n" % (
            oid.encode(), self.count + 1, self.is_plain, self.is_closed, self.title.encode()
        )  # fmt: skip


class Note:
    """The file in which the end of a log is noted, open, with the write lock held; to be closed."""

    def __init__(self, clone: Clone, room: str, noted_in: str) -> None:
        """Raises Unusual: there is none, or it does not check."""
        self._most = _KEPT_POSITIONS[noted_in]
        self._descriptor = swap.opened(f"{clone.common_dir}/chatroom/{noted_in}/{room}", _WRITE)
        try:
            data = os.read(self._descriptor, _MOST_BYTES)
            body = data[:-9]
            if data[-9:] != b"%08x\n" % crc32(body) or not body.startswith(_HEADER):
                raise Unusual
        except BaseException:
            self.close()
            raise
        self._size = len(data)
        self._lines = body[len(_HEADER) :].splitlines(keepends=True)

    def end(self, clone: Clone, tip: str) -> End:
        """The end of the log at ``tip``. Raises Unusual: it is not noted."""
        wanted = tip.encode()
        for line in reversed(self._lines):
            if line.startswith(wanted):
                return end_of(clone, line)
        raise Unusual

    def add(self, line: bytes) -> None:
        """Note one more. Before the ref moves."""
        body = _HEADER + b"".join([*self._lines, line][-self._most :])
        data = b"%s%08x\n" % (body, crc32(body))
        os.pwrite(self._descriptor, data, 0)
        if len(data) < self._size:
            os.ftruncate(self._descriptor, len(data))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def end_of(clone: Clone, line: bytes) -> End:
    """The end of a log that a line notes. Raises Unusual: its commit is not one that this can read."""
    words = line.split()
    if len(words) != 5 or not words[1].isdigit():
        raise Unusual
    tip = words[0].decode("ascii", "replace")
    return End(tip, int(words[1]), words[2] == b"1", words[3] == b"1", words[4].decode(), _seconds(clone, tip))


def _seconds(clone: Clone, oid: str) -> int:
    """The committer date of a record, in a log that has the empty tree. Raises Unusual: that cannot be told here."""
    if clone.last[0] == oid:
        return clone.last[1]
    head = clone.read(oid).partition(b"\n\n")[0].split(b"\n")
    date = head[-1].rpartition(b"> ")[2].partition(b" ")[0]
    if not head[-1].startswith(b"committer ") or not date.isdigit() or len(date) > _MOST_DIGITS:
        raise Unusual
    if head[0] != _EMPTY:
        _find_empty_tree(clone, head)
    return int(date)


def _find_empty_tree(clone: Clone, head: "list[bytes]") -> None:
    """Raise Unusual unless the empty tree is there, which the next record needs: loose, or in a commit before it."""
    if os.path.lexists(f"{clone.common_dir}/objects/{EMPTY_TREE[:2]}/{EMPTY_TREE[2:]}"):
        return
    for _ in range(_FEW):
        if len(head) != 4 or not head[1].startswith(b"parent "):
            raise Unusual
        head = clone.read(head[1][7:].decode("ascii")).partition(b"\n\n")[0].split(b"\n")
        if head[0] == _EMPTY:
            return
    raise Unusual


_EMPTY = b"tree " + EMPTY_TREE.encode()
_MOST_DIGITS = 12
_FEW = 20
"""In how many commits before it that is looked for."""


# --- the journal --------------------------------------------------------------------------


_REGULAR, _TYPE_BITS = 0o100000, 0o170000


class Entry:
    """The journal, open, after a commit was appended to it in one write; to be closed."""

    __slots__ = ("_descriptor", "_path", "added_bytes", "journal_bytes")

    def __init__(self, clone: Clone, oid: str, raw: bytes) -> None:
        """With the write lock held. Raises Unusual, and OSError."""
        data = b"%s commit %d %08x\n%s\n" % (oid.encode(), len(raw), crc32(raw), raw)
        self._path = clone.common_dir + "/chatroom/journal"
        self._descriptor = swap.opened(self._path, _WRITE | os.O_APPEND)
        try:
            status = os.fstat(self._descriptor)
            if status.st_mode & _TYPE_BITS != _REGULAR or os.write(self._descriptor, data) != len(data):
                raise Unusual
        except BaseException:
            self.close()
            raise
        self.journal_bytes = status.st_size + len(data)
        """How large the journal is now, and how much of that this one added."""
        self.added_bytes = len(data)

    def sync(self) -> None:
        """Return when it is on the disk, and all that stands before it."""
        sync(self._descriptor)

    def is_there(self) -> bool:
        """Whether the file is still the journal: a packer may have written another one."""
        return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def sync(descriptor: int) -> None:
    """Return when what was written to an open file is on the disk, and its length."""
    os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)
