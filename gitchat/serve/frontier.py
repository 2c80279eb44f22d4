"""What a name has had of a room, and what is not yet written down as read. Pure.

A position is one place in the log: all before it counts as read. So what was had behind something that was not is kept
here, and never passed over. What is lost of it is told again, and that is all. Source: docs/format.md section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gitchat.model.names import Uid
from gitchat.model.record import Entry

KEPT = 10_000
"""Records that are kept for one name and room; who has more than these out of their order is told some again."""

Key = tuple[Uid, str]
"""What stays of a record whatever number it has: its uid and its author. A number can be another one tomorrow."""


def key_of(entry: Entry) -> Key:
    """The key of a record."""
    return entry.record.uid, entry.record.author


@dataclass(frozen=True, slots=True)
class Frontier:
    """The records of one room that one name has had, and that its position does not say yet."""

    had: frozenset[Key] = field(default_factory=frozenset)

    def __len__(self) -> int:
        return len(self.had)

    def with_had(self, keys: Iterable[Key]) -> Frontier:
        """It had these, too."""
        more = self.had.union(keys)
        return Frontier(more) if len(more) <= KEPT else self

    def fresh(self, entries: Iterable[Entry]) -> list[int]:
        """Which of ``entries`` it has not had: their places among them."""
        return [place for place, entry in enumerate(entries) if key_of(entry) not in self.had]

    def leading(self, unread: Sequence[Entry]) -> int:
        """How many of the first of what is unread it has had: so far its position may go."""
        fresh = self.fresh(unread)
        return fresh[0] if fresh else len(unread)

    def after_writing(self, unread: Sequence[Entry], count: int, *, is_all: bool) -> Frontier:
        """What is left when the position went over the first ``count`` of ``unread``.

        ``is_all`` is whether these were all that was unread: what is not among them another has marked, and goes, too.
        """
        if is_all:
            return Frontier(self.had.intersection(map(key_of, unread[count:])))
        return Frontier(self.had.difference(map(key_of, unread[:count])))
