"""Many clones that push to one remote, in a time of their own: how often, how much of it in vain, and how soon.

The pace is the real one; the remote is a counter that takes a push only from who has seen what it has.
Proves docs/format.md section 13.2, and gives the figures of docs/decisions/0019-a-crowd-at-a-remote.md.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest

from gitchat.clones.settling import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS
from gitchat.staying.pace import INTERVALS, Kind, Pace, Waiting

FETCH_SECONDS, PUSH_SECONDS = 0.08, 0.12
"""As with a hub on the same disk."""

SECONDS = 400.0


@dataclass
class Clone:
    """One of those that push."""

    pace: Pace
    waiting: list[float] = field(default_factory=list)
    """When what is pending was said."""
    has_read: bool = False
    known: int = 0
    turn: int = 0
    is_busy: bool = False


@dataclass
class Room:
    """A remote, and clones at which somebody says something by chance."""

    kind: Kind
    clones: int
    records_a_second: float
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.version = self.records = self.pushes = self.late = self.fetches = 0
        self.delays: list[float] = []
        self._due: list[tuple[float, int, Callable[[float], object]]] = []
        self._number = count()
        self._all = [Clone(self._pace()) for _ in range(self.clones)]

    def _pace(self) -> Pace:
        return Pace(INTERVALS[self.kind], lambda: 1.0 + self.chance.random() / 2)

    def run(self) -> Room:
        """Let so much time pass, and what is pending then go out."""
        for clone in self._all:
            clone.pace.share(self.clones)
            self._plan(clone, 0.0)
        self._at(0.0, self._say)
        while self._due:
            now, _, act = heapq.heappop(self._due)
            act(now)
            if now > SECONDS and not any(clone.waiting for clone in self._all):
                break
        self.delays.sort()
        return self

    def _at(self, when: float, act: Callable[[float], object]) -> None:
        heapq.heappush(self._due, (when, next(self._number), act))

    def _say(self, now: float) -> None:
        if now > SECONDS:
            return
        clone = self.chance.choice(self._all)
        clone.waiting.append(now)
        clone.has_read = True
        self.records += 1
        clone.pace.stirred(now)
        self._plan(clone, now)
        self._at(now + self.chance.expovariate(self.records_a_second), self._say)

    def _waits(self, clone: Clone) -> Waiting:
        return Waiting(has_news=bool(clone.waiting), has_cursors=clone.has_read)

    def _plan(self, clone: Clone, now: float) -> None:
        if not clone.is_busy:
            clone.turn += 1
            self._at(max(now, clone.pace.due(self._waits(clone))), partial(self._begin, clone, clone.turn))

    def _begin(self, clone: Clone, turn: int, now: float) -> None:
        if turn == clone.turn and not clone.is_busy:
            clone.is_busy = True
            self._round(clone, clone.pace.take(now, self._waits(clone)), 0, 0.0, now)

    def _round(self, clone: Clone, left: int, pushes: int, pause: float, now: float) -> None:
        self.fetches += 1
        self._at(now + FETCH_SECONDS, partial(self._fetched, clone, left, pushes, pause))

    def _fetched(self, clone: Clone, left: int, pushes: int, pause: float, now: float) -> None:
        is_news, clone.known = self.version > clone.known, self.version
        clone.has_read = clone.has_read or is_news
        if not left or self._waits(clone) == Waiting():
            clone.pace.done(now, is_news=is_news)
            self._end(clone, now)
            return
        self.pushes += 1
        carried = len(clone.waiting)
        self._at(now + PUSH_SECONDS, partial(self._pushed, clone, left, pushes + 1, pause, carried))

    def _pushed(self, clone: Clone, left: int, pushes: int, pause: float, carried: int, now: float) -> None:
        if carried and self.version != clone.known:
            self.late += 1
            if left > 1:  # as clones/settling does
                longer = pause * 2 or max(SHORTEST_PAUSE_SECONDS, FETCH_SECONDS + PUSH_SECONDS)
                pause = min(longer, LONGEST_PAUSE_SECONDS)
                again = partial(self._round, clone, left - 1, pushes, pause)
                self._at(now + pause * self.chance.random(), again)
                return
            clone.pace.late(now, is_news=True, pushes=pushes)
            self._end(clone, now)
            return
        self.version += carried
        clone.known = self.version
        self.delays += [now - said for said in clone.waiting[:carried]]
        del clone.waiting[:carried]
        clone.has_read = False
        clone.pace.done(now, is_news=False, pushes=pushes)
        self._end(clone, now)

    def _end(self, clone: Clone, now: float) -> None:
        clone.is_busy = False
        self._plan(clone, now)

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """Pushes a record, the part of them that came too late, the median delay, and the longest but for 5 %."""
        middle, end = (self.delays[int(len(self.delays) * part)] for part in (0.5, 0.95))
        return self.pushes / self.records, self.late / self.pushes, middle, end


@pytest.mark.parametrize(
    ("kind", "clones", "records_a_second", "most_pushes", "most_late"),
    [
        ("near", 2, 0.5, 1.0, 0.1),
        ("near", 8, 1.6, 0.95, 0.16),
        ("near", 32, 3.2, 1.15, 0.3),
        ("forge", 8, 1.6, 0.6, 0.1),
        ("forge", 32, 0.8, 1.2, 0.1),
        ("forge", 32, 3.2, 0.7, 0.2),
    ],
)
def test_many_who_talk_at_once_share_a_remote(
    kind: Kind, clones: int, records_a_second: float, most_pushes: float, most_late: float
) -> None:
    """However many they are: few pushes a record, few in vain, and all is said in the end."""
    room = Room(kind, clones, records_a_second).run()
    pushes, late, _, longest = room.figures
    assert len(room.delays) == room.records
    assert pushes <= most_pushes
    assert late <= most_late
    assert longest < 120


@pytest.mark.parametrize("kind", ["near", "forge"])
def test_what_is_said_after_a_pause_goes_out_at_once(kind: Kind) -> None:
    """Also where others had been in the way, and whoever reads there."""
    assert Room(kind, 32, 0.2).run().figures[2] < 1.0


if __name__ == "__main__":
    for where in ("near", "forge"):
        for many, rate in ((2, 0.5), (8, 0.8), (8, 1.6), (32, 0.8), (32, 3.2)):
            told = Room(where, many, rate).run()
            print(
                where, many, rate, *(f"{figure:.2f}" for figure in told.figures), f"{told.fetches / told.records:.1f}"
            )
