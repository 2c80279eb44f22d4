"""Leaving word where rooms stood that a person has moved to another place. Source: docs/format.md section 12.19."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from gitchat.clones.address import is_tellable, parted, public, spelled
from gitchat.clones.comparing import is_first_parent
from gitchat.clones.moving import draft, last_said, leave, reason
from gitchat.clones.notes import Note
from gitchat.clones.report import Report
from gitchat.clones.settling import ROUNDS, settle
from gitchat.clones.target import push_address
from gitchat.clones.wire import Wire
from gitchat.model import codec
from gitchat.model.errors import ChatError, ConflictError, UserError
from gitchat.model.layout import PLAIN, Layout
from gitchat.model.names import Handle, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import ROOMS_PREFIX, log_ref, tracking_ref
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
    """Have the rooms that follow ``remote`` at another place of it, too, and then say in each that it moves there.

    Whoever pushes to the old place after that has heard it, and brings what had a number there to the new one. A room
    that is refused at the old place is not announced.

    Raises:
        RemoteError: the remote is not heard, or takes no room at the new place; or others were quicker each time.
    """
    for _ in range(ROUNDS):
        _settle(environment, remote)
        old = environment.authorities.layout(remote)
        address, followers = _tellable(environment, remote), _followers(environment, remote)
        if old == layout or address is None or not followers:  # somebody else was quicker, or nobody is to be told
            return
        report = lay_out(environment, remote, followers, layout)
        if report.refusal is None or report.refused[0].is_about_addresses:  # then it is all written anew there
            for room, place in followers.items():
                _entry(environment, room, address, place, layout)
            report = _settle(environment, remote)
            if not report.is_late and environment.authorities.layout(remote) == old:
                return
        elif not report.is_late:
            break
    if report.refusal is not None:
        raise report.refusal


def _settle(environment: Environment, remote: str) -> Report:
    with suppress(UserError, ConflictError):
        return settle(open_remote(environment, remote, is_typed=True), None, random=environment.random)
    return Report(remote)


def _followers(environment: Environment, remote: str) -> dict[RoomName, str]:
    """The rooms that follow ``remote`` where it is, and that place. Raises RemoteError."""
    wire = wire_to(environment, remote, is_typed=True)
    place = wire.place_of(wire.fetch_addresses()[0])
    return {
        room: place
        for room, note in environment.authorities.notes.all().items()
        if note == Note(remote, place) and environment.store.tip(log_ref(room)) is not None
    }


def lay_out(environment: Environment, remote: str, rooms: Mapping[RoomName, str], layout: Layout) -> Report:
    """Have at another place of ``remote`` what it numbered of ``rooms``, where nothing that we know goes on from there.

    Raises RemoteError: the remote is not heard.
    """
    store, wire = environment.store, wire_to(environment, remote, is_typed=True)
    known = {ref: store.tip(tracking_ref(remote, ref)) for ref in map(log_ref, rooms)}
    seen = {ref: tip for ref, tip in known.items() if tip is not None}
    address = push_address(store, wire, next(iter(rooms.values())), seen, {})
    wire = wire.laid(layout)
    there = {ref: oid for ref, oid in wire.listed(f"{ROOMS_PREFIX}*").items() if ref in seen}
    if there:
        wire.fetch_objects(there)
    updates = {
        ref: (tip, old)
        for ref, tip in seen.items()
        if (old := there.get(ref)) != tip and (old is None or is_first_parent(store, old, tip))
    }
    answers = wire.push(updates, address) if updates else []
    return Report(remote, layout, refused=[one for one in answers if not one.is_accepted])


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
