"""Threads drawn beside a listing, as ``git log --graph`` draws branches.

A thread begins with a record that answers nothing in the listing, and stays a line until its
last answer. Records come oldest first, so that lines part where something has several
answers, and none ever join. What begins a thread is a ``*``, an answer an ``o``: two records
below each other belong together only if the second is an answer. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitchat.model.record import Entry


@dataclass(frozen=True, slots=True)
class Lines:
    """What stands left of one record, and between it and the next."""

    before: str
    """Beside what stands above the record."""
    first: str
    """Beside its first line."""
    rest: str
    """Beside its other lines."""
    after: list[str]
    """Lines of their own below it, where lines part or move."""


def draw(entries: Sequence[Entry]) -> Iterator[Lines]:
    """The lines of each of ``entries``, which are oldest first.

    A reply whose target is not among them, or does not stand before it, begins a thread.
    """
    parents = _parents(entries)
    answers: list[list[int]] = [[] for _ in entries]
    for place, parent in enumerate(parents):
        if parent is not None:
            answers[parent].append(place)
    lanes: list[int] = []
    for place in range(len(entries)):
        before = "| " * len(lanes)
        if parents[place] is None:
            lanes.append(place)
        lane = lanes.index(place)
        yield _around(lanes, lane, before, "*" if parents[place] is None else "o", answers[place])
        lanes[lane : lane + 1] = answers[place]


def _parents(entries: Sequence[Entry]) -> list[int | None]:
    """For each entry the place of the one it answers, among those before it."""
    places: dict[str, int] = {}
    parents: list[int | None] = []
    for place, entry in enumerate(entries):
        parents.append(places.get(entry.record.reply_to) if entry.record.reply_to else None)
        places.setdefault(entry.record.uid, place)
    return parents


def _around(lanes: Sequence[int], lane: int, before: str, mark: str, answers: Sequence[int]) -> Lines:
    """The lines of the record in ``lane``; each lane waits for the record at a place."""
    left, right = "| " * lane, "| " * (len(lanes) - lane - 1)
    after: list[str] = []
    if not answers and right:
        after.append(left + " " + "/ " * (len(lanes) - lane - 1))
    for more in range(1, len(answers)):
        # Each turn opens a lane to the right of this one, and moves those that stand there.
        after.append(left + "|" + "\\ " * (more + len(lanes) - lane - 1))
    return Lines(before, f"{left}{mark} {right}", left + ("| " if answers else "  ") + right, after)
