"""The rooms as the last look found them, and their newest records: who waits again and again reads nothing. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence

from gitchat.model.names import RoomName, parse_room
from gitchat.serve.handing import Reached, Reader, Record

KEPT = 64
"""Records that are kept of a room: who is further behind is read for."""


class Recent:
    """What was handed over last, as long as each room only grew."""

    def __init__(self) -> None:
        self.own_room: RoomName | None = None
        """The room of who names none, as it was within the last second or so; None where that is not known."""
        self._totals: dict[RoomName, int] = {}
        self._newest: dict[RoomName, deque[tuple[Record, Reached]]] = {}

    def room(self, given: str | None) -> RoomName | None:
        """The room of this name, the own one without any; None where only a reading can tell whether there is one.

        Raises UserError ``bad-name``.
        """
        room = parse_room(given) if given is not None else self.own_room
        return room if room in self._totals else None

    def keep(
        self,
        totals: Mapping[RoomName, int],
        changed: Collection[RoomName],
        fresh: Sequence[tuple[Record, Reached]],
    ) -> None:
        """A look found so many records in each room; of those of ``changed`` rooms ``fresh`` came.

        What is kept of a room goes where it did anything but grow: a record that waits for its number, one that went
        between others, a hidden one. Then numbers that are kept can be wrong.
        """
        before, self._totals = self._totals, dict(totals)
        for room in changed:
            came = [one for one in fresh if one[0].room == room]
            total = totals.get(room, 0)
            numbers = [one[0].entry.number for one in came]
            if came and numbers == list(range(before.get(room, 0) + 1, total + 1)):
                self._newest.setdefault(room, deque(maxlen=KEPT)).extend(came)
            else:
                self._newest.pop(room, None)

    def after(self, room: RoomName, number: int, reader: Reader) -> list[Record] | None:
        """What ``reader`` would have been handed behind ``number``, had it subscribed before; oldest first.

        None where that has to be read.
        """
        if room not in self._totals:
            return None
        count = self._totals[room] - number
        if count <= 0:
            return []
        kept = self._newest.get(room, ())
        if count > len(kept):
            return None
        return [record for record, reached in list(kept)[-count:] if reader.takes(record, reached)]
