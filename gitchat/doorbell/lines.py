"""What a hub that rings by itself says, line by line: who it is, which commit a ref moved to, that it is there. Pure.

Source: docs/format.md section 15.
"""

from __future__ import annotations

from gitchat.doorbell.knock import is_oid
from gitchat.model.names import Oid

GREETING = "gitchat-doorbell 1"
"""The first line; what was said before it is a shell's."""

HERE = "here"
"""Said when nothing moved for a while, so that a line which is cut is noticed."""

HERE_SECONDS = 30.0
SILENCE_SECONDS = 100.0
"""How long a line may be silent until it is taken for cut."""

MAX_LINE_BYTES = 512

MOST_AT_ONCE = 200
"""How many refs that moved are told together; who hears of one looks at all."""

_MOVED = "moved "


def moved(oid: Oid) -> str:
    """The line that tells of a ref's new commit."""
    return f"{_MOVED}{oid}"


def tip_of(line: str) -> Oid | None:
    """The commit that a line tells of; None for any other line."""
    tip = line.removeprefix(_MOVED)
    return Oid(tip) if tip != line and is_oid(tip) else None


class Lines:
    """Bytes as they come, as lines. What is too long to be one is dropped to its end."""

    def __init__(self) -> None:
        self._left = b""

    def add(self, part: bytes) -> list[str]:
        """The lines that are whole now, without their ends."""
        *whole, self._left = (self._left + part).split(b"\n")
        self._left = self._left[:MAX_LINE_BYTES]
        return [line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r") for line in whole]
