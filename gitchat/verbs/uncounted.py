"""What reaches me of the end of a log that is still being counted: read from the log alone, and never marked.

The first look at a long room in a new clone has to count it, by one process that takes seconds, or a minute. Who cannot
wait for that hears at once what was said last, in order and without numbers. See :mod:`gitchat.rooms.uncounted`.
"""

from __future__ import annotations

from itertools import islice

from gitchat.model.errors import ChatError
from gitchat.model.names import Oid
from gitchat.model.record import QUIET_KINDS, UNLISTED_KINDS, Entry, Record
from gitchat.rooms.cursor import Cursor
from gitchat.rooms.seat import Seat
from gitchat.verbs.standpoint import Standpoint

RECORDS = 500
"""How many are looked at, from the end: a twentieth of a second."""


def is_counting(error: ChatError) -> bool:
    """Whether it says that the log is being counted, and that we did not wait for the end of that."""
    return error.code == "still-counting"


def newest(room: Standpoint, limit: int) -> list[Entry]:
    """The newest ``limit`` records that others wrote, that reach me, and that I have not read, oldest first.

    None of them has a number. As far back as is read in a moment: there may be more. Raises FormatError.
    """
    read = _read(room)
    names = _names(room)
    found: list[Entry] = []
    for entry in islice(room.records.uncounted(), RECORDS):
        if entry.oid == read or len(found) == limit:
            break
        if entry.record.author != room.me and _reaches(entry.record, names):
            found.append(room.records.with_attachments(entry))
    return found[::-1]


def _read(room: Standpoint) -> Oid | None:
    """The commit up to which I have read; nothing is taken, as to sit down does, for that needs numbers."""
    store = room.environment.store
    seat = Seat(store, room.name, room.me)
    is_mine = room.environment.caller.has_seat and seat.is_taken
    return seat.value if is_mine else Cursor(store, room.name, room.me).value


def _names(room: Standpoint) -> set[str]:
    """What I am called as a recipient: as in :func:`gitchat.verbs.standpoint.reaches`."""
    presence = room.environment.roll.find(room.me)
    participant = presence.participant(room.name) if presence else None
    return {room.me} | ({f"role:{participant.role}"} if participant and participant.role else set())


def _reaches(record: Record, names: set[str]) -> bool:
    """Source: docs/format.md section 10.5."""
    if record.kind in UNLISTED_KINDS:
        return False
    return not names.isdisjoint(record.to) if record.to else record.kind not in QUIET_KINDS
