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

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


@contextmanager
def telling(directory: Path, room: RoomName, name: Name) -> Iterator[None]:
    """What comes in ``room`` for ``name`` is told by who does this. ``directory`` is ``chatroom/``.

    Never fails: where the file cannot be kept, hooks tell as ever.
    """
    path = _path(directory, room, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o666)
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
        descriptor = os.open(_path(directory, room, name), _FLAGS)
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


def _path(directory: Path, room: RoomName, name: Name) -> Path:
    return directory / "waits" / room / name
