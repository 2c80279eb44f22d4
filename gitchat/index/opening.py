"""Opens a database file of ours, which SQLite alone would not do as we have to.

SQLite would follow a link, wait at a pipe, and know no group. But the file must not be opened beside it either while
this process has a connection to it: whoever closes any descriptor of a file gives up all locks that the process has
on it. Another process then takes the write lock that a thread here has, or believes that nobody uses the database and
cuts off the memory that is shared, which ends us with SIGBUS. So it is opened only where nobody here has it open;
otherwise it is looked at. Source: sqlite.org/howtocorrupt.html, 2.2; close(2).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from gitchat.storage.ownfiles import Misplaced, OwnFile

_SUFFIXES = ("", "-wal", "-shm")


class Connection(sqlite3.Connection):
    """One that can be remembered without being kept."""

    def close(self) -> None:
        super().close()
        _forget(self)


_lock = threading.Lock()
_open: dict[str, WeakSet[Connection]] = {}


def opened(directory: Path, name: str, timeout_seconds: float) -> sqlite3.Connection:
    """A connection to the database ``name`` in ``directory``, ``chatroom/``, which is made when it is missing.

    It gives its -wal and -shm the mode and, for root, the owner of the database. Any thread may use it, one at a time.

    Raises:
        sqlite3.DatabaseError: something else stands in the place of one of its files.
        sqlite3.OperationalError: it cannot be opened.
    """
    path = str(directory / name)
    with _lock:
        ours = _open.setdefault(path, WeakSet())
        try:
            for suffix in _SUFFIXES:
                with suppress(FileNotFoundError):
                    _see_to(OwnFile(directory, name + suffix), is_main=not suffix, is_in_use=bool(ours))
        except Misplaced as error:
            raise sqlite3.DatabaseError(str(error)) from error
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open database file: {error}") from error
        made = sqlite3.connect(
            path, timeout=timeout_seconds, isolation_level=None, check_same_thread=False, factory=Connection
        )
        ours.add(made)
    return made


def _see_to(file: OwnFile, *, is_main: bool, is_in_use: bool) -> None:
    """Find it as it has to be, or make it so. Raises OSError; FileNotFoundError where SQLite is to make it."""
    if is_in_use and (not is_main or os.path.lexists(file.path)):
        file.look()
    else:
        os.close(file.open(os.O_RDWR | os.O_CREAT if is_main else os.O_RDWR))


def _forget(closed: Connection) -> None:
    with _lock:
        for ours in _open.values():
            ours.discard(closed)


def _begin_anew() -> None:
    """In a forked child: a lock of another thread is never given back, and locks of files are not inherited."""
    global _lock
    _lock = threading.Lock()
    _open.clear()


os.register_at_fork(after_in_child=_begin_anew)
