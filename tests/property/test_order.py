"""The order rule against a slow, obvious version of itself. Proves docs/format.md section 5."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from gitchat.model import order
from gitchat.model.names import Oid, Uid
from gitchat.model.order import Node

Graph = dict[Oid, Node]


def oid(number: int) -> Oid:
    """The id of the n-th commit of a graph."""
    return Oid(f"{number:040x}")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of up to 24 commits: roots, chains, merges, octopus merges, repeated records."""
    graph: Graph = {}
    for number in range(draw(st.integers(1, 24))):
        known = sorted(graph)
        count = draw(st.integers(0, min(4, len(known)))) if draw(st.booleans()) else min(1, len(known))
        parents = tuple(draw(st.permutations(known))[:count])
        takes_number = count == 1 and draw(st.integers(0, 9)) > 0
        uid = draw(st.integers(0, number)) if draw(st.integers(0, 9)) == 0 else number
        graph[oid(number)] = Node(parents, (Uid(f"{uid:016}"), "alice") if takes_number else None)
    return graph


def closure(tip: Oid, graph: Graph) -> set[Oid]:
    """All that ``tip`` reaches, itself among them."""
    return {tip}.union(*(closure(parent, graph) for parent in graph[tip].parents))


def slow(tip: Oid, graph: Graph) -> list[Oid]:
    """L as the definition writes it, before the uid rule."""
    parents = graph[tip].parents
    if not parents:
        return []
    ordered = slow(parents[0], graph)
    covered = closure(parents[0], graph)
    for parent in parents[1:]:
        ordered = ordered + [commit for commit in slow(parent, graph) if commit not in covered]
        covered |= closure(parent, graph)
    return [*ordered, tip] if graph[tip].key else ordered


def slow_numbered(tip: Oid, graph: Graph) -> list[Oid]:
    """L with the uid rule: a record is dropped when its key occurred earlier."""
    ordered = slow(tip, graph)
    keys = [graph[commit].key for commit in ordered]
    return [commit for place, commit in enumerate(ordered) if keys[place] not in keys[:place]]


@given(graphs())
@settings(max_examples=300, deadline=None)
def test_order_is_what_the_definition_says(graph: Graph) -> None:
    """The iterative rule gives the same list as the definition, for every tip."""
    for tip in graph:
        assert order.linearize(tip, graph.__getitem__) == slow(tip, graph)
        assert order.numbered(tip, graph.__getitem__) == slow_numbered(tip, graph)


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_a_record_never_precedes_its_ancestors(graph: Graph) -> None:
    """L is a linear extension of the graph, and holds every numbered ancestor once."""
    for tip in graph:
        ordered = order.linearize(tip, graph.__getitem__)
        place = {commit: index for index, commit in enumerate(ordered)}
        assert set(place) == {commit for commit in closure(tip, graph) if graph[commit].key}
        for commit in ordered:
            assert all(place[other] <= place[commit] for other in closure(commit, graph) if other in place)


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_numbers_never_change_while_the_old_tip_is_a_first_parent(graph: Graph) -> None:
    """L of a commit on the first-parent chain is a prefix of L of the tip."""
    for tip in graph:
        new = order.numbered(tip, graph.__getitem__)
        old: Oid | None = tip
        while old is not None:
            known = order.numbered(old, graph.__getitem__)
            assert new[: len(known)] == known
            old = graph[old].parents[0] if graph[old].parents else None


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_unread_is_the_rest_of_the_order(graph: Graph, data: st.DataObject) -> None:
    """L without a closure is L(tip) restricted to what that closure lacks."""
    tip, read = data.draw(st.sampled_from(sorted(graph))), data.draw(st.sampled_from(sorted(graph)))
    seen = closure(read, graph)
    unread = order.linearize(tip, graph.__getitem__, seen=seen)
    assert unread == [commit for commit in slow(tip, graph) if commit not in seen]


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_view_shows_accepted_records_first_and_each_record_once(graph: Graph, data: st.DataObject) -> None:
    """A reader sees what the authority numbered, then what is pending, and nothing twice."""
    authority, local = data.draw(st.sampled_from(sorted(graph))), data.draw(st.sampled_from(sorted(graph)))
    accepted, pending = order.view(authority, local, graph.__getitem__)
    assert accepted == slow_numbered(authority, graph)
    keys = [graph[commit].key for commit in accepted + pending]
    assert len(keys) == len(set(keys))
    assert {graph[commit].key for commit in slow(local, graph)} <= set(keys)


@dataclass
class Counter:
    """A graph that counts what is read of it."""

    graph: Graph
    reads: int = 0

    def __call__(self, commit: Oid) -> Node:
        self.reads += 1
        return self.graph[commit]


def test_a_long_log_needs_no_stack_and_one_read_a_commit() -> None:
    """100,000 records are put in order without recursion, reading each commit once."""
    size = 100_000
    graph = {oid(0): Node((), None)} | {
        oid(n): Node((oid(n - 1),), (Uid(f"{n:016}"), "alice")) for n in range(1, size + 1)
    }
    counter = Counter(graph)
    assert len(order.linearize(oid(size), counter)) == size
    assert counter.reads == size + 1
