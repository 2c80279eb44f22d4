"""Rooms with which a round can do nothing, because of what somebody pushed there: they end nothing for the others."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from gitchat.clones.report import Report
from gitchat.clones.wire import Wire
from gitchat.model.errors import FormatError, RemoteError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, is_cursor, is_of_a_room, room_of


class Spoiled:
    """The rooms that one round leaves alone, and why."""

    def __init__(self) -> None:
        self.why: dict[RoomName, str] = {}

    @contextmanager
    def apart(self, room: RoomName) -> Iterator[None]:
        """Do something with ``room`` alone; what cannot be read of it ends nothing but that."""
        try:
            yield
        except FormatError as error:
            self.why.setdefault(room, f"{error}; see git chat doctor")

    def __contains__(self, room: RoomName) -> bool:
        return room in self.why

    def tell(self, report: Report) -> Collection[RoomName]:
        """Say in the report which rooms were left alone; these rooms."""
        report.alarms += [f"room '{room}' is left alone: {why}" for room, why in self.why.items()]
        return self.why.keys()


def fetch(wire: Wire, room: RoomName | None) -> dict[RoomName, str]:
    """As Wire.fetch; where that fails although the remote answers, each room is fetched by itself.

    Objects that git here refuses, or that the remote has lost, are in the way of one room alone. Returns which rooms
    were not fetched, and why. Raises as Wire.fetch when nothing came at all.
    """
    try:
        wire.fetch(room)
    except RemoteError as error:
        if room is not None or error.code != "remote-failed":
            raise
        return _fetch_apart(wire, error)
    return {}


def _fetch_apart(wire: Wire, error: RemoteError) -> dict[RoomName, str]:
    rooms = sorted({room_of(ref) for ref in wire.listed(f"{ROOMS_PREFIX}*") if is_of_a_room(ref)})
    why: dict[RoomName, str] = {}
    for room in rooms:
        try:
            wire.fetch(room)
        except RemoteError as refusal:
            why[room] = str(refusal)
    if len(why) == len(rooms):
        raise error
    return why


def without_blocked(
    updates: Mapping[RefName, tuple[Oid | None, Oid | None]], odd: list[RefName], report: Report
) -> dict[RefName, tuple[Oid | None, Oid | None]]:
    """``updates`` without those that the remote cannot take: one of its refs ``odd``, of no room's, is in the way.

    A ref cannot be a file and a directory. The report says which, and how it is deleted.
    """
    free: dict[RefName, tuple[Oid | None, Oid | None]] = {}
    for ref, update in updates.items():
        other = next((one for one in odd if one.startswith(f"{ref}/") or ref.startswith(f"{one}/")), None)
        if other is None:
            free[ref] = update
        else:
            stands, wanted = report.layout.there(other), report.layout.there(ref)
            remedy = f"git push {report.remote} --delete {shlex.quote(stands)}"
            report.alarms.append(f"{wanted} cannot be pushed: '{report.remote}' has {stands} in its place: {remedy}")
            report.blocked |= {} if is_cursor(ref) else {room_of(ref): remedy}
    return free


def odd_refs(refs: Mapping[RefName, Oid]) -> list[RefName]:
    """Those of a remote's refs below the rooms that are none of a room's. Source: docs/format.md section 2.1."""
    return [ref for ref in refs if not is_of_a_room(ref)]
