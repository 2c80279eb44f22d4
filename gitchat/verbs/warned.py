"""What two were told of their conflict and nobody took back, as the log has it. Source: docs/format.md section 17."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitchat.index.condition import Condition, authored_by, of_kinds, of_type
from gitchat.model.names import SYSTEM, Uid
from gitchat.model.record import STATUS, Entry
from gitchat.verbs.conflictforms import Names, Open
from gitchat.verbs.standpoint import Standpoint, entries_at

CONFLICT, OVER = "conflict", "conflict-over"
"""The types of the two status records."""

PATH = "Chat-Path"
"""The trailer that names a path that cannot be merged."""

OLD_SECONDS = 86_400
"""After so long it is said that a conflict may be over: who could take it back may be away."""

_OLDEST_SECONDS = 14 * 86_400


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
    since = Condition("committed > ?", (room.environment.now().seconds - _OLDEST_SECONDS,))
    ours = Condition.all_of([of_kinds([STATUS]), authored_by(SYSTEM), since])
    chain = room.records.chain()
    places = [place for slug in (CONFLICT, OVER) for place in chain.select(Condition.all_of([ours, of_type(slug)]))]
    found: dict[Names, Told] = {}
    of: dict[Uid, Names] = {}
    for entry in entries_at(room, sorted(places, key=lambda place: place.number)):
        record = entry.record
        if record.type == CONFLICT and len(record.to) == 2:
            names = of[record.uid] = tuple(sorted(record.to))
            known = found.get(names)
            before = known.entries if known is not None else ()
            begin = len(before) if known is not None and known.is_over else known.begin if known is not None else 0
            found[names] = Told((*before, entry), False, begin)
        elif record.type == OVER and record.reply_to in of:
            names = of[record.reply_to]
            found[names] = replace(found[names], is_over=True)
    return found
