"""Where the code stands now that a message is about: the same, moved, changed, or gone. Pure.

By the lines that the message keeps, and by the hunks that git tells of. Source: docs/format.md section 20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gitchat.model.anchor import AROUND, Excerpt
from gitchat.model.hunks import Hunk, Lines

State = Literal["same", "moved", "changed", "gone"]
"""What became of some lines: nothing; they stand elsewhere, they read otherwise, or they are no more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an anchor is now."""

    state: State
    path: str | None = None
    """None where it is gone."""
    lines: Lines | None = None
    """None for a whole file, and where it is gone."""


GONE = Place("gone")


Ask = Callable[[], Sequence[Hunk] | None]
"""Asks git what changed in the file since the commit in which the lines stood; None where it cannot tell."""


def locate(was: Lines, excerpt: Excerpt | None, text: Sequence[bytes], ask: Ask) -> tuple[State, Lines | None]:
    """What became of lines in the file that reads ``text`` now, and where they stand in it.

    The text comes first, since nothing called ``same`` or ``moved`` may read otherwise; git is asked where it does not
    decide.
    """
    if excerpt is not None:
        spots = [was] if _stands(excerpt, was, text) else list(_spots(excerpt.whole, text, len(excerpt.before), was))
        if len(spots) == 1:
            return _found(was, spots[0])
    hunks = ask()
    told, is_untouched = _mapped(was, hunks) if hunks is not None else (None, False)
    if told is not None and told[1] > len(text):
        told = None  # it is not of this text that git tells
    if told is not None and is_untouched and (excerpt is None or _reads(excerpt.lines, told, text)):
        return _found(was, told)
    if excerpt is not None:
        spot = _exact(excerpt, was, text, is_sure=hunks is None)
        if spot is not None:
            return _found(was, spot)
        spot = _partial(excerpt, was, text)
        if spot is not None:
            return "changed", spot
    return ("changed", told) if told is not None else ("gone", None)


def _found(was: Lines, spot: Lines) -> tuple[State, Lines]:
    return ("same" if spot == was else "moved"), spot


def _stands(excerpt: Excerpt, was: Lines, text: Sequence[bytes]) -> bool:
    start = was[0] - len(excerpt.before)
    return _reads(excerpt.whole, (start, start + len(excerpt.whole) - 1), text)


def _reads(wanted: tuple[bytes, ...], spot: Lines, text: Sequence[bytes]) -> bool:
    return tuple(text[spot[0] - 1 : spot[1]]) == wanted


def _spots(wanted: Sequence[bytes], text: Sequence[bytes], lead: int, was: Lines) -> Iterator[Lines]:
    """Where all of ``wanted`` stands: the lines of it that come after the first ``lead``, as many as ``was`` has."""
    first, rest, count = wanted[0], list(wanted[1:]), was[1] - was[0] + 1
    at = -1
    while True:
        try:
            at = text.index(first, at + 1)
        except ValueError:
            return
        if list(text[at + 1 : at + 1 + len(rest)]) == rest:
            yield (at + lead + 1, at + lead + count)


def _exact(excerpt: Excerpt, was: Lines, text: Sequence[bytes], *, is_sure: bool) -> Lines | None:
    """Where the very lines stand; of several the one with the most of its neighbours, then the nearest.

    Where git says that they are changed (not ``is_sure``), or no neighbour is there, lines that say little are none.
    """
    best: tuple[int, int, Lines] | None = None
    for spot in _spots(excerpt.lines, text, 0, was):
        rank = (_neighbours(excerpt, spot, text), -abs(spot[0] - was[0]), spot)
        best = max(best, rank) if best is not None else rank
    if best is None or not (_says_much(excerpt.lines) or (is_sure and best[0])):
        return None
    return best[2]


def _neighbours(excerpt: Excerpt, spot: Lines, text: Sequence[bytes]) -> int:
    """How many lines beside ``spot`` are those that stood there, without a gap."""
    above = reversed(text[max(0, spot[0] - 1 - AROUND) : spot[0] - 1])
    below = text[spot[1] : spot[1] + AROUND]
    return _alike(reversed(excerpt.before), above) + _alike(iter(excerpt.after), iter(below))


def _alike(one: Iterator[bytes], other: Iterator[bytes]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


_MUCH = 12
"""How many letters and digits lines have at least that nobody writes twice by chance."""


def _says_much(lines: Sequence[bytes]) -> bool:
    return sum(byte > 0x7F or chr(byte).isalnum() for line in lines for byte in line[:_MUCH]) >= _MUCH


def _partial(excerpt: Excerpt, was: Lines, text: Sequence[bytes]) -> Lines | None:
    """Where lines stand that read otherwise now: where at least half of the excerpt does."""
    from difflib import SequenceMatcher  # for lines that were changed

    whole, lead, count = excerpt.whole, len(excerpt.before), len(excerpt.lines)
    start = _best_start(whole, text, was[0] - 1 - lead)
    if start is None:
        return None
    low = max(0, start - len(whole))
    window = text[low : start + 2 * len(whole)]
    pairs = {
        block.b + step: low + block.a + step
        for block in SequenceMatcher(None, window, whole, autojunk=False).get_matching_blocks()
        for step in range(block.size)
    }
    if 2 * sum(bool(whole[at].strip()) for at in pairs) < sum(bool(line.strip()) for line in whole):
        return None
    inside = [pairs[at] for at in range(lead, lead + count) if at in pairs]
    above, below = pairs.get(lead - 1), pairs.get(lead + count)
    first = above + 1 if above is not None else min(inside, default=None)
    last = below - 1 if below is not None else max(inside, default=None)
    if first is None or last is None or first > last or last - first >= 3 * count + AROUND:
        return (min(inside) + 1, max(inside) + 1) if inside else None
    return (first + 1, last + 1)


def _best_start(whole: Sequence[bytes], text: Sequence[bytes], was: int) -> int | None:
    """Where most lines of ``whole`` stand as far from each other as they did; of equals the nearest."""
    places: dict[bytes, list[int]] = {}
    for at, line in enumerate(whole):
        if line.strip():
            places.setdefault(line, []).append(at)
    votes: dict[int, int] = {}
    for at, line in enumerate(text):
        for place in places.get(line, ()):
            votes[at - place] = votes.get(at - place, 0) + 1
    return max(votes, key=lambda start: (votes[start], -abs(start - was)), default=None)


def _mapped(was: Lines, hunks: Sequence[Hunk]) -> tuple[Lines | None, bool]:
    """Where lines are behind the ``hunks`` of a file, None for nowhere; and whether none of these touches them."""
    first, last = was
    shift, start, end = 0, 0, 0
    for hunk in hunks:
        new = hunk.start + shift + 1
        shift += hunk.added - hunk.count
        if hunk.start + hunk.count < first:
            continue
        if hunk.start >= last:
            shift -= hunk.added - hunk.count
            break
        is_first_in, is_last_in = hunk.start < first, hunk.start < last <= hunk.start + hunk.count
        if is_first_in and is_last_in and hunk.added == hunk.count:
            new += first - 1 - hunk.start  # line by line
            return (new, new + last - first), False
        if is_first_in and is_last_in and hunk.added > 3 * (last - first + 1) + AROUND:
            return None, False  # so much was written there that nobody can say which of it
        start = start or (new if is_first_in else first + shift - hunk.added + hunk.count)
        end = new + hunk.added - 1 if is_last_in else last + shift
    if not start:
        return (first + shift, last + shift), True
    return ((start, end) if start <= end else None), False
