"""Reachability by date against plain sets. Proves docs/format.md section 10."""

from __future__ import annotations

import random

import pytest

from gitchat.model.names import Oid
from gitchat.model.reach import Step, difference, frontier, is_ancestor

Graph = dict[Oid, Step]


def a_graph(chance: random.Random, *, is_monotone: bool = True) -> Graph:
    """Up to 40 commits; many share a second, some were written by a clock that is behind."""
    graph: Graph = {}
    for place in range(chance.randint(1, 40)):
        oids = list(graph)
        parents = tuple(chance.sample(oids[-8:], min(len(oids[-8:]), chance.choice([0, 1, 1, 1, 1, 2, 3]))))
        clock = place // 3 - (chance.randint(0, 8) if chance.random() < 0.3 else 0)
        seconds = max([clock, *(graph[parent].seconds for parent in parents)]) if is_monotone else clock
        graph[Oid(f"{place:02}")] = Step(parents, seconds)
    return graph


def closure(graph: Graph, tips: list[Oid]) -> set[Oid]:
    """All that ``tips`` reach, the slow way."""
    known: set[Oid] = set()
    pending = list(tips)
    while pending:
        oid = pending.pop()
        if oid not in known:
            known.add(oid)
            pending += graph[oid].parents
    return known


def some(chance: random.Random, graph: Graph) -> list[Oid]:
    return chance.sample(list(graph), chance.randint(0, min(3, len(graph))))


@pytest.mark.parametrize("seed", range(300))
def test_difference_is_that_of_the_closures(seed: int) -> None:
    """Dates that never decrease, many of them equal: exactly what one side reaches and the other does not."""
    chance = random.Random(seed)
    graph = a_graph(chance)
    include, exclude = some(chance, graph), some(chance, graph)
    found = difference(include, exclude, graph.__getitem__)
    assert set(found) == closure(graph, include) - closure(graph, exclude)
    assert all(found[oid] == graph[oid] for oid in found)


@pytest.mark.parametrize("seed", range(300))
def test_dates_that_lie_miss_nothing(seed: int) -> None:
    """Dates in any order: never less than the difference, and never more than what is included."""
    chance = random.Random(seed)
    graph = a_graph(chance, is_monotone=False)
    include, exclude = some(chance, graph), some(chance, graph)
    found = set(difference(include, exclude, graph.__getitem__))
    assert closure(graph, include) - closure(graph, exclude) <= found <= closure(graph, include)


def test_only_the_difference_and_its_border_are_read() -> None:
    """In a log of 10,000 commits, 20 unread ones cost 20 reads and the border."""
    graph = {Oid(f"{place:05}"): Step((Oid(f"{place - 1:05}"),) if place else (), place) for place in range(10_000)}
    reads: list[Oid] = []

    def step_of(oid: Oid) -> Step:
        reads.append(oid)
        return graph[oid]

    assert len(difference([Oid("09999")], [Oid("09979")], step_of)) == 20
    assert len(reads) == 21


@pytest.mark.parametrize("seed", range(50))
def test_ancestors_are_those_of_the_closure(seed: int) -> None:
    """A commit reaches its ancestors and itself, and nothing else."""
    graph = a_graph(random.Random(seed))
    for oid in graph:
        reached = closure(graph, [oid])
        assert all(is_ancestor(other, oid, graph.__getitem__) == (other in reached) for other in graph)


@pytest.mark.parametrize("seed", range(50))
def test_frontier_reaches_all_of_a_set_that_holds_its_ancestors(seed: int) -> None:
    """What the frontier reaches is the set, and no member of the frontier reaches another."""
    chance = random.Random(seed)
    graph = a_graph(chance)
    covered = closure(graph, some(chance, graph))
    heads = frontier(sorted(covered), lambda oid: graph[oid].parents)
    assert closure(graph, heads) == covered
    assert all(one not in closure(graph, [other]) for one in heads for other in heads if one != other)
