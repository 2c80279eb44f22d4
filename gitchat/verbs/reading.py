"""Reading: the records that I have not read; to read them marks them."""

from __future__ import annotations

from gitchat.index.condition import Condition, statuses_for_nobody
from gitchat.verbs.marking import mark, own, why_not_mark
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
