"""The write lock of a repository's rooms, and the intent that its holder leaves in it.

All writers of a clone queue at one file, ``chatroom/write.lock`` in the git common
directory, with a kernel lock: it is freed when its holder dies, however it dies.
The lock makes writers take turns; what makes a write correct is still git's own
compare-and-swap on the ref, so a writer that does not know this lock does no harm.

While the holder moves a ref, git's protocol creates ``<ref>.lock``, or one lock for all
refs in a repository with reftable. A holder that is killed then leaves that file behind,
and it would block everybody for ever. So the holder first writes down which ref it moves,
and to which commit: the next holder finds the intent of the dead and can tell the file it
left from a lock that a living git holds (see :meth:`Gate.bury` and :class:`LockFile`).

Where the file system has no kernel locks (some network mounts) the ref's own lock
still decides; writers then race instead of queueing, and leave no intents.

Source: docs/format.md section 7, docs/decisions/0001-whose-lock-is-it.md.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid, RefName
from gitchat.quick import booted
from gitchat.storage.ownership import give_away, is_guest
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

if TYPE_CHECKING:
    from gitchat.storage.lockfile import LockFile

WAIT_SECONDS = 10.0
"""How long a writer waits for its turn. A turn takes milliseconds."""

FOREIGN_SECONDS = 60.0
"""How old a lock without an intent must be before it counts as left behind."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a holder is about to do. Found by the next holder, it was not finished."""

    ref: RefName
    new: Oid
    pid: int

    def encode(self) -> bytes:
        """The line that :meth:`decode` reads."""
        return f"{self.ref} {self.new} {self.pid}\n".encode()

    @classmethod
    def decode(cls, line: bytes) -> Intent | None:
        """The intent in ``line``; None for anything that is not one whole intent."""
        words = line.decode("ascii", "replace").split(" ")
        if len(words) != 3 or not words[2].endswith("\n") or not words[2].strip().isdigit():
            return None
        return cls(RefName(words[0]), Oid(words[1]), int(words[2]))


class Gate:
    """The held write lock. Made by :func:`hold`; of no use after it is released."""

    def __init__(self, descriptor: int, is_exclusive: bool) -> None:
        self._descriptor = descriptor
        self._is_exclusive = is_exclusive
        self.is_handed_on = False

    @property
    def is_exclusive(self) -> bool:
        """Whether it keeps others out: not where the file system has no locks."""
        return self._is_exclusive

    @property
    def descriptor(self) -> int:
        """The open file that carries the kernel lock."""
        return self._descriptor

    def hand_on(self) -> int:
        """The same, for a process that goes on holding the lock when we have ended."""
        self.is_handed_on = True
        return self._descriptor

    def read(self) -> Intent | None:
        """The intent in the file: that of a dead holder, unless this one wrote it."""
        return Intent.decode(os.pread(self._descriptor, 4096, 0)) if self._is_exclusive else None

    def intend(self, ref: RefName, new: Oid) -> None:
        """Write down that ``ref`` is about to be moved to ``new``. Survives a kill."""
        if not self._is_exclusive:
            return
        line = Intent(ref, new, os.getpid()).encode()
        os.pwrite(self._descriptor, line, 0)
        os.ftruncate(self._descriptor, len(line))

    def clear(self) -> None:
        """Forget the intent: the ref's lock is gone."""
        if self._is_exclusive:
            os.ftruncate(self._descriptor, 0)

    def bury(self, lock_of: Callable[[RefName], Path]) -> None:
        """Clear up after a dead holder: remove the lock that its git left behind, and its intent."""
        self.unlock_for_the_dead(lock_of)
        self.clear()

    def unlock_for_the_dead(self, lock_of: Callable[[RefName], Path]) -> None:
        """Remove the lock file that the git which worked for the intent left behind, if it is its own.

        For who knows that this git is dead. What cannot be told from a living git's by
        :meth:`LockFile.is_left_over` is a ``<ref>.lock`` that is empty: the dead had just made
        it, or a git just did. It is removed when it stayed the same for a second, far longer
        than git keeps one empty.
        """
        intent = self.read()
        if intent is None:
            return
        from gitchat.storage.lockfile import LockFile  # for who finds a dead holder

        written = os.fstat(self._descriptor).st_mtime
        found = LockFile.look(lock_of(intent.ref))
        if found is not None and (
            found.is_left_over(intent.new) or found.is_exchanged(intent.new, written) or found.is_left_empty()
        ):
            found.path.unlink(missing_ok=True)

    def is_old(self, found: LockFile) -> bool:
        """Whether a lock is older than any git needs, and nobody can still hold it."""
        is_old = self.seconds_since(found) >= FOREIGN_SECONDS
        return is_old and (not found.is_of_all_refs or found.is_closed() is True)

    def seconds_since(self, found: LockFile) -> float:
        """The age of a lock file in the file system's own time, which no clock change moves."""
        return _now_there(self._descriptor) - found.modified


