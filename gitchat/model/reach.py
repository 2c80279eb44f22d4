"""Reachability: which commits one set of commits reaches and another does not.

Walks from the newest commit down by committer date, which along a log hardly ever decreases
(docs/format.md section 3.5), so only the difference and its border are read, however
long the log is. Where a commit is dated before its parent (foreign software, or a parent
from a clock far ahead), the difference may come out too large, never too small: something
read is shown once more, nothing is missed.

Pure. Source: docs/format.md section 10; Documentation/technical/commit-graph.txt of git
on why dates are a usable bound.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from gitchat.model.names import Oid


class Step(NamedTuple):
    """What a walk needs to know of a commit."""

    parents: tuple[Oid, ...]
    seconds: int
    """The committer date."""


def difference(include: Iterable[Oid], exclude: Iterable[Oid], step_of: Callable[[Oid], Step]) -> dict[Oid, Step]:
    """The commits that ``include`` reaches and ``exclude`` does not; each set reaches its members."""
    walk = _Walk(step_of)
    for oid in exclude:
        walk.meet(oid, is_excluded=True)
    for oid in include:
        walk.meet(oid, is_excluded=False)
    return walk.run()


def is_ancestor(ancestor: Oid, descendant: Oid, step_of: Callable[[Oid], Step]) -> bool:
    """Whether ``descendant`` reaches ``ancestor``; a commit reaches itself."""
    return not difference([ancestor], [descendant], step_of)


def found_below(sought: Collection[Oid], tips: Iterable[Oid], step_of: Callable[[Oid], Step]) -> set[Oid]:
    """Those of ``sought`` that ``tips`` reach, whatever the dates say: for who would lose what is not found.

    Walks from the newest down until all are found, and all the way where one is not.
    """
    left, met = set(sought), set(tips)
    queue = [(-step_of(oid).seconds, oid) for oid in met]
    heapq.heapify(queue)
    while queue and left:
        _, oid = heapq.heappop(queue)
        left.discard(oid)
        for parent in step_of(oid).parents:
            if parent not in met:
                met.add(parent)
                heapq.heappush(queue, (-step_of(parent).seconds, parent))
    return set(sought) - left


def frontier(covered: Collection[Oid], parents_of: Callable[[Oid], tuple[Oid, ...]]) -> list[Oid]:
    """The commits of ``covered`` that no other one of them has as a parent, in the order given."""
    inner = {parent for oid in covered for parent in parents_of(oid)}
    return [oid for oid in covered if oid not in inner]


class _Walk:
    """Commits that were met, by date; excluded ones pass that on to their parents."""

    def __init__(self, step_of: Callable[[Oid], Step]) -> None:
        self._step_of = step_of
        self._steps: dict[Oid, Step] = {}
        self._is_excluded: dict[Oid, bool] = {}
        self._queue: list[tuple[int, Oid]] = []
        self._waiting: set[Oid] = set()
        """Commits in the queue that are not excluded, as far as is known."""

    def meet(self, oid: Oid, *, is_excluded: bool) -> None:
        """Put a commit into the queue, if that tells something new."""
        known = self._is_excluded.get(oid)
        if known is not None and (known or not is_excluded):
            return
        if oid not in self._steps:
            self._steps[oid] = self._step_of(oid)
        self._is_excluded[oid] = is_excluded
        if is_excluded:
            self._waiting.discard(oid)
        else:
            self._waiting.add(oid)
        # Also one that was passed already: its parents have to hear that they are excluded.
        heapq.heappush(self._queue, (-self._steps[oid].seconds, oid))

    def run(self) -> dict[Oid, Step]:
        found: dict[Oid, Step] = {}
        oldest = None
        # An excluded commit as old as the oldest one found may still reach it: they can
        # have been written within one second.
        while self._queue and (self._waiting or (oldest is not None and -self._queue[0][0] >= oldest)):
            _, oid = heapq.heappop(self._queue)
            self._waiting.discard(oid)
            step, is_excluded = self._steps[oid], self._is_excluded[oid]
            if not is_excluded:
                found[oid] = step
                oldest = step.seconds if oldest is None else min(oldest, step.seconds)
            for parent in step.parents:
                self.meet(parent, is_excluded=is_excluded)
        return {oid: step for oid, step in found.items() if not self._is_excluded[oid]}
