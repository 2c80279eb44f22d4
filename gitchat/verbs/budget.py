"""What of a long answer fits into so many characters, so that a reader's context is not flooded.

How a thing is written is the caller's business: a text for people and JSON for programs
take different room. So each thing comes as an :class:`Item`, which tells how many characters
it takes with so much of its text, and what comes back is how much of its text each may
show. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

LEAST_CHARS = 80
"""With less of its text than this a record that is cut is not worth its heading."""


@dataclass(frozen=True, slots=True)
class Item:
    """A record, a summary, a name: something that is written whole, cut, or not at all."""

    key: str
    """The same for the same thing in two lists."""
    text_chars: int
    """How long its text is."""
    size: Callable[[int], int]
    """How many characters it takes with so many of its text, with the note of what is missing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many characters of its text each item shows; who is missing in it is not shown."""

    summary: int | None
    since: dict[str, int]
    """The oldest of the records since the summary."""
    recent: dict[str, int]
    """The newest records, without those in ``since``."""


def plan(
    summary: Item | None, since: Sequence[Item], recent: Sequence[Item], limit: int, *, note: int, since_left: int = 0
) -> Plan:
    """How a handoff fits ``limit`` characters: the summary before all, then what is since, then what is newest.

    ``since`` and ``recent`` are oldest first, and may overlap; ``since_left`` more stand behind ``since``.
    ``note`` is what it takes at most to say that some of a list are left out. Where not all
    of ``since`` fits, the newest get a third of the room, so that the end of the story is never missing.
    """
    summary_chars = longest(summary, limit - 2 * note) if summary is not None else None
    left = limit - (summary.size(summary_chars) if summary is not None and summary_chars is not None else 0)
    shown = fit(since, left, note=note)
    if len(shown) < len(since) or since_left:
        newest = fit(recent[::-1], left // 3, note=note)
        left -= _total(recent, newest)
        shown = fit([item for item in since if item.key not in newest], left - note, note=0)
    else:
        others = [item for item in recent if item.key not in shown]
        newest = fit(others[::-1], left - _total(since, shown), note=note)
    return Plan(summary_chars, shown, {item.key: newest[item.key] for item in recent if item.key in newest})


def fit(items: Sequence[Item], limit: int, *, note: int) -> dict[str, int]:
    """How much of its text each of the first items shows, so that all that is shown takes at most ``limit``.

    When not everything fits, none shows more than a quarter of ``limit``, ``note`` characters stay
    free, and from the first that does not fit on nothing is shown.
    """
    if sum(item.text_chars for item in items) <= limit:
        whole = {item.key: item.text_chars for item in items}
        if _total(items, whole) <= limit:
            return whole
    left, shown = limit - note, dict[str, int]()
    for item in items:
        share = replace(item, text_chars=min(item.text_chars, limit // 4))
        chars = longest(share, left)
        if chars is None or chars < min(share.text_chars, LEAST_CHARS):
            break
        shown[item.key] = chars
        left -= item.size(chars)
    return shown


def longest(item: Item, limit: int) -> int | None:
    """How much of its text an item can show in ``limit`` characters; None when it does not fit at all."""
    if item.text_chars <= limit and item.size(item.text_chars) <= limit:
        return item.text_chars
    if item.size(0) > limit:
        return None
    fits, too_much = 0, min(item.text_chars, limit + 1)
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if item.size(middle) <= limit:
            fits = middle
        else:
            too_much = middle
    return fits


def _total(items: Sequence[Item], shown: dict[str, int]) -> int:
    return sum(item.size(shown[item.key]) for item in items if item.key in shown)
