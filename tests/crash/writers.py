"""Writers in processes of their own, for tests that race or kill them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gitchat.model.names import Name, RoomName, Uid, uid_from_random
from gitchat.model.record import Draft, Entry, Identity, Moment
from gitchat.rooms.log import Log
from gitchat.rooms.writing import Sent, Writer
from gitchat.storage.store import Store
from tests.world import open_log, open_store, open_writer

ROOM = RoomName("lobby")


def identity(name: str) -> Identity:
    """A participant called ``name``."""
    return Identity(Name(name), f"{name}@example.com", "Alice", "alice@example.com", "agent")


def new_uid() -> Uid:
    """A uid, from this process's own randomness also after a fork."""
    return uid_from_random(os.urandom(10))


def room_of(store: Store, name: RoomName = ROOM) -> Log:
    """A room."""
    return open_log(store, name)


def writer_of(store: Store, name: RoomName = ROOM) -> Writer:
    """What adds to a room, with a clock that stands still, so that only the order rule orders."""
    return open_writer(store, name, clock=lambda: Moment(1_800_000_000), new_uid=new_uid)


def say(store: Store, text: str, name: str = "writer", room: RoomName = ROOM) -> Sent:
    """Send one message and return what was acknowledged."""
    return writer_of(store, room).send(Draft(body=text), identity(name))


def records(common_dir: Path, room: RoomName = ROOM) -> list[Entry]:
    """All records of a room, oldest first."""
    return list(room_of(open_store(common_dir), room).entries())[::-1]


def fork(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked process and return its pid; the process ends with 0, or 1 for an exception."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            print(f"writer {os.getpid()}: {error!r}", file=sys.stderr)
        finally:
            os._exit(status)
    return pid


def wait_for(pids: list[int]) -> list[int]:
    """The exit statuses of ``pids``; negative for a signal."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


_CHANGING = {
    "posix": {"ftruncate", "mkdir", "open", "pwrite", "rename", "replace", "unlink", "write"},
    "fcntl": {"flock"},
    "_posixsubprocess": {"fork_exec"},
    "_io": {"write"},
    "_pygit2": {"write"},
    "pygit2._libgit2": {
        "git_transaction_new",
        "git_transaction_lock_ref",
        "git_transaction_set_target",
        "git_transaction_commit",
        "git_transaction_free",
    },
}
"""Calls out of Python that change something for others, or start a process, by the module or type they belong to."""


def be_killed_at_call(number: int) -> None:
    """From now on: have this process killed just before its ``number``-th call out of Python that changes something.

    Counted from 1. All code is on the way that a kill between two steps has to take: the operating
    system, git as a process, libgit2 with its lock of a ref taken, filled or committed.
    """
    left = number

    def count(frame: object, event: str, called: Any) -> None:
        nonlocal left
        if event == "c_call" and called.__name__ in _CHANGING.get(_home(called), ()):
            left -= 1
            if left == 0:
                die()

    sys.setprofile(count)


def _home(called: Any) -> str:
    return called.__module__ or type(called.__self__).__module__


def die() -> None:
    """End this process as the kernel's out-of-memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


class StartLine:
    """Holds forked processes until all of them are there, so that they really race."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._ready_read, self._ready_write = os.pipe()
        self._go_read, self._go_write = os.pipe()

    def wait(self) -> None:
        """In a child: say that it is there, and wait for the others."""
        os.close(self._go_write)
        os.write(self._ready_write, b".")
        os.read(self._go_read, 1)

    def start(self) -> None:
        """In the parent: wait for all, and let them go at once."""
        while self._count > 0:
            self._count -= len(os.read(self._ready_read, self._count))
        for descriptor in (self._go_write, self._go_read, self._ready_read, self._ready_write):
            os.close(descriptor)
