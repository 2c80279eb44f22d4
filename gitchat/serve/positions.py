"""How far names have read, kept in memory for some seconds: to mark is a move of two refs, and takes 15 ms.

A broadcast to a thousand readers would be written for fifteen seconds. So what a name has had is applied to readings
at once, and written later, one name at a time. A kill loses what is not written: that is told again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gitchat.model.names import Name, RoomName
from gitchat.model.record import Entry
from gitchat.serve.actor import Actor
from gitchat.serve.frontier import Frontier, Key
from gitchat.verbs.room import Reading, Room

WRITTEN_AFTER_SECONDS = 5.0
"""How long after the first change a position is written."""

LOOKED_AT = 100
"""Unread records that are looked at to write a position, again and again until one of them is not had."""

Whose = tuple[RoomName, Name]


@dataclass(frozen=True, slots=True)
class Due:
    """A position that is to be written."""

    whose: Whose
    actor: Actor
    """For whom it is written: who had something last."""
    since: float
    """When the first change came, on the loop's clock."""


class Positions:
    """What names have had of rooms, and is not written yet. For the loop's thread, but for what says otherwise."""

    def __init__(self, *, with_own: bool = False) -> None:
        """``with_own``: what a name wrote itself is given to it, too, and has to be had."""
        self._with_own = with_own
        self._frontiers: dict[Whose, Frontier] = {}
        self._due: dict[Whose, Due] = {}
        self._turn = threading.Lock()

    def had(self, actor: Actor, whose: Whose, keys: Iterable[Key], now: float) -> None:
        """``whose`` name has had these records of the room. ``now`` is the loop's clock. In any thread."""
        with self._turn:
            self._frontiers[whose] = self._frontiers.get(whose, Frontier()).with_had(keys)
            known = self._due.get(whose)
            self._due[whose] = Due(whose, actor, known.since if known else now)

    def had_by(self, whose: Whose) -> int:
        """How many records are kept as had, and not written."""
        with self._turn:
            return len(self._frontiers.get(whose, ()))

    def due(self, now: float | None = None, name: Name | None = None) -> list[Due]:
        """What is to be written by now, the oldest first; None: all. Of ``name`` alone, where it is given."""
        with self._turn:
            found = [due for due in self._due.values() if name in (None, due.whose[1])]
        return [due for due in found if now is None or due.since + WRITTEN_AFTER_SECONDS <= now]

    def begin(self, due: Due) -> None:
        """It is written next: what comes from now on is a new change."""
        self._due.pop(due.whose, None)

    # --- in the worker thread ------------------------------------------------------------

    def unread(self, room: Room, limit: int | None) -> Reading:
        """The oldest ``limit`` records that are unread and for me, without those that I just had. As Room's."""
        frontier = self._of(room)
        reading = room.unread(None if limit is None else limit + len(frontier), with_own=self._with_own)
        if not frontier:
            return reading
        places = frontier.fresh(reading.entries)
        taken = places[:limit]
        total = reading.left + len(reading.entries) - len(frontier)
        led = [place for place in reading.places[: frontier.leading(reading.entries)] if not place.is_pending]
        return replace(
            reading,
            last_read=led[-1].number if led else reading.last_read,  # as it will be written
            entries=[reading.entries[place] for place in taken],
            places=[reading.places[place] for place in taken],
            left=max(total, len(places)) - len(taken),
        )

    def fresh(self, room: Room, entries: Sequence[Entry]) -> list[Entry]:
        """Those of ``entries`` that I have not just had."""
        return [entries[place] for place in self._of(room).fresh(entries)]

    def write(self, room: Room) -> None:
        """Write down as much as a position can say of what I had; while another lives under my name, nothing."""
        while frontier := self._of(room):
            reading = room.unread(LOOKED_AT, with_own=self._with_own)
            count = frontier.leading(reading.entries)
            room.mark(reading, count)
            after = frontier.after_writing(reading.entries, count, is_all=reading.left == 0)
            with self._turn:
                came = self._frontiers[room.name, room.me].had - frontier.had
                self._frontiers[room.name, room.me] = after.with_had(came)
                if not self._frontiers[room.name, room.me]:
                    del self._frontiers[room.name, room.me]
            if count < LOOKED_AT:
                return

    def _of(self, room: Room) -> Frontier:
        with self._turn:
            return self._frontiers.get((room.name, room.me), Frontier())
