"""Reading and marking: the records that I have not read, and the cursor moved over those that I have."""

from __future__ import annotations

from dataclasses import replace

from gitchat.index.condition import Condition, statuses_for_nobody
from gitchat.verbs.marking import advance, own, why_not_mark
from gitchat.verbs.standpoint import Standpoint, entries_at, visible
from gitchat.verbs.views import Reading


def unread(
    room: Standpoint, limit: int | None = None, *, with_own: bool = False, matching: Condition | None = None
) -> Reading:
    """The oldest ``limit`` records that are unread and for me; marks nothing.

    Own records are left out unless ``with_own``. ``matching`` narrows the reading, which is then never
    marked: what it leaves out would count as read.
    """
    chain = room.records.chain()
    backlog = own(room).backlog(chain)
    reaching = visible(room, with_own=with_own)
    condition = reaching if matching is None else Condition.all_of([reaching, matching])
    places = backlog.select(condition, limit)
    entries = entries_at(room, places)
    return Reading(
        entries=entries,
        labels=room.records.labels(entries),
        last_read=backlog.last_read,
        left=backlog.count_of(condition) - len(entries),
        statuses=backlog.count_of(statuses_for_nobody()),
        is_marked=False,
        why_not="a filtered reading marks nothing" if matching is not None else why_not_mark(room),
        is_filtered=matching is not None,
        places=places,
        backlog=backlog,
    )


def read(room: Standpoint, limit: int | None = None, *, with_own: bool = False, force: bool = False) -> Reading:
    """As :meth:`unread`, and marks what it returns, unless somebody else lives under my name.

    ``force`` marks all the same.
    """
    return mark(room, unread(room, limit, with_own=with_own), force=force)


def mark(room: Standpoint, reading: Reading, count: int | None = None, *, force: bool = False) -> Reading:
    """Mark the first ``count`` records of a reading, by default all, and what stands before them.

    Returns the reading as it is then. Nothing is marked when its ``why_not`` says so, or when somebody
    took my name since; ``force`` marks all the same, but for a filtered reading.

    Raises:
        UserError: ``mirror``.
    """
    entries = reading.entries if count is None else reading.entries[:count]
    why_not = reading.why_not or why_not_mark(room)
    if (why_not is not None and (reading.is_filtered or not force)) or not entries:
        return replace(reading, why_not=why_not)
    room.environment.repository.refuse_mirror()
    place = reading.places[len(entries) - 1].number
    left = advance(room, reading.backlog.chain, place)
    return replace(
        reading,
        entries=entries,
        places=reading.places[: len(entries)],
        last_read=left.last_read,
        left=reading.left + len(reading.entries) - len(entries),
        is_marked=True,
        why_not=None,
    )
