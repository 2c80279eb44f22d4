"""Going along with rooms that were moved from one place of a remote to another: from its own refs to its branches.

That another *address* is followed is for a person to say, since nobody else can know who reads there. Here the host is
the same, and so is the log, which is held against what was seen. Source: docs/format.md section 12.23.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

from gitchat.clones.address import at, parted
from gitchat.clones.comparing import Comparing
from gitchat.clones.moving import Moved, said_near
from gitchat.clones.notes import Note, Notes
from gitchat.clones.place import Standing
from gitchat.clones.report import Report
from gitchat.clones.wire import Wire
from gitchat.model.errors import FormatError
from gitchat.model.layout import Layout
from gitchat.model.names import RoomName
from gitchat.model.refs import ROOMS_PREFIX, is_cursor, log_ref, tracking_ref
from gitchat.storage.store import Store

_SAME_LOG = {Standing.CONTINUES, Standing.BEHIND, Standing.PARTED}
"""What was pushed to the old place behind the word that it moved comes along, and is joined there."""


class Following:
    """What looks, in each round with one remote, whether its rooms went to another place of it."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        comparing: Comparing,
        notes: Notes,
        *,
        moved: Callable[[RoomName], Moved | None],
        lay: Callable[[Layout], object],
    ) -> None:
        """``moved`` gives what a log said last of where it went; ``lay`` writes down where the remote has its rooms."""
        self._store = store
        self._wire = wire
        self._comparing = comparing
        self._notes = notes
        self._moved = moved
        self._lay = lay
        self._has_looked = False
        self._waits = False
        """Whether some room went to where it was not yet."""

    def leads(self, rooms: Collection[RoomName], place: str, report: Report, *, is_asked: bool) -> bool:
        """Whether ``rooms``, found at ``place`` of the remote, stand elsewhere there: from now on that counts.

        Then nothing is to be pushed before the next round, which fetches from there. The report tells how many
        records came in: a word that came before was heard. Raises as Wire.fetch.
        """
        with suppress(FormatError):  # of a log that cannot be read nobody knows where it went
            self._go_along(rooms, place, report, is_asked=is_asked)
        return report.is_overtaken

    def _go_along(self, rooms: Collection[RoomName], place: str, report: Report, *, is_asked: bool) -> None:
        has_news = is_asked or self._waits or not self._has_looked or any(map(report.fetched.get, rooms))
        self._has_looked = True
        layouts = {layout for room in rooms if (layout := self._told(room, place)) is not None} if has_news else set()
        self._waits = bool(layouts)
        for layout in layouts:
            if self._has_all(rooms, layout):
                there = Note(self._wire.name, at(parted(place)[0], layout))
                stood = Note(self._wire.name, place)
                self._notes.put({room: there for room, note in self._notes.all().items() if note == stood})
                self._lay(layout)
                report.alarms.append(
                    f"the rooms at '{self._wire.name}' moved to {layout.prefix}, and are followed there"
                )
                report.is_overtaken = True
                return

    def _told(self, room: RoomName, place: str) -> Layout | None:
        """Where ``room`` says that it went from ``place``, if that is at the same address."""
        ref = log_ref(room)
        if ref in self._comparing.logs(()):
            moved = self._moved(room)
        else:  # what is here may be another log, which nobody has joined to that one yet
            tip = self._comparing.tracked().get(ref)
            moved = said_near(self._store, tip) if tip is not None else None
        if moved is None or moved.place != place or moved.layout == self._wire.layout:
            return None
        return moved.layout if self._wire.place_of(moved.address) == place else None

    def _has_all(self, rooms: Collection[RoomName], layout: Layout) -> bool:
        """Whether the logs of all rooms that follow the remote, or are about to, are there, and the ones we know."""
        wire, seen = self._wire.laid(layout), self._comparing.logs(rooms)
        there = wire.listed(f"{ROOMS_PREFIX}*")
        if not seen.keys() <= there.keys():
            return False
        wire.fetch_objects(seen)
        if not all(
            self._comparing.standing(oid, there[ref], has_others=True) in _SAME_LOG for ref, oid in seen.items()
        ):
            return False
        # Who had not heard yet may have pushed a position to the old place: at the new one nobody has dropped it.
        for ref, oid in self._comparing.tracked().items():
            if is_cursor(ref) and there.get(ref) != oid:
                self._store.remove(tracking_ref(self._wire.name, ref), oid, "gitchat: it was elsewhere")
        return True
