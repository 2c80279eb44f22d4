"""The kernel lock that a living name holds, in the two kinds that systems have.

On Linux it is an open-file-description lock, because the kernel tells who asks whether it
is taken without taking it. ``flock(2)`` cannot: there a probe takes the lock itself, for
an instant, and sends away who comes to take it just then.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
from typing import Protocol


class NameLock(Protocol):
    """A lock of a whole file that its open descriptor carries, and that dies with the process."""

    def take(self, descriptor: int) -> bool:
        """Whether it is ours now; ``descriptor`` is open for writing. Never waits. Raises OSError."""

    def is_taken(self, descriptor: int) -> bool:
        """Whether another open file holds it. Raises OSError."""


class OpenFileLock:
    """An open-file-description lock; asking takes nothing. Source: fcntl(2), Linux 3.15."""

    _flock = struct.Struct("hhqqi0q")
    """``struct flock`` with 64-bit offsets: type, whence, start, length (0: to the end), pid (must be 0)."""
    _whole_file = _flock.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)

    def take(self, descriptor: int) -> bool:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, self._whole_file)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return False
        return True

    def is_taken(self, descriptor: int) -> bool:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, self._whole_file)
        kind: int = self._flock.unpack(answer)[0]
        return kind != fcntl.F_UNLCK


class FlockLock:
    """``flock(2)``, where there is nothing better. Asking takes it for an instant, shared, so that askers get along."""

    def take(self, descriptor: int) -> bool:
        return self._try(descriptor, fcntl.LOCK_EX)

    def is_taken(self, descriptor: int) -> bool:
        if not self._try(descriptor, fcntl.LOCK_SH):
            return True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False

    def _try(self, descriptor: int, kind: int) -> bool:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


NAME_LOCK: NameLock = OpenFileLock() if sys.platform == "linux" else FlockLock()
