"""The write lock of a clone, taken for the quick way: one call of the system where nobody else writes.

Who waits stands in the kernel's queue, in a thread of its own, because ``flock`` knows no limit of time.
Source: docs/format.md section 7.1; gitchat/storage/gate.py has the long way, which waits at the same file.
"""

import _thread
import fcntl
import os

from gitchat.quick.unusual import Unusual

_open_here: "set[int]" = set()
"""The files by which this process holds the lock. A fork closes its copies: it holds nothing."""


def _let_go() -> None:
    for descriptor in list(_open_here):
        _open_here.discard(descriptor)
        os.close(descriptor)


os.register_at_fork(after_in_child=_let_go)


def take(path: str, wait_seconds: "float | None") -> "tuple[int, bool]":
    """Hold the lock whose file is at ``path``: the descriptor that :func:`give_back` takes, and whether others had it.

    It waits for as long as that takes where ``wait_seconds`` is None. Raises Unusual: it did not come in time, nobody
    ever wrote here, or the file system has no such locks.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except OSError as refused:
        raise Unusual from refused
    _open_here.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if wait_seconds is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _Waiting(descriptor).wait(wait_seconds)
        return descriptor, True
    except OSError as refused:
        _close(descriptor)
        raise Unusual from refused
    return descriptor, False


def _close(descriptor: int) -> None:
    if descriptor in _open_here:  # else this is a fork, which has closed it
        _open_here.discard(descriptor)
        os.close(descriptor)


def give_back(descriptor: int) -> None:
    """Let the next one write. It is unlocked before it is closed: a fork of just now may have it open, too.

    Never raises OSError: what was written meanwhile is acknowledged, and who thought otherwise would write it again.
    """
    if descriptor in _open_here:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        except OSError:
            pass  # a network's file system; closing it gives it back, too
        try:
            _close(descriptor)
        except OSError:
            pass


class _Waiting:
    """A place in the kernel's queue. What comes after we have gone is given back at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._guard = _thread.allocate_lock()
        self._turn = _thread.allocate_lock()
        self._turn.acquire()
        self._has_come = self._has_gone = False

    def wait(self, wait_seconds: float) -> None:
        """Return when the lock is ours. Raises Unusual: it did not come; the descriptor is closed then."""
        is_taken = False
        try:
            _thread.start_new_thread(self._queue, ())
            is_taken = self._turn.acquire(timeout=wait_seconds) and self._has_come
        finally:
            if not is_taken:
                with self._guard:
                    self._has_gone = True
                    if self._has_come:
                        give_back(self._descriptor)
        if not is_taken:
            raise Unusual

    def _queue(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            is_ours = True
        except OSError:
            is_ours = False
        with self._guard:
            self._has_come = is_ours and not self._has_gone
            if not self._has_come:
                _close(self._descriptor)
        self._turn.release()
