"""Following a room: records as they come, and who comes and goes.

Who joins makes no record and whose process ends cannot write one, so both are seen by
looking at the roll, at each change of a ref and at least once a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gitchat.model.names import Name, Oid
from gitchat.model.participant import Participant
from gitchat.model.record import Entry
from gitchat.verbs.room import Room


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came into the room, or its process ended without a word."""

    participant: Participant
    is_here: bool


News = Entry | Arrival


class Follower:
    """What is new in ``room`` since it was made, or since the number ``after``. Whoever it is for; marks nothing.

    It belongs to one thread; :meth:`close` may be called by any. ``also`` is looked at once a second, and
    another value of it ends a wait.
    """

    def __init__(self, room: Room, after: int | None = None, *, also: Callable[[], object] = lambda: None) -> None:
        """Raises FormatError, and what the repository raises."""
        self._room = room
        self._told: set[Oid] = set()
        self._present = self._presence()
        self._changes = room.environment.changes(lambda: (self._names(), also()))
        self.seen = room.overview().count if after is None else after
        """The greatest number that was told, or was there before."""

    def news(self) -> list[News]:
        """What came since the last call: first who came and went, then the records by number. Raises FormatError."""
        arrivals = self._arrivals()
        entries = self._room.after(self.seen)
        self.seen = max([self.seen, *(entry.number or 0 for entry in entries)])
        # What is pending stands behind all numbers, and comes again with the one that it gets.
        fresh = [entry for entry in entries if entry.oid not in self._told]
        self._told |= {entry.oid for entry in fresh if entry.number is None}
        return [*arrivals, *fresh]

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Sleep until there may be news; False when the time is up, or when it was closed."""
        return self._changes.wait(timeout_seconds)

    def close(self) -> None:
        """End, also a wait that is under way."""
        self._changes.close()

    def _arrivals(self) -> list[Arrival]:
        before, self._present = self._present, self._presence()
        came = [Arrival(one, True) for name, one in self._present.items() if name not in before]
        gone = (self._found(name) for name in before if name not in self._present)
        # Who left said so in the room.
        return came + [Arrival(one, False) for one in gone if one is not None and one.left_at is None]

    def _found(self, name: Name) -> Participant | None:
        presence = self._room.environment.roll.find(name)
        return presence.participant(self._room.name) if presence else None

    def _presence(self) -> dict[Name, Participant]:
        return {one.name: one for one in self._room.participants()}

    def _names(self) -> frozenset[Name]:
        return frozenset(self._presence())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
