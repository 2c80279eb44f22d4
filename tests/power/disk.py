"""What a disk holds after a power cut: all that was flushed before, and of what was not any part.

The writes come from a log in the format of Linux's dm-log-writes, which qemu's blklogwrites makes. Source: Linux,
Documentation/admin-guide/device-mapper/log-writes.rst.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
_ENTRY = struct.Struct("<QQQQ")


class Write(NamedTuple):
    """What was written to the disk at once."""

    end: int
    """Where it ends in the log, in bytes."""
    sector: int
    sectors: int
    flags: int
    at: int
    """Where its data stands in the log."""


class Log:
    """The writes to a disk, in the order in which they were done."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        magic, version = struct.unpack_from("<QQ", self._data)
        if (magic, version) != (MAGIC, 1):
            raise SystemExit(f"error: {path} is no log of writes")
        self.writes = list(self._parse())

    def _parse(self) -> Iterator[Write]:
        at = SECTOR
        while at + SECTOR <= len(self._data):
            sector, sectors, flags, _ = _ENTRY.unpack_from(self._data, at)
            if not sectors and not flags:
                return
            data = at + SECTOR
            end = data + (0 if flags & DISCARD else sectors * SECTOR)
            if end > len(self._data):
                return
            yield Write(end, sector, sectors, flags, data)
            at = end

    def cut(self, disk: Path, count: int, chance: random.Random) -> int:
        """Let ``disk``, which is as it was before the first write, be as after a power cut behind ``count`` of them.

        Of what no flush followed each write is there, or half of it, or not. Returns how many were lost.
        """
        flushed = max((place for place in range(count) if self.writes[place].flags & FLUSH), default=0)
        keeps, lost = chance.choice([0.0, 0.5, 0.9]), 0
        with disk.open("r+b") as stream:
            for place, write in enumerate(self.writes[:count]):
                kept = write.sectors
                if place > flushed and not write.flags & FUA and chance.random() >= keeps:
                    kept = chance.choice([0, 0, chance.randrange(write.sectors + 1)])
                    lost += kept < write.sectors
                stream.seek(write.sector * SECTOR)
                if write.flags & DISCARD:
                    stream.write(bytes(kept * SECTOR))
                else:
                    stream.write(self._data[write.at : write.at + kept * SECTOR])
        return lost