@contextmanager
def hold(directory: Path, wait_seconds: float = WAIT_SECONDS, name: str = "write.lock") -> Iterator[Gate]:
    """Hold the write lock (or another, by its file's ``name``) in ``directory``, which is made when it is missing.

    Waiters are served in the order of their coming (the kernel's), not by chance,
    which would let a busy process starve the others.

    Raises:
        ConflictError: ``write-lock-held`` when the turn did not come in time.
        StorageError: ``read-only``, ``disk-full`` when the file cannot be made.
    """
    file, begins = OwnFile(directory, name), not directory.is_dir()
    try:
        descriptor = file.open(os.O_RDWR | os.O_CREAT)
        if begins:  # there is nothing yet that a power cut could have taken
            with suppress(FileExistsError, FileNotFoundError):  # others who begin write the same
                OwnFile(directory, booted.FILE).replace(booted.start_of_system().encode())
    except OSError as error:
        raise storage_error(error, directory) from error
    waiter = _Waiter(descriptor)
    held: Gate | None = None
    since: float | None = None
    try:
        since = _now_there(descriptor) if is_guest(directory.parent) else None
        if not waiter.lock(wait_seconds):
            raise _held(file, wait_seconds)
        held = Gate(descriptor, waiter.is_exclusive)
        yield held
    finally:
        if since is not None:
            give_away(directory.parent, since)
        # A fork that was made meanwhile has the file open, too: the lock is not free when we close it.
        waiter.close(unlock=held is not None and not held.is_handed_on)


def _now_there(descriptor: int) -> float:
    """The time by the clock of the file system that holds our files."""
    os.utime(descriptor)
    return os.fstat(descriptor).st_mtime


@contextmanager
def adopt(descriptor: int) -> Iterator[Gate]:
    """Hold the lock that the process which started this one holds by ``descriptor``, and handed on.

    Raises OSError: there is no such descriptor.
    """
    os.set_inheritable(descriptor, False)
    waiter = _Waiter(descriptor)
    held = Gate(descriptor, is_exclusive=True)
    try:
        yield held
    finally:
        waiter.close(unlock=not held.is_handed_on)


class _Waiter:
    """A kernel lock with a time limit, which ``flock`` does not have.

    Uncontended it is one system call. Otherwise a thread blocks in the kernel, so
    that the queue is the kernel's; when the limit passes, the thread is left to
    itself and closes the file, and with it the lock, as soon as it got it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.is_exclusive = True
        self._guard = threading.Lock()
        self._acquired = threading.Event()
        self._is_waiting = False
        self._is_closed = False
        _open_here.add(self)

    def lock(self, wait_seconds: float) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            self.is_exclusive = False
            return True
        if wait_seconds <= 0:
            return False
        self._is_waiting = True
        threading.Thread(target=self._block, name="gitchat-write-lock", daemon=True).start()
        return self._acquired.wait(wait_seconds)

    def _block(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._guard:
            self._is_waiting = False
            self._acquired.set()
            if self._is_closed:
                self._close(unlock=True)

    def close(self, *, unlock: bool) -> None:
        """Close the file once nobody waits at it; the lock goes with it, or to who got it from us."""
        with self._guard:
            self._is_closed = True
            if not self._is_waiting:
                self._close(unlock)

    def _close(self, unlock: bool) -> None:
        if self not in _open_here:
            return  # in a fork, which has closed it
        _open_here.discard(self)
        if unlock and self.is_exclusive:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)

    def abandon(self) -> None:
        """In a fork: close our copy of the file, so that the lock is the parent's alone."""
        _open_here.discard(self)
        os.close(self._descriptor)


_open_here: set[_Waiter] = set()
"""The locks that this process waits for or has."""


def _let_go() -> None:
    """In a fork: it holds nothing, and would keep what its parent holds from everybody for as long as it lives."""
    for waiter in list(_open_here):
        waiter.abandon()


os.register_at_fork(after_in_child=_let_go)


def _held(file: OwnFile, wait_seconds: float) -> ConflictError:
    intent = Intent.decode(file.read(4096))
    holder = f"process {intent.pid}" if intent else "another process"
    return ConflictError(
        f"{holder} has held the room's write lock for over {wait_seconds:.0f} s",
        hint=f"see what it does, or end it: fuser -v '{file.path}'",
        public_message="another process writes here, and does not end",
        public_hint="try again; if that lasts, tell who runs this server",
        code="write-lock-held",
    )
