"""Where it is kept how far a participant has read: the repository, or a server that is ahead of it."""

from __future__ import annotations

from typing import Protocol

from gitchat.verbs.room import Reading, Room


class Positions(Protocol):
    """Where it is kept how far a participant has read."""

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        """As :meth:`Room.unread`."""

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        """As :meth:`Room.mark`."""


class InRepository:
    """In the repository alone, at once."""

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        """From the repository."""
        return room.unread(limit, with_own=with_own)

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        """In the repository."""
        return room.mark(reading, count)


IN_REPOSITORY: Positions = InRepository()
