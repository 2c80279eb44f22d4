"""Following a room: records as they come, and who comes and goes.

Who joins makes no record and whose process ends cannot write one, so both are seen by
looking at the roll, at each change of a ref and at least once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gitchat.model.names import Handle, Name, Number, Uid
from gitchat.model.participant import Participant
from gitchat.model.record import Entry
from gitchat.verbs.pending import Pending
from gitchat.verbs.room import Room
from gitchat.workspace.pushing import trouble_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came into the room, or its process ended without a word."""

    participant: Participant
    is_here: bool


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record that was told while it was pending has got its number."""

    handle: Handle
    """As it was told."""
    number: Number


News = Entry | Arrival | Numbered | Pending
"""A Pending is that something waits here because the remote is not heard, or does not take it."""


class Follower:
    """What is new in ``room`` since it was made, or since the number ``after``. Whoever it is for; marks nothing.

    It belongs to one thread; :meth:`close` may be called by any. ``also`` is looked at once a second, and
    another value of it ends a wait.
    """

    def __init__(
        self,
        room: Room,
        after: int | None = None,
        *,
        told: Iterable[Entry] = (),
        also: Callable[[], object] = lambda: None,
    ) -> None:
        """Of the records without a number those of ``told`` are no news. Raises FormatError, and as the repository."""
        self._room = room
        self._told = {_key(entry): entry.handle for entry in told if entry.number is None}
        self._present = self._presence()
        self._told_since: int | None = None
        self._changes = room.environment.changes(lambda: (self._names(), self._since(), also()))
        self.seen = room.overview().count if after is None else after
        """The greatest number that was told, or was there before."""

    def news(self) -> list[News]:
        """What came since the last call: first who came and went, then the records by number. Raises FormatError.

        That the remote is not heard is told once, as long as it lasts and something waits. A record that was told
        without a number comes again as Numbered, when it has one.
        """
        found: list[News] = list(self._arrivals())
        entries = self._room.after(self.seen)
        self.seen = max([self.seen, *(entry.number or 0 for entry in entries)])
        for entry in entries:
            # What is pending stands behind all numbers, and comes with each look. Not known by its oid: the copy that
            # gets the number can be another clone's.
            handle = self._told.get(_key(entry))
            if handle is None:
                found.append(entry)
            elif entry.number is not None:
                found.append(Numbered(handle, entry.number))
            if entry.number is None:
                self._told[_key(entry)] = entry.handle
            else:
                self._told.pop(_key(entry), None)
        return [*found, *self._waiting()]

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Sleep until there may be news; False when the time is up, or when it was closed."""
        return self._changes.wait(timeout_seconds)

    def close(self) -> None:
        """End, also a wait that is under way."""
        self._changes.close()

    def _waiting(self) -> list[Pending]:
        since = self._since()
        if since is None or since == self._told_since:
            self._told_since = since
            return []
        pending = self._room.pending()
        if pending is None or pending.since is None:
            return []
        self._told_since = since
        return [pending]

    def _since(self) -> int | None:
        """Since when the room's remote is not heard; None where nothing is known to be wrong with it."""
        remote = self._room.environment.authorities.of(self._room.name)
        trouble = trouble_of(self._room.environment, remote, self._room.name) if remote is not None else None
        return trouble.since if trouble is not None else None

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


def _key(entry: Entry) -> tuple[Uid, str]:
    return entry.record.uid, entry.record.author
