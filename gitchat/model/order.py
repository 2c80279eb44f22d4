"""The order rule: which commits are records, and in which order they are numbered.

A room is a graph of commits. Its first-parent chain is the canonical order; what a
merge brings in through its other parents follows, once, where the merge stands:

    L(root)            = []
    L(c), one parent p = L(p) + [c]                  when c takes a number, else L(p)
    L(m), p1 .. pn     = L(p1) + (L(p2) \\ closure(p1)) + (L(p3) \\ closure(p1, p2)) + ...

and then a record whose (uid, author) occurred earlier is dropped. From this follows:

* L is a linear extension of the graph: a record never precedes its ancestors.
* When an old tip lies on the first-parent chain of a new one, L(old) is a prefix of
  L(new): numbers that were shown never change.
* Every prefix of L contains the ancestors of its members.

Pure, and frozen for format 1. Source: docs/format.md section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

from gitchat.model.names import Oid, Uid

Key = tuple[Uid, str]
"""What makes two records the same one: uid and author."""


class Node(NamedTuple):
    """What the rule needs to know of a commit."""

    parents: tuple[Oid, ...]
    key: Key | None
    """None for a commit that takes no number."""


def linearize(tip: Oid | None, node_of: Callable[[Oid], Node], seen: Container[Oid] = ()) -> list[Oid]:
    """L(tip) without the commits in ``seen``, oldest first, before the uid rule.

    ``seen`` must contain the ancestors of its members. Each commit outside it is
    read once.
    """
    records: set[Oid] = set()

    def noted(oid: Oid) -> Node:
        node = node_of(oid)
        if node.key is not None:
            records.add(oid)
        return node

    return [oid for oid in commits(tip, noted, seen) if oid in records]


def commits(tip: Oid | None, node_of: Callable[[Oid], Node], seen: Container[Oid] = ()) -> list[Oid]:
    """All commits that ``tip`` reaches, records or not, in the order of L: parents first.

    Those in ``seen`` are left out, as in :func:`linearize`. Without recursion: a log is
    longer than any stack.
    """
    known: set[Oid] = set()
    ordered: list[Oid] = []
    # A pending visit is (oid, False); a commit that waits for its ancestors is (oid, True).
    pending: list[tuple[Oid, bool]] = [(tip, False)] if tip is not None else []
    while pending:
        oid, is_ready = pending.pop()
        if is_ready:
            ordered.append(oid)
            continue
        # The unknown part of a first-parent chain, in the order of a stack: newest first.
        here: Oid | None = oid
        while here is not None and here not in known and here not in seen:
            known.add(here)
            parents = node_of(here).parents
            pending.append((here, True))
            # Marking the whole chain before a merge's other parents are visited is sound:
            # what is newer on the chain descends from the merge, so they cannot reach it.
            pending += [(parent, False) for parent in reversed(parents[1:])]
            here = parents[0] if parents else None
    return ordered


def drop_repeated(ordered: Iterable[Oid], node_of: Callable[[Oid], Node], seen: set[Key] | None = None) -> list[Oid]:
    """``ordered`` without records whose key occurred earlier, there or in ``seen``.

    Looks only backwards, so a prefix of the log stays a prefix.
    """
    known = set() if seen is None else set(seen)
    kept: list[Oid] = []
    for oid in ordered:
        key = node_of(oid).key
        if key is not None and key not in known:
            known.add(key)
            kept.append(oid)
    return kept


def numbered(tip: Oid | None, node_of: Callable[[Oid], Node]) -> list[Oid]:
    """The records of a room in their order; the one at index i has number i + 1."""
    return drop_repeated(linearize(tip, node_of), node_of)


def view(authority: Oid | None, local: Oid | None, node_of: Callable[[Oid], Node]) -> tuple[list[Oid], list[Oid]]:
    """Numbered records, then pending ones: those the authority has not accepted yet.

    ``authority`` is the last fetched tip of the room's authority and ``local`` the
    local tip; no commit is needed to show both together.
    """
    accepted = numbered(authority, node_of)
    keys = {key for oid in accepted if (key := node_of(oid).key)}
    pending = linearize(local, node_of, seen=_closure(authority, node_of))
    return accepted, drop_repeated(pending, node_of, seen=keys)


def _closure(tip: Oid | None, node_of: Callable[[Oid], Node]) -> set[Oid]:
    known: set[Oid] = set()
    pending = [tip] if tip is not None else []
    while pending:
        oid = pending.pop()
        if oid not in known:
            known.add(oid)
            pending += node_of(oid).parents
    return known
