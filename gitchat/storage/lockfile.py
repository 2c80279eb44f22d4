"""git's own lock files on refs, and whose they are: a living git's, or left behind by one that died.

git makes ``<ref>.lock``, or one lock for all refs in a repository with reftable, while it
moves a ref. Nothing in the file's name tells whether anybody still works for it; its content,
its age and the kernel do, as far as it can be told.

Source: docs/format.md section 7, docs/decisions/0001-whose-lock-is-it.md.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.names import Oid

SETTLE_SECONDS = 1.0
"""How long an ambiguous lock must stay unchanged before it counts as the dead holder's."""

REFTABLE_LOCK = "reftable/tables.list.lock"
"""The lock of all refs of a repository with reftable, below the git common directory."""


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock of git's on a ref, or on all refs, as it was seen once."""

    path: Path
    inode: int
    modified: float
    content: bytes

    @classmethod
    def look(cls, path: Path) -> LockFile | None:
        """The file at ``path``, or None when there is none."""
        try:
            with path.open("rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                return cls(path, status.st_ino, status.st_mtime, file.read(200) or b"")
        except (FileNotFoundError, NotADirectoryError):
            return None

    @property
    def is_of_all_refs(self) -> bool:
        """Whether it is reftable's, whose content does not tell who made it."""
        return self.path.parts[-2:] == tuple(REFTABLE_LOCK.split("/"))

    def is_left_over(self, new: Oid) -> bool:
        """Whether the git that was to move a ref to ``new``, and is dead, surely left this lock.

        A ``<ref>.lock`` holds that very commit: nobody else knows it. A living git owns
        one with another value, and removing it would let that git report success for a
        ref that holds ours.

        A lock of all refs is closed, and the same for a second. git keeps it open for as
        long as it holds it, and no git of the dead holder lives: it would keep the write
        lock. Where the kernel does not tell, it is left to a person: who removes it under
        a living git can lose every ref of the repository.
        """
        if not self.is_of_all_refs:
            return self.content.strip() == new.encode()
        # Not asked at once: of a process that is being killed the kernel may free the write lock first.
        return self._stays(SETTLE_SECONDS) and self.is_closed() is True

    def is_exchanged(self, new: Oid, intended: float) -> bool:
        """Whether it is the file that was the ref until the dead exchanged the two: the ref is at ``new``.

        It was written before the intent, at ``intended``. While the intent stood the name was the dead holder's, so
        nobody else can have made a lock before that.
        """
        if self.is_of_all_refs or self.modified > intended:
            return False
        try:
            with self.path.with_suffix("").open("rb", buffering=0) as file:
                is_moved = (file.read(200) or b"").strip() == new.encode()
        except OSError:
            return False
        # File systems tell times by ticks of milliseconds: a git may have come in the same one.
        return is_moved and (self.modified < intended or self._stays(SETTLE_SECONDS))

    def is_superseded(self, before: Oid | None) -> bool:
        """Whether it is the file that was the ref until somebody exchanged the two and died. Takes a second.

        For who found no intent any more: a version that knows no exchange took the file for a living git's. ``before``
        is the commit under the ref's tip. A git makes its lock after the ref has its value, so what is older than the
        ref's own file is none; within one tick of the clock, what holds the value before this one.
        """
        held = None if self.is_of_all_refs else LockFile.look(self.path.with_suffix(""))
        if held is None or not self.content or self.modified > held.modified:
            return False
        is_before = self.modified < held.modified or self.content.strip() == (before or "").encode()
        return is_before and self._stays(SETTLE_SECONDS) and self.is_closed() is not False

    def is_left_empty(self) -> bool:
        """Whether it is a ``<ref>.lock`` without a value that nobody fills. Takes a second."""
        if self.is_of_all_refs or self.content:
            return False
        return self._stays(SETTLE_SECONDS) and self.is_closed() is not False

    def is_closed(self) -> bool | None:
        """Whether no process has the file open for writing; None where the kernel does not tell.

        Linux grants a read lease on just such a file. Source: fcntl(2), F_SETLEASE.
        """
        if not hasattr(fcntl, "F_SETLEASE"):
            return None
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if os.fstat(descriptor).st_ino != self.inode:
                return None
            # Who opens a leased file for writing sends its owner a signal, and SIGIO would end this process.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return False if error.errno == errno.EAGAIN else None
        finally:
            os.close(descriptor)
        return True

    def _stays(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while LockFile.look(self.path) == self:
            if time.monotonic() >= end:
                return True
            time.sleep(0.02)
        return False
