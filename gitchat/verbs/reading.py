"""Reading: the records that I have not read; to read them marks them."""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.index.condition import Condition, statuses_for_nobody
from gitchat.index.places import Place
from gitchat.rooms.cursor import Backlog, Cursor
from gitchat.rooms.seat import Seat
from gitchat.verbs.marking import common, mark, own_of, why_not_mark
from gitchat.verbs.standpoint import Standpoint, entries_at, visible
from gitchat.verbs.views import Reading


def unread(
    room: Standpoint, limit: int | None = None, *, with_own: bool = False, matching: Condition | None = None
) -> Reading:
    """The oldest ``limit`` records that are unread and for me; marks nothing.

    Own records are left out unless ``with_own``. ``matching`` narrows the reading, which is then never
    marked: what it leaves out would count as read.
    """
    chain, why_not = room.environment.newest(room.name), why_not_mark(room)
    position = own_of(room, chain, may_sit=why_not is None)
    backlog = position.backlog(chain)
    reaching = visible(room, with_own=with_own, chain=chain)
    condition = reaching if matching is None else Condition.all_of([reaching, matching])
    places = backlog.select(condition, limit)
    entries = entries_at(room, places, chain)
    return Reading(
        entries=entries,
        labels=room.records.labels(entries, chain),
        last_read=backlog.last_read,
        left=backlog.count_of(condition) - len(entries),
        statuses=backlog.count_of(statuses_for_nobody()),
        is_marked=False,
        why_not="a filtered reading marks nothing" if matching is not None else why_not,
        is_filtered=matching is not None,
        places=places,
        backlog=backlog,
        elsewhere=_read_elsewhere(room, places, position, backlog),
        namesakes=tuple(room.seating.namesakes(room.me, chain)),
    )


def _read_elsewhere(room: Standpoint, places: Sequence[Place], position: Cursor, backlog: Backlog) -> int:
    """How many of these records were read under my name, and not by me."""
    if not places or not isinstance(position, Seat):
        return 0  # I read by what all clones share
    shared = common(room, room.me).backlog(backlog.chain)
    return sum(place.number not in shared.numbers for place in places)


def read(room: Standpoint, limit: int | None = None, *, with_own: bool = False, force: bool = False) -> Reading:
    """As :meth:`unread`, and marks what it returns, unless somebody else lives under my name.

    ``force`` marks all the same.
    """
    return mark(room, unread(room, limit, with_own=with_own), force=force)
