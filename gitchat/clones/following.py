"""Going along with rooms that were moved from one place of a remote to another: from its own refs to its branches.

That another *address* is followed is for a person to say, since nobody else can know who reads there. Here the host is
the same, and so is the log, which is held against what was seen. Source: docs/format.md section 12.23.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from gitchat.clones.address import at, parted
from gitchat.clones.comparing import Comparing
from gitchat.clones.moving import Told
from gitchat.clones.notes import Note, Notes
from gitchat.clones.place import Standing
from gitchat.clones.report import Report
from gitchat.clones.wire import Updates, Wire
from gitchat.model.errors import FormatError
from gitchat.model.layout import Layout
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, is_cursor, log_ref, room_of, tracking_ref
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
        moved: Told,
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
        """Whether some room went to where not all are yet."""
        self._closed: dict[RoomName, Layout] = {}
        """Rooms that went to another place, at which they are, and where the others are not yet."""

    def leads(
        self, rooms: Collection[RoomName], place: str, report: Report, *, is_asked: bool, is_said: bool = False
    ) -> bool:
        """Whether ``rooms``, found at ``place`` of the remote, stand elsewhere there: from now on that counts.

        Then nothing is to be pushed before the next round, which fetches from there. The report tells how many
        records came in: a word that came before was heard. ``is_said`` is whether a person says that the rooms stand
        at this place now: then what is pending counts as heard. Raises as Wire.fetch.
        """
        with suppress(FormatError):  # of a log that cannot be read nobody knows where it went
            self._go_along(rooms, place, report, is_asked=is_asked, is_said=is_said)
        return report.is_overtaken

    def open(self, updates: Updates) -> Updates:
        """Those of ``updates`` that may be pushed to where we are: what left it gets its numbers elsewhere."""
        return {ref: update for ref, update in updates.items() if room_of(ref) not in self._closed}

    def staying(self, rooms: Collection[RoomName]) -> list[RoomName]:
        """``rooms`` without those that left."""
        return [room for room in rooms if room not in self._closed]

    def _go_along(
        self, rooms: Collection[RoomName], place: str, report: Report, *, is_asked: bool, is_said: bool
    ) -> None:
        if not (is_asked or self._waits or not self._has_looked or any(map(report.fetched.get, rooms))):
            return
        self._has_looked = True
        told = {room: layout for room in rooms if (layout := self._told(room, place, is_said)) is not None}
        self._waits = bool(told)
        self._closed = {}
        for layout in dict.fromkeys(told.values()):
            there = self._wire.laid(layout).listed(f"{ROOMS_PREFIX}*")
            went = self._same_logs([room for room, other in told.items() if other == layout], layout, there)
            if went and self._comparing.logs(rooms).keys() <= {*map(log_ref, went)}:
                self._go(place, layout, there)
                report.alarms.append(
                    f"the rooms at '{self._wire.name}' moved to {layout.prefix}, and are followed there"
                )
                report.is_overtaken = True
                return
            self._closed |= dict.fromkeys(went, layout)
        report.alarms += [self._waiting(room, layout) for room, layout in self._closed.items()]

    def _waiting(self, room: RoomName, layout: Layout) -> str:
        name = self._wire.name
        return (
            f"room '{room}' at '{name}' moved to {layout.prefix}, and other rooms did not: nothing of it is pushed; "
            f"to move them, too: git chat remote move {name} --prefix {layout.prefix}"
        )

    def _told(self, room: RoomName, place: str, is_said: bool) -> Layout | None:
        """Where ``room`` says that it went from ``place``, if that is at the same address."""
        tip = self._comparing.tracked().get(log_ref(room))
        moved = self._moved(room, None if is_said else tip) if tip is not None else None
        if moved is None or moved.place != place or moved.layout == self._wire.layout:
            return None
        return moved.layout if self._wire.place_of(moved.address) == place else None

    def _same_logs(self, rooms: Collection[RoomName], layout: Layout, there: Mapping[RefName, Oid]) -> list[RoomName]:
        """Those of ``rooms`` of which the log that we know is among the refs ``there``, at another place."""
        seen = self._comparing.tracked()
        known = {room: ref for room in rooms if (ref := log_ref(room)) in seen and ref in there}
        if known:
            self._wire.laid(layout).fetch_objects(known.values())
        return [
            room
            for room, ref in known.items()
            if self._comparing.standing(seen[ref], there[ref], has_others=True) in _SAME_LOG
        ]

    def _go(self, place: str, layout: Layout, there: Mapping[RefName, Oid]) -> None:
        """From now on the rooms that follow the remote at ``place`` do so where refs are called as in ``layout``."""
        # Who had not heard yet may have pushed a position to the old place: at the new one nobody has dropped it.
        for ref, oid in self._comparing.tracked().items():
            if is_cursor(ref) and there.get(ref) != oid:
                self._store.remove(tracking_ref(self._wire.name, ref), oid, "gitchat: it was elsewhere")
        went, stood = Note(self._wire.name, at(parted(place)[0], layout)), Note(self._wire.name, place)
        self._notes.put({room: went for room, note in self._notes.all().items() if note == stood})
        self._lay(layout)
