"""The names of a repository's refs below a directory, found there: libgit2 would open every ref of the repository.

Source: gitrepository-layout(5); git-pack-refs(1).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from gitchat.model.refs import LOG_SUFFIX, ROOMS_PREFIX
from gitchat.storage.backend import RefDamaged

_LINES = re.compile(rb"(?:#[^\n]*\n|[0-9a-f]{40} [^\n\0]+\n|\^[0-9a-f]{40}\r?\n)*")

_Stamp = tuple[int, int, int, int]


class RefNames:
    """Finds names of refs. What packed-refs holds is kept for as long as that is the same file."""

    def __init__(self, common_dir: Path) -> None:
        self._common_dir = str(common_dir)
        self._stamp: _Stamp | None = None
        self._packed: list[str] = []

    def below(self, prefix: str, suffix: str = "") -> list[str]:
        """What may be refs of ours whose names begin and end so; sorted.

        Raises:
            RefDamaged: as :meth:`check`.
            OSError: a directory cannot be read.
        """
        # Loose ones first: git packs a ref before it removes its file.
        is_of_rooms = (prefix, suffix) == (ROOMS_PREFIX, LOG_SUFFIX)
        loose = list(self._logs() if is_of_rooms else self._loose(prefix.rpartition("/")[0]))
        self.check()
        names = {*loose, *self._packed}
        return sorted(name for name in names if name.startswith(prefix) and name.endswith(suffix))

    def check(self) -> None:
        """Look whether packed-refs is as git writes it.

        libgit2 complains about that once at most, and from then on finds no ref in it: a
        room would begin again at #1.

        Raises:
            RefDamaged: it is not, or cannot be read.
        """
        try:
            descriptor = os.open(f"{self._common_dir}/packed-refs", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._stamp, self._packed = None, []
            return
        except OSError as error:
            raise RefDamaged(str(error)) from error
        with open(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            # As git and libgit2 tell it: it is never written in place, but renamed into it.
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if stamp == self._stamp:
                return
            self._stamp, self._packed = None, []
            try:
                data = file.readall()
            except OSError as error:
                raise RefDamaged(str(error)) from error
        if not _LINES.fullmatch(data):
            raise RefDamaged("packed-refs holds lines that are no refs")
        self._stamp, self._packed = stamp, _chat_refs(data)

    def _logs(self) -> Iterator[str]:
        """The names that the logs of rooms have, without a look at what else a room holds: everybody's cursor."""
        try:
            with os.scandir(f"{self._common_dir}/{ROOMS_PREFIX}") as found:
                rooms = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for room in rooms:
            yield f"{ROOMS_PREFIX}{room}{LOG_SUFFIX}"

    def _loose(self, directory: str) -> Iterator[str]:
        try:
            with os.scandir(f"{self._common_dir}/{directory}") as found:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
        except (FileNotFoundError, NotADirectoryError):  # git removes directories that it has emptied
            return
        for name, is_directory in entries:
            if is_directory:
                yield from self._loose(f"{directory}/{name}")
            elif not name.endswith(".lock"):
                yield f"{directory}/{name}"


def _chat_refs(data: bytes) -> list[str]:
    """The names in packed-refs that are ours, of whatever else is there."""
    lines = data.split(b"\n") if b" refs/chatroom" in data else []
    names = (line.partition(b" ")[2] for line in lines)
    return [os.fsdecode(name) for name in names if name.startswith(b"refs/chatroom")]
