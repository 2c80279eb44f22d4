"""Which rooms may be written to, by what their logs ask of who writes. Source: docs/format.md section 8.1."""

from __future__ import annotations

from collections.abc import Callable

from gitchat.clones.comparing import Tips
from gitchat.clones.report import Report
from gitchat.clones.spoiled import Spoiled
from gitchat.clones.wire import Updates
from gitchat.model import codec
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import log_ref, room_of


class Admission:
    """``asked_format`` tells what the log of a room at a tip asks of its writers."""

    def __init__(self, asked_format: Callable[[RoomName, Oid], int]) -> None:
        self._asked_format = asked_format

    def writable(
        self, updates: Updates, there: Tips, report: Report, spoiled: Spoiled
    ) -> dict[RefName, tuple[Oid | None, Oid | None]]:
        """Those of rooms whose log asks for no later format than this version writes."""
        rooms: set[RoomName] = set()
        for room in {room_of(ref) for ref in updates}:
            with spoiled.apart(room):
                rooms |= {room} if self.may_write(room, there, report) else set()
        return {ref: update for ref, update in updates.items() if room_of(ref) in rooms}

    def may_write(self, room: RoomName, there: Tips, report: Report) -> bool:
        """Whether this version may add to the log that the remote has; says so in the report when not."""
        tip = there.get(log_ref(room))
        asked = self._asked_format(room, tip) if tip is not None else codec.FORMAT
        if asked > codec.NEWEST_FORMAT:
            report.newer[room] = asked
        return asked <= codec.NEWEST_FORMAT
