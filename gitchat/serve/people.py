"""Who is here, read at most once a second however many ask: a file is opened for each name, 80 ms for a thousand.

For the worker thread of one hub, but for :meth:`People.forget`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.participant import Participant, Presence
from gitchat.model.refs import cursor_ref
from gitchat.serve.handing import CursorMoved, PresenceChanged, Sign
from gitchat.workspace.environment import Environment

KEPT_SECONDS = 1.0
"""How old what is told may be. Who joins or leaves through this server is seen at once."""

Shown = frozenset[tuple[Name, str, bool, bool]]
"""Who is in a room: name, role, whether it lives, whether it is registered."""


class People:
    """The names of one clone, and how far those that a page shows have read."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.called: dict[Name, tuple[str | None, str | None]] = {}
        """The label and the spelling of each name, as far as somebody gave them; for any thread."""
        self._everybody: list[Presence] = []
        self._read_at = float("-inf")
        self._shown: dict[RoomName, Shown] | None = None
        self._cursors: dict[tuple[RoomName, Name], Oid | None] = {}

    def forget(self) -> None:
        """Somebody joined or left: read anew. For any thread."""
        self._read_at = float("-inf")

    def everybody(self) -> list[Presence]:
        """All names that anybody ever took here, sorted."""
        now = time.monotonic()
        if now - self._read_at >= KEPT_SECONDS:
            self._read_at = now
            self._everybody = list(self._environment.roll.everybody())
            holders = ((one.name, one.holder) for one in self._everybody)
            self.called = {name: (holder.label, holder.given) for name, holder in holders if holder is not None}
        return self._everybody

    def known(self, room: RoomName) -> list[Participant]:
        """As Roll.known: everybody who ever joined ``room``, sorted by name."""
        found = (presence.participant(room) for presence in self.everybody())
        return [participant for participant in found if participant is not None]

    def begin(self, reader: Name | None) -> None:
        """``reader`` begins to hear of signs: of what is otherwise from now on."""
        if self._shown is None:
            self._of_presence()
        if reader is not None:
            self._cursors = self._values({reader}) | self._cursors

    def signs(self, readers: Iterable[Name]) -> list[Sign]:
        """What is otherwise than when this was asked last: who is in which room, and how far ``readers`` have read.

        Through whatever program they joined, ended or read.
        """
        return [*self._of_presence(), *self._of_cursors(set(readers))]

    def _of_presence(self) -> list[Sign]:
        people = [presence for presence in self.everybody() if presence.rooms]
        shown = {
            room: frozenset(_shown(one) for one in self.known(room) if one.is_present)
            for room in {room for presence in people for room in presence.rooms}
        }
        before, self._shown = self._shown, shown
        if before is None:
            return []
        return [PresenceChanged(room) for room in sorted(shown) if before.get(room, frozenset()) != shown[room]]

    def _of_cursors(self, readers: set[Name]) -> list[Sign]:
        before, self._cursors = self._cursors, self._values(readers)
        moved = [key for key, value in self._cursors.items() if key in before and before[key] != value]
        return [CursorMoved(name, room) for room, name in moved]

    def _values(self, readers: set[Name]) -> dict[tuple[RoomName, Name], Oid | None]:
        store = self._environment.store
        return {(room, name): store.tip(cursor_ref(room, name)) for name in readers for room in store.rooms()}


def _shown(one: Participant) -> tuple[Name, str, bool, bool]:
    return one.name, one.role, one.is_living, one.is_registered
