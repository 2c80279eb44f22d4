"""What was fetched lately and may lie loose: its ids, until it is packed with what this clone wrote.

git unpacks what a fetch brings when that is little, and a clone that keeps in step fetches little, often: each record
becomes a file. To keep each fetch as a pack would be worse, as git counts packs, too. A file that is lost costs nothing
but that its objects stay loose, until the user's own gc. Source: docs/format.md section 7.29.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from gitchat.model.names import Oid
from gitchat.storage.ownfiles import OwnFile

_LINE_BYTES = 41
_MAX_BYTES = 16 * 1024 * 1024
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Came:
    """The file ``came`` in ``directory``, which is ``chatroom/``. For who holds ``sync.lock``; all raise OSError."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, "came")

    def add(self, oids: Iterable[Oid]) -> None:
        """Note these, a line each. A line that a kill cut off is passed over."""
        lines = "".join(f"{oid}\n" for oid in oids).encode()
        if not lines or self.count() * _LINE_BYTES + len(lines) > _MAX_BYTES:
            return
        descriptor = self._file.open(os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, lines)
        finally:
            os.close(descriptor)

    def oids(self) -> list[Oid]:
        """All that are noted; none where there is no file."""
        try:
            data = self._file.read()
        except FileNotFoundError:
            return []
        return [Oid(line.decode()) for line in data.split(b"\n") if _OID.fullmatch(line)]

    def count(self) -> int:
        """About how many there are; 0 where that cannot be told."""
        try:
            return os.lstat(self._file.path).st_size // _LINE_BYTES
        except OSError:
            return 0

    def clear(self) -> None:
        """All of it is packed, or is not loose."""
        self._file.replace(b"")
