"""The file of a name: opened without trusting what stands there, read whole, changed in turn.

Who changes a file takes ``chatroom/live.lock`` for an instant. That is not the lock that a
living name holds (namelock.py), so a file is also changed by others than its holder, and
nobody who only writes looks like somebody who lives. A file is written in place and never
removed: who holds a lock on a removed file holds nothing. Source: docs/format.md section 7.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from gitchat.model.errors import ChatError
from gitchat.model.livecodec import MAX_FILE_BYTES, decode, encode
from gitchat.model.names import Name, is_slug
from gitchat.model.participant import Presence
from gitchat.presence.remembered import Stamp, stamp_of
from gitchat.storage import gate
from gitchat.storage.ownfiles import Misplaced, OwnFile, entries
from gitchat.storage.refusals import storage_error

READ_WAIT_SECONDS = 0.3
"""How long a reader that met a half-written file waits for its writer."""


class LiveFile:
    """The open file of ``name`` below ``directory``, which is ``chatroom/`` in the git common directory."""

    def __init__(self, directory: Path, name: Name, flags: int) -> None:
        """Open it. Raises OSError, also for what is no regular file."""
        self.name = name
        self._directory = directory
        self.descriptor = _file(directory, name).open(flags)

    def close(self) -> None:
        """Close it, and with it the lock of the name. Once."""
        os.close(self.descriptor)

    def stamp(self) -> Stamp:
        """What is another one after every change. Raises OSError."""
        return stamp_of(os.fstat(self.descriptor))

    def read(self) -> Presence:
        """What it tells of the name, not living; nothing when it is damaged. Raises OSError."""
        presence = self._read_once()
        if presence is None:  # half-written, perhaps: see how it looks when nobody writes
            with suppress(ChatError, OSError), self.turn(READ_WAIT_SECONDS):
                presence = self._read_once()
        return presence or Presence(self.name)

    def turn(self, wait_seconds: float = gate.WAIT_SECONDS) -> AbstractContextManager[gate.Gate]:
        """The right to change files of this directory. Raises what gate.hold raises."""
        return gate.hold(self._directory, wait_seconds, "live.lock")

    def change(self, change: Callable[[Presence], Presence]) -> tuple[Presence, Presence]:
        """What it told before and tells now. In our turn. Raises OSError; the file then counts as empty."""
        before = self._read_once() or Presence(self.name)
        after = change(before)
        if after != before:
            data = encode(after)
            if os.pwrite(self.descriptor, data, 0) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.ftruncate(self.descriptor, len(data))
        return before, after

    def _read_once(self) -> Presence | None:
        return decode(os.pread(self.descriptor, MAX_FILE_BYTES, 0), self.name)


def names(directory: Path) -> list[Name]:
    """The names that have a file, sorted; none when that cannot be read."""
    return sorted(Name(entry) for entry in entries(directory, "live") if is_slug(entry))


def create(directory: Path, name: Name) -> LiveFile:
    """The file of ``name`` open for writing, made when it is missing.

    Raises:
        StorageError: ``read-only``, ``disk-full``, ``storage``.
        ConflictError: ``write-lock-held``.
    """
    with storage_errors(directory, name):
        with suppress(Misplaced):
            return LiveFile(directory, name, os.O_RDWR | os.O_CREAT)
        _clear_away(directory, name)
        return LiveFile(directory, name, os.O_RDWR | os.O_CREAT)


def _clear_away(directory: Path, name: Name) -> None:
    """Remove a link or a pipe that stands in the file's place. Raises OSError for a directory.

    In our turn: what somebody else just put there instead may be held already.
    """
    file = _file(directory, name)
    with gate.hold(directory, name="live.lock"), suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(file.path).st_mode):
            file.remove()


@contextmanager
def storage_errors(directory: Path, name: Name) -> Iterator[None]:
    """What the operating system refuses in here becomes a StorageError that names the file."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, Path(error.filename or _file(directory, name).path)) from error


def _file(directory: Path, name: Name) -> OwnFile:
    return OwnFile(directory, f"live/{name}")
