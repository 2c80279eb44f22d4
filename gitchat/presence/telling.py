"""That a call waits whose answer tells its session what comes: the hooks of the session leave it to the call then.

Else one message is told twice, by a hook and by the call that a client has in the background. Each call holds
``waits/<room>/<name>`` shared, so the kernel gives it back with the process, and several may wait. Who asks takes it
alone for an instant; of two that ask just then one may hear that a call waits, and leaves it to the other one.
Source: docs/format.md section 7.26.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitchat.model.names import Name, RoomName
from gitchat.storage.ownfiles import OwnFile


@contextmanager
def telling(directory: Path, room: RoomName, name: Name) -> Iterator[None]:
    """What comes in ``room`` for ``name`` is told by who does this. ``directory`` is ``chatroom/``.

    Never fails: where the file cannot be kept, hooks tell as ever.
    """
    try:
        descriptor = _file(directory, room, name).open(os.O_RDONLY | os.O_CREAT)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_told(directory: Path, room: RoomName, name: Name) -> bool:
    """Whether a call waits that will tell ``name`` what comes in ``room``."""
    try:
        descriptor = _file(directory, room, name).open(os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def forget(directory: Path, room: RoomName, name: Name) -> None:
    """Remove the file; who waits by it holds one that nobody asks any more. Raises OSError."""
    _file(directory, room, name).remove()


def _file(directory: Path, room: RoomName, name: Name) -> OwnFile:
    return OwnFile(directory, f"waits/{room}/{name}")
