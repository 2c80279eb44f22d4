"""Where two changes of one file meet, in the lines of each side. Pure. Source: diff -U0, in git's unified format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEAD = re.compile(rb"@@ -([0-9]+)(?:,([0-9]+))? \+([0-9]+)(?:,([0-9]+))? @@")

MOST_RANGES = 3
"""How many ranges of lines are told of one file."""

Lines = tuple[int, int]
"""The first and the last of some lines, counted from 1."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change: what it replaces in the file that both sides come from, and where it stands now."""

    start: int
    """After how many lines of the old file it begins."""
    count: int
    """How many lines of the old file it replaces; 0 where it only adds."""
    lines: Lines
    """Where it stands now; of lines that are gone the one before them, or the first."""
    added: int = 0
    """How many lines stand there now."""

    def meets(self, other: Hunk) -> bool:
        """Whether the two replace a line in common, or lines next to each other, which git does not merge."""
        return self.start <= other.start + other.count and other.start <= self.start + self.count


def parse_hunks(diff: bytes) -> list[Hunk]:
    """The hunks of the diff of one file without context. A diff of no text has none."""
    found = []
    for match in _HEAD.finditer(diff):
        old, new = int(match[1]), int(match[3])
        removed, added = (1 if text is None else int(text) for text in (match[2], match[4]))
        first = max(new, 1)
        found.append(Hunk(old if removed == 0 else old - 1, removed, (first, first + max(added, 1) - 1), added))
    return found


def meeting(ours: Sequence[Hunk], theirs: Sequence[Hunk]) -> tuple[list[Lines], list[Lines]]:
    """The lines of each side that meet a change of the other, joined where they touch, in their order."""
    ours_met = (hunk for hunk in ours if any(hunk.meets(other) for other in theirs))
    theirs_met = (hunk for hunk in theirs if any(hunk.meets(other) for other in ours))
    return _joined(ours_met), _joined(theirs_met)


def _joined(hunks: Iterable[Hunk]) -> list[Lines]:
    found: list[Lines] = []
    for first, last in sorted(hunk.lines for hunk in hunks):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def spelled(lines: Sequence[Lines]) -> str:
    """``lines`` for a person: ``lines 40-58, 70``, and how many more there are."""
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in lines[:MOST_RANGES])
    noun = "line" if len(lines) == 1 and lines[0][0] == lines[0][1] else "lines"
    more = f" and {len(lines) - MOST_RANGES} more" if len(lines) > MOST_RANGES else ""
    return f"{noun} {shown}{more}"
