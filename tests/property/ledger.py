"""The records of a log and their order: sets and lists, by the definitions.

The slow, obvious version of docs/format.md sections 5 and 10, for tests to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gitchat.model.names import Name, Oid

Key = tuple[str, str]
"""Uid and author: what makes two commits one record."""

ROLES = {Name("bob"): "review", Name("carol"): "build", Name("dora"): "general"}


class Said(NamedTuple):
    """A record."""

    key: Key
    kind: str
    to: tuple[str, ...]

    def reaches(self, name: Name) -> bool:
        """Whether it is for ``name``, who does not want to read what it wrote itself."""
        names = {name, f"role:{ROLES[name]}"}
        is_for_all = not self.to and self.kind not in ("status", "claim", "release")
        return self.kind != "meta" and self.key[1] != name and (is_for_all or bool(names & set(self.to)))


@dataclass
class Ledger:
    """For each commit, what it reaches and in which order: sets and lists, by the definitions."""

    said: dict[Oid, Said | None] = field(default_factory=dict)
    reach: dict[Oid, set[Oid]] = field(default_factory=dict)
    order: dict[Oid, list[Oid]] = field(default_factory=dict)

    def add(self, oid: Oid, parents: Sequence[Oid], said: Said | None = None) -> Oid:
        """Enter a commit whose parents are entered."""
        ordered: list[Oid] = []
        covered: set[Oid] = set()
        for parent in parents:
            ordered += [other for other in self.order[parent] if other not in covered]
            covered |= self.reach[parent]
        self.said[oid] = said
        self.order[oid] = [*ordered, oid] if said else ordered
        self.reach[oid] = covered | {oid}
        return oid

    def numbered(self, tip: Oid) -> dict[Key, Oid]:
        """The records of a log in their order; the one at place i has number i + 1."""
        numbered: dict[Key, Oid] = {}
        for oid in self.order[tip]:
            said = self.said[oid]
            assert said
            numbered.setdefault(said.key, oid)
        return numbered

    def keys(self, oid: Oid) -> set[Key]:
        """The records that a commit reaches."""
        return {said.key for other in self.reach[oid] if (said := self.said[other])}
