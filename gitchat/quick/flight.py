"""Records of several writers at once, each on the others: they wait for the disk beside each other, and not in a row.

Who had to wait for the write lock, or finds others like that, does not hold it while its entry of the journal is
synced. It takes its place in a chain of commits that continues the log and that no ref has yet: the file
``flight-<room>``. When it is synced, and with it all before it, since the journal is one file, the ref moves to it,
unless one behind it was quicker. Nobody lands what may be gone after a power cut: who moves the ref has synced what
stands before.

    lock -> tip, chain -> the caller's commit -> loose object -> journal -> chain -> unlock
    -> sync of the journal -> lock -> in the log already, or: checkpoint -> intent -> swap -> unlock

Who cannot land its record takes it out of the chain, with the write lock held and with all that follows it; then
nobody else lands it, and the long way writes it anew. Those behind see that they are no more in the chain, and do the
same. Who could not sync what one behind it has landed meanwhile syncs once more. Of one that was killed the record may
land with the next one: it was not acknowledged, and is not told twice.
Source: docs/format.md sections 6.5 and 7.52.
"""

import os
import time
from zlib import crc32

from gitchat.quick import loose, objects, swap, turn
from gitchat.quick.noted import CHECKPOINTS, End, Entry, Note, end_of
from gitchat.quick.place import Place
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = b"gitchat flight 1\n"
_MOST = 256
"""How many records may be on their way at once: who is one more goes the long way."""
_MOST_BYTES = 64 * 1024
_AGAIN_SECONDS = 0.01
_WRITE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Chain:
    """The records of a room that are on their way, as a file has them. With the write lock held."""

    def __init__(self, clone: Clone, room: str) -> None:
        self._path = f"{clone.common_dir}/chatroom/flight-{room}"
        self.base = ""
        """The commit of the log that the first one follows; empty where there is no chain."""
        self.lines: list[bytes] = []
        """What is noted of each, as in a checkpoint."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return
        try:
            data = os.read(descriptor, _MOST_BYTES)
        finally:
            os.close(descriptor)
        body = data[:-9]
        if body.startswith(_HEADER) and data[-9:] == b"%08x\n" % crc32(body):
            base, *self.lines = body[len(_HEADER) :].splitlines(keepends=True)
            self.base = base.decode("ascii", "replace").rstrip()

    def oids(self) -> "list[str]":
        """The commits of the chain, from its base on."""
        return [self.base, *(line.partition(b" ")[0].decode("ascii", "replace") for line in self.lines)]

    def follow(self, tip: str) -> None:
        """Let it be what follows ``tip``, at which the log ends: nothing where that is not in it."""
        oids = self.oids()
        self.lines = self.lines[oids.index(tip) :] if tip in oids else []
        self.base = tip

    def drop(self, oid: str) -> None:
        """Take out a record, and what follows it. Never fails: where no file can be changed no ref can."""
        oids = self.oids()
        if oid not in oids[1:]:
            return
        self.lines = self.lines[: oids.index(oid) - 1]
        try:
            try:
                self.write()
            except OSError:
                os.unlink(self._path)
        except OSError:
            pass

    def write(self) -> None:
        """Let the file hold it; without records there is none. Raises OSError."""
        if not self.lines:
            os.unlink(self._path)
            return
        body = _HEADER + self.base.encode() + b"\n" + b"".join(self.lines)
        data = b"%s%08x\n" % (body, crc32(body))
        descriptor = os.open(self._path, _WRITE, 0o666)
        try:
            if os.pwrite(descriptor, data, 0) != len(data):
                raise OSError
            os.ftruncate(descriptor, len(data))
        finally:
            os.close(descriptor)


class Boarded:
    """A record that has its place in the chain, and is in no log yet."""

    __slots__ = ("base", "end", "entry", "line", "oid", "seconds")

    def __init__(self, base: str, end: End, entry: Entry, oid: str, seconds: int) -> None:
        self.base = base
        """Where the log ended then."""
        self.end = end
        self.entry = entry
        self.oid = oid
        self.seconds = seconds
        self.line = end.line_after(oid)


def board(clone: Clone, tip: str, chain: Chain, room: str, make: "Callable[[End], tuple[bytes, int]]") -> Boarded:
    """Take a place behind those who are on their way from ``tip``. With the write lock held; it has to land then.

    Raises Unusual, and OSError: as :func:`gitchat.quick.append.append`.
    """
    chain.follow(tip)
    if len(chain.lines) >= _MOST:
        raise Unusual
    if chain.lines:
        end = end_of(clone, chain.lines[-1])
    else:
        note = Note(clone, room, CHECKPOINTS)
        try:
            end = note.end(clone, tip)
        finally:
            note.close()
    raw, seconds = make(end)
    oid, framed = loose.frame(b"commit", raw)
    loose.write(clone.common_dir + "/objects", oid, framed)
    boarded = Boarded(tip, end, Entry(clone, oid, raw), oid, seconds)
    try:
        chain.lines.append(boarded.line)
        chain.write()
    except BaseException:
        boarded.entry.close()
        raise
    return boarded


def land(clone: Clone, ref: str, room: str, boarded: Boarded) -> None:
    """Have it in the log, and on the disk. Raises Unusual: nobody else lands it then.

    It waits for the write lock for as long as that takes: until then others may land it.
    """
    try:
        is_synced = _is_synced(boarded)
        lock = _lock(clone)
        try:
            if not is_synced and not (_reaches(clone, _tip(clone, ref), boarded) and _is_synced(boarded)):
                raise Unusual
            _land(clone, ref, room, boarded, lock)
        except BaseException as refused:
            Chain(clone, room).drop(boarded.oid)
            if isinstance(refused, OSError):
                raise Unusual from refused
            raise
        finally:
            turn.give_back(lock)
    finally:
        boarded.entry.close()


def _is_synced(boarded: Boarded) -> bool:
    try:
        boarded.entry.sync()
    except OSError:
        return False
    return True


def _lock(clone: Clone) -> int:
    """The write lock, held. Raises Unusual where there is none any more: then nobody lands anything."""
    path = clone.common_dir + "/chatroom/write.lock"
    while True:
        try:
            return turn.take(path, None)[0]
        except Unusual:  # such as too many open files
            if not os.path.lexists(path):
                raise
        time.sleep(_AGAIN_SECONDS)


def _land(clone: Clone, ref: str, room: str, boarded: Boarded, lock: int) -> None:
    tip, chain = _tip(clone, ref), Chain(clone, room)
    oids = chain.oids()
    is_next = boarded.oid in oids[1:] and tip in oids[: oids.index(boarded.oid)]
    if not is_next and _reaches(clone, tip, boarded):
        return  # one behind it was quicker
    if os.pread(lock, 1, 0) or not is_next or not boarded.entry.is_there():
        raise Unusual
    note = Note(clone, room, CHECKPOINTS)
    try:
        note.add(boarded.line)
    finally:
        note.close()
    swap.move(clone, ref, tip, boarded.oid, lock)
    try:
        chain.follow(boarded.oid)
        chain.write()
    except OSError:
        pass  # whoever comes next sees where the log ends


def _tip(clone: Clone, ref: str) -> str:
    """Where the log ends, by packed-refs, too: a git may have packed the ref after one behind us had landed ours."""
    return objects.tip(Place("", clone.common_dir, clone.common_dir, "", {}), ref)


def _reaches(clone: Clone, tip: str, boarded: Boarded) -> bool:
    """Whether the record is in the log that ends at ``tip``. It began from ``boarded.base``, which did not have it."""
    seen, left = {boarded.base}, [tip]
    while left:
        here = left.pop()
        if here == boarded.oid:
            return True
        if here not in seen:
            seen.add(here)
            head = clone.read(here).partition(b"\n\n")[0].decode("utf-8", "replace").split("\n")
            left += [line[7:] for line in head if line.startswith("parent ")]
    return False
