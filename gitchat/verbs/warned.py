"""What two were told of their conflict and nobody took back, as the log has it. Source: docs/format.md section 17."""

from __future__ import annotations

from dataclasses import dataclass

from gitchat.index.condition import Condition, authored_by, of_kinds, of_type
from gitchat.model.names import SYSTEM
from gitchat.model.record import STATUS, Entry
from gitchat.quick import conflicts
from gitchat.quick.conflicts import CONFLICT, OLD_SECONDS, OLDEST_SECONDS, OVER
from gitchat.verbs.conflictforms import Names, Open
from gitchat.verbs.standpoint import Standpoint, entries_at

PATH = "Chat-Path"
"""The trailer that names a path that cannot be merged."""


@dataclass(frozen=True, slots=True)
class Told:
    """What two were told of their conflict, as the log has it."""

    entries: tuple[Entry, ...]
    """First to last."""
    is_over: bool
    begin: int = 0
    """How many of them were told before it was over once."""

    @property
    def paths(self) -> set[str]:
        """The paths that were told since it was last over."""
        return {value for entry in self.entries[self.begin :] for key, value in entry.record.extra if key == PATH}


def open_conflicts(room: Standpoint) -> list[Open]:
    """All that are open in the room, the oldest first. Raises FormatError."""
    if room.name not in room.environment.store.rooms():
        return []
    now = room.environment.now().seconds
    found = (_open(names, one, now) for names, one in told_in(room).items() if not one.is_over)
    return sorted(found, key=lambda one: one.since)


def _open(names: Names, told: Told, now: int) -> Open:
    last = told.entries[-1]
    since = told.entries[told.begin].record.written.seconds
    return Open(names, tuple(sorted(told.paths)), last, since, now - last.record.written.seconds >= OLD_SECONDS)


def told_in(room: Standpoint) -> dict[Names, Told]:
    """What was told in this room in the last two weeks, by the names of both."""
    since = Condition("committed > ?", (room.environment.now().seconds - OLDEST_SECONDS,))
    ours = Condition.all_of([of_kinds([STATUS]), authored_by(SYSTEM), since])
    chain = room.records.chain()
    places = [place for slug in (CONFLICT, OVER) for place in chain.select(Condition.all_of([ours, of_type(slug)]))]
    entries = entries_at(room, sorted(places, key=lambda place: place.number))
    said = ((one.record.type, one.record.to, one.record.uid, one.record.reply_to, one) for one in entries)
    return {names: Told(tuple(one.ones), one.is_over, one.begin) for names, one in conflicts.told(said).items()}
