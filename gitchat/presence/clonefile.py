"""Which clone this is: the file ``clone`` in ``chatroom/``, with an id and the places that it was seen from.

Agents of two clones may go by one name, and only the clone tells them apart. A clone is copied,
moved, mounted elsewhere and restored without asking anybody, so the id counts as long as the path
or the inode of the git directory is one that is listed; of a machine image, which has both, what
it writes tells (:class:`gitchat.workspace.clone.Clone`). Source: docs/format.md section 7.17.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gitchat.model.names import CloneId, is_uid
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

MAX_PLACES = 32
"""How many places are listed; the one that was listed first is forgotten first."""

_MAX_BYTES = 256 * 1024


class Place(NamedTuple):
    """Where a git directory is."""

    path: bytes
    inode: int


class Seen(NamedTuple):
    """What the file says: whose it is, and where that was seen."""

    clone: CloneId
    places: tuple[Place, ...]

    def is_at(self, place: Place) -> bool:
        """Whether this clone is at ``place``: one of a listed path or a listed inode."""
        return any(known.path == place.path or known.inode == place.inode for known in self.places)


class CloneFile:
    """The file of the clone whose git common directory is ``common_dir``; neither file nor ``chatroom/`` need exist.

    Reading never fails: what cannot be read, or is no such file, says nothing.
    """

    def __init__(self, common_dir: Path) -> None:
        self._common_dir = common_dir
        self._directory = common_dir / "chatroom"
        self._file = OwnFile(self._directory, "clone")
        self._path = f"{self._directory}/clone"
        self._known: tuple[tuple[int, int, int], Seen | None] | None = None
        """What was read last, and what the file looked like then: who replaces it makes another one."""

    def place(self) -> Place:
        """Where the clone is now. Raises StorageError ``storage``."""
        try:
            return Place(os.fsencode(self._common_dir), os.stat(self._common_dir).st_ino)
        except OSError as error:
            raise storage_error(error, self._common_dir) from error

    def read(self) -> Seen | None:
        """What the file says; None when it says nothing. The same again while the file is the same."""
        try:
            status = os.lstat(self._path)
            look = (status.st_ino, status.st_size, status.st_mtime_ns)
            if self._known is None or self._known[0] != look:
                self._known = (look, _decoded(self._file.read(_MAX_BYTES)))
            return self._known[1]
        except OSError:
            return None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The right to write the file.

        Raises:
            StorageError: ``read-only``, ``disk-full``, ``storage``.
            ConflictError: ``write-lock-held``.
        """
        with gate.hold(self._directory, name="clone.lock"):
            yield

    def write(self, seen: Seen) -> None:
        """Let the file say this. In our turn. Raises StorageError."""
        lines = [b"%s %s %d\n" % (seen.clone.encode(), path, inode) for path, inode in seen.places[-MAX_PLACES:]]
        try:
            self._file.replace(b"".join(lines))
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def _decoded(data: bytes) -> Seen | None:
    found: list[tuple[str, Place]] = []
    for line in data.splitlines():
        clone, _, rest = line.partition(b" ")
        path, _, inode = rest.rpartition(b" ")
        if is_uid(word := clone.decode("ascii", "replace")) and path and inode.isdigit() and len(inode) < 21:
            found.append((word, Place(path, int(inode))))
    if not found:
        return None
    last = found[-1][0]
    return Seen(CloneId(last), tuple(place for clone, place in found if clone == last))
