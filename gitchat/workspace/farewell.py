"""Leaving word where rooms stood that a person has moved to another place. Source: docs/format.md section 12.19."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gitchat.clones.address import is_tellable, public, spelled
from gitchat.clones.moving import draft, last_said, leave, reason
from gitchat.clones.notes import Note
from gitchat.clones.settling import settle
from gitchat.clones.wire import Wire
from gitchat.model import codec
from gitchat.model.errors import ChatError
from gitchat.model.names import Handle, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import open_remote, wire_to


def moved_rooms(
    environment: Environment, remote: str, before: Mapping[RoomName, Note], old: str | None
) -> dict[RoomName, str]:
    """The rooms that follow ``remote`` elsewhere than it was noted ``before``, and where that was, as two are compared.

    With an ``old`` address: all that follow it now, and stood there.
    """
    after = {room: note for room, note in environment.authorities.notes.all().items() if note.remote == remote}
    if old is not None:
        place = wire_to(environment, remote).place_of(old)
        return {room: place for room, note in after.items() if note.address != place}
    stood = {room: before[room].address for room in after if room in before}
    return {room: place for room, place in stood.items() if place not in ("", after[room].address)}


def say_where(environment: Environment, remote: str, rooms: Mapping[RoomName, str], old: str | None) -> list[str]:
    """Say in each of ``rooms``, at both of its places, that it moved; what a person should hear of that.

    ``rooms`` has their old places; ``old`` is an address there, where somebody gave one. The rooms have moved
    already: nothing raises.
    """
    told = os.fsdecode(environment.repository.git("remote", "get-url", "--", remote)).removesuffix("\n")
    address = public(told, str(environment.repository.main_worktree))
    if address is None or not is_tellable(address):
        return [f"where '{remote}' is cannot be told to others, so nobody was told at the old place"]
    wire = wire_to(environment, remote, is_typed=True)
    said = []
    for room, place in rooms.items():
        way = old or spelled(place, told)
        try:
            _say(environment, wire, room, (address, place, way))
            said.append(f"{room}: who still follows it at {place} is told where it is")
        except ChatError as error:
            said.append(
                f"{room}: nobody was told at {place} ({reason(error)}); if it is there under another address: "
                f"git chat remote move {remote} --from URL"
            )
    return said


def _say(environment: Environment, wire: Wire, room: RoomName, places: Sequence[str]) -> None:
    """Raises ChatError."""
    address, place, way = places
    sender = environment.caller.identity(is_seated=False)
    entry = _said(environment, room, address, place)
    if entry is None:
        entry = environment.writer(room).send(draft(address, place), sender).entry
    remote = open_remote(environment, wire.name, is_typed=True)
    report = settle(remote, room, random=environment.random)
    if report.refusal is not None:
        raise report.refusal
    tracking = environment.authorities.tracking(log_ref(room), room)
    tip = environment.store.tip(tracking) if tracking is not None else None
    assert tip is not None
    leave(environment.store, wire, way, entry, tip, sender)


def _said(environment: Environment, room: RoomName, address: str, place: str) -> Entry | None:
    """The record that says so already, if nothing else was said since. Raises FormatError."""
    last = last_said(environment.numbering(room))
    if last is None or (last.address, last.place) != (address, place):
        return None
    uid, _ = codec.identity_key(last.oid, environment.store.read(last.oid))
    return environment.log(room).find(Handle(f"~{uid}"))
