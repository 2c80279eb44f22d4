"""Leaving word where rooms stood that a person has moved to another place. Source: docs/format.md section 12.19."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from gitchat.clones.address import is_tellable, parted, public, spelled
from gitchat.clones.moving import draft, last_said, leave, reason
from gitchat.clones.notes import Note
from gitchat.clones.settling import settle
from gitchat.clones.wire import Wire
from gitchat.model import codec
from gitchat.model.errors import ChatError, ConflictError, UserError
from gitchat.model.layout import PLAIN, Layout
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
        wire = wire_to(environment, remote)
        places = {room: wire.laid(_layout_in(before.get(room))).place_of(old) for room in after}
        return {room: places[room] for room, note in after.items() if note.address != places[room]}
    stood = {room: before[room].address for room in after if room in before}
    return {room: place for room, place in stood.items() if place not in ("", after[room].address)}


def _layout_in(note: Note | None) -> Layout:
    return parted(note.address)[1] if note is not None else PLAIN


def announce(environment: Environment, remote: str, layout: Layout) -> None:
    """Say in each room that follows ``remote`` that it moves to another place of it, before it does.

    Whoever pushes to the old place after that has heard it. A room that is refused there is not announced. Raises
    RemoteError where the remote is not heard.
    """
    notes = environment.authorities.notes.all()
    address = _tellable(environment, remote)
    followers = [room for room, note in notes.items() if note.remote == remote and note.address]
    if address is None or not followers:
        return
    wire = wire_to(environment, remote, is_typed=True)
    place = wire.place_of(wire.fetch_addresses()[0])
    for room in followers:
        if notes[room].address == place and environment.store.tip(log_ref(room)) is not None:
            _entry(environment, room, address, place, layout)
    with suppress(UserError, ConflictError):
        settle(open_remote(environment, remote, is_typed=True), None, random=environment.random)


def _tellable(environment: Environment, remote: str) -> str | None:
    """The address of ``remote`` as one may tell it to others; None where that cannot be."""
    told = os.fsdecode(environment.repository.git("remote", "get-url", "--", remote)).removesuffix("\n")
    address = public(told, str(environment.repository.main_worktree))
    return address if address is not None and is_tellable(address) else None


def say_where(environment: Environment, remote: str, rooms: Mapping[RoomName, str], old: str | None) -> list[str]:
    """Say in each of ``rooms``, at both of its places, that it moved; what a person should hear of that.

    ``rooms`` has their old places; ``old`` is an address there, where somebody gave one. The rooms have moved
    already: nothing raises.
    """
    address = _tellable(environment, remote)
    if address is None:
        return [f"where '{remote}' is cannot be told to others, so nobody was told at the old place"]
    wire = wire_to(environment, remote, is_typed=True)
    told = wire.fetch_addresses()[0]
    said = []
    for room, place in rooms.items():
        way = old or (told if parted(place)[0] == parted(wire.place_of(told))[0] else spelled(place, address))
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
    entry = _entry(environment, room, address, place, wire.layout)
    remote = open_remote(environment, wire.name, is_typed=True)
    report = settle(remote, room, random=environment.random)
    if report.refusal is not None:
        raise report.refusal
    tracking = environment.authorities.tracking(log_ref(room), room)
    tip = environment.store.tip(tracking) if tracking is not None else None
    assert tip is not None
    sender = environment.caller.identity(is_seated=False)
    leave(environment.store, wire.laid(parted(place)[1]), way, entry, tip, sender)


def _entry(environment: Environment, room: RoomName, address: str, place: str, layout: Layout) -> Entry:
    """The record that says so: the one that is there, if nothing else was said since, or a new one.

    Raises FormatError, and as Writer.send.
    """
    said = _said(environment, room, address, place, layout)
    sender = environment.caller.identity(is_seated=False)
    return said or environment.writer(room).send(draft(address, place, layout), sender).entry


def _said(environment: Environment, room: RoomName, address: str, place: str, layout: Layout) -> Entry | None:
    last = last_said(environment.numbering(room))
    if last is None or (last.address, last.place, last.layout) != (address, place, layout):
        return None
    uid, _ = codec.identity_key(last.oid, environment.store.read(last.oid))
    return environment.log(room).find(Handle(f"~{uid}"))
