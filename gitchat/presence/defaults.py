"""The default names that this clone gave: to each client in each worktree.

A name that is kept is not chosen anew: an agent comes back as who it was, and a clone does not use up a new name with
each session. A file of one line a name, which is only ever added to. Source: docs/format.md section 7.17.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitchat.model.names import Name, is_name
from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 64 * 1024


class Defaults:
    """The names given in the clone of ``directory``, its ``chatroom/``. Nothing raises: what cannot be kept is not."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, "names")
        self._path = f"{directory}/names"
        self._read: tuple[tuple[int, int, int], bytes] | None = None
        """How the file looked last, which grows with each name, and what it held."""

    def given(self, client: str, place: str) -> list[Name]:
        """The names of ``client`` in the worktree at ``place``, those with the least numbers first."""
        names = {name for name, *whose in self._lines() if whose == [client, place]}
        return sorted(names, key=lambda name: (len(name), name))

    def others(self, client: str, place: str) -> set[Name]:
        """The names of everybody else."""
        return {name for name, *whose in self._lines() if whose != [client, place]}

    def note(self, name: Name, client: str, place: str) -> None:
        """Keep ``name`` for them. ``place`` is one line without a blank, as ``client`` is."""
        # One write at the end of the file: of two at once each is whole.
        with suppress(OSError):
            descriptor = self._file.open(os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(descriptor, f"{name} {client} {place}\n".encode(errors="replace"))
            finally:
                os.close(descriptor)

    def has(self, name: Name) -> bool:
        """Whether ``name`` was given to somebody."""
        return any(given == name for given, *_ in self._lines())

    def forget(self, name: Name) -> bool:
        """Give ``name`` back, to whomever it was given; whether it was. Raises OSError."""
        data = b""
        with suppress(FileNotFoundError):
            data = self._file.read(_MAX_BYTES)
        kept = b"".join(line for line in data.splitlines(keepends=True) if line.split(b" ")[0] != name.encode())
        if kept == data:
            return False
        self._file.replace(kept)  # a name that is noted at this very moment may be lost: it is chosen anew
        return True

    def _lines(self) -> Iterator[tuple[Name, str, str]]:
        data = b""
        with suppress(OSError):
            status = os.lstat(self._path)
            look = (status.st_ino, status.st_size, status.st_mtime_ns)
            if self._read is None or self._read[0] != look:
                self._read = (look, self._file.read(_MAX_BYTES))
            data = self._read[1]
        for line in data.decode(errors="replace").splitlines():
            match line.split(" "):
                case [name, client, place] if is_name(name):
                    yield Name(name), client, place
