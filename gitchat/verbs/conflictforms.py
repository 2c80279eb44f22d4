"""A conflict that is open, and its JSON form. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitchat.model.record import Entry, Moment

Names = tuple[str, ...]
"""Two names, sorted."""


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict that two were told of, and nobody took back."""

    names: Names
    paths: tuple[str, ...]
    entry: Entry
    """The last record that tells of it."""
    since: int
    """When they were told first, in seconds since the epoch."""
    is_old: bool
    """Whether nobody was told of more of it for a day."""

    def others(self, me: str) -> Names:
        """The one who is not ``me``; both where neither is."""
        return tuple(name for name in self.names if name != me)


def of_name(conflicts: Sequence[Open], name: str) -> list[Open]:
    """Those of ``name``."""
    return [one for one in conflicts if name in one.names]


def of_conflicts(conflicts: Sequence[Open], name: str) -> dict[str, Any]:
    """``conflicts`` of ``name`` where there are some: with whom, the paths, the record, since when; ``old`` if so."""
    found = [
        {
            "with": list(one.others(name)),
            "paths": list(one.paths),
            "id": one.entry.number,
            "handle": one.entry.handle,
            "since": Moment(one.since).utc,
        }
        | ({"old": True} if one.is_old else {})
        for one in of_name(conflicts, name)
    ]
    return {"conflicts": found} if found else {}
