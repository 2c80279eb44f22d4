"""Code that messages are about, for a terminal: a place on one line, and how its lines read. All is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gitchat.cli.terminal import escape_line
from gitchat.model.record import Record
from gitchat.verbs import at_json

if TYPE_CHECKING:  # brings git
    from gitchat.verbs.anchoring import At

MOST_SHOWN = 3
"""Of how many places a heading tells."""


def noted(record: Record, found: Sequence[At] | None) -> str:
    """``at src/lexer.py:44-50 (was 40-46)``: what a record is about, and where that is now, if it was ``found``."""
    shown = at_json.of_places(found) if found is not None else at_json.of_record(record)
    words = [escape_line(at_json.words(one)) for one in shown[:MOST_SHOWN]]
    more = [f"{len(shown) - MOST_SHOWN} more places"] if len(shown) > MOST_SHOWN else []
    return f"at {' and '.join([*words, *more])}" if words else ""


def shown(found: Sequence[At]) -> Iterator[str]:
    """The lines that ``git chat show`` has of it: each place, and below it how it read."""
    for at, one in zip(found, at_json.of_places(found), strict=True):
        yield f"{'At:':<9} {escape_line(at_json.words(one))}"
        yield from (f"{'':<10}{line}" for line in excerpt(at))


def excerpt(at: At) -> Iterator[str]:
    """The lines as they were, each with its number; what was said is about those that are marked."""
    lines = at.anchor.lines
    if at.excerpt is None or lines is None:
        return
    first = lines[0] - len(at.excerpt.before)
    width = len(str(first + len(at.excerpt.whole) - 1))
    for number, line in enumerate(at.excerpt.whole, first):
        mark = ">" if lines[0] <= number <= lines[1] else " "
        yield f"{mark} {number:>{width}}  {escape_line(line.decode('utf-8', 'replace').expandtabs(4))}".rstrip()
