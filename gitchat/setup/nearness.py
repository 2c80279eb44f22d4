"""Where two texts differ: of those with megabytes only that part is compared line by line."""

from __future__ import annotations

CONTEXT_LINES = 3
"""As many as difflib shows around a change."""

_STEP_BYTES = 1 << 16


def around_the_change(before: bytes, after: bytes) -> tuple[int, bytes, bytes]:
    """Both texts without the lines in which they begin and end alike, but for a few next to what differs.

    First the number of lines that are left out in front.
    """
    shorter = min(len(before), len(after))
    start = _alike(before, after, shorter)
    end = _alike(before[::-1], after[::-1], shorter - start)
    for _ in range(CONTEXT_LINES + 1):
        start = max(0, before.rfind(b"\n", 0, start))
    start += start > 0
    rest = before[len(before) - end :] if end else b""
    kept = 0
    for _ in range(CONTEXT_LINES + 1):
        kept = rest.find(b"\n", kept) + 1 or len(rest)
    end -= kept
    return before.count(b"\n", 0, start), before[start : len(before) - end], after[start : len(after) - end]


def _alike(one: bytes, other: bytes, limit: int) -> int:
    """In how many bytes both begin alike, ``limit`` at most."""
    place = 0
    while place < limit and one[place : place + _STEP_BYTES] == other[place : place + _STEP_BYTES]:
        place += _STEP_BYTES
    while place < limit and one[place] == other[place]:
        place += 1
    return min(place, limit)
