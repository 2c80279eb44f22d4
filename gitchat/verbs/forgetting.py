"""Giving a name back: its positions, here and at the remote, and all that is kept of it here but what it said.

Source: docs/format.md section 12.22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gitchat.clones.dropping import Dropped, drop, names_here
from gitchat.model.errors import ChatError, Mistyped, RemoteError, UserError
from gitchat.model.names import Name, RoomName, parse_name
from gitchat.model.refs import ROOMS_PREFIX, name_of_cursor, room_of
from gitchat.model.spelling import near
from gitchat.presence import telling
from gitchat.presence.defaults import Defaults
from gitchat.presence.seats import Seats
from gitchat.rooms.seat import seated
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import open_remote
from gitchat.workspace.seating import Seating

HEARING_SECONDS = 10.0
"""How long each remote is waited for before it is left for the next round."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was given back of a name."""

    name: Name
    cursors: int
    """How many positions were dropped here, each in one room."""
    seats: int
    """How many seats ended, each in one room."""
    was_known: bool
    """Whether this clone knew it by anything else: as somebody who joined, or as a name that it gave."""
    waiting: Mapping[str, Sequence[RoomName]]
    """By remote the rooms in which it has still to drop a position."""
    alarms: Sequence[str] = ()
    """What a person should hear of the remotes; a server's words are among it."""
    unheard: Mapping[str, str] = field(default_factory=dict)
    """By remote why it was not heard."""


def forget(environment: Environment, name: str, room: RoomName | None = None) -> Forgotten:
    """Give back what ``name`` left, in one room or in all. What it said stays, and again this does nothing.

    A person gives back whatever name, an agent its own. It can come again: a seat of it begins then at what the newest
    summary covers, and a person has read nothing.

    Raises:
        UserError: ``not-yours``: an agent gives back another's name; ``name-taken`` while a process lives under it;
            ``no-such-name``, ``bad-name``, ``mirror``, ``no-such-room``.
        ConflictError: ``sync-running``, and what Store.move raises.
        StorageError: the disk refuses.
    """
    environment.repository.refuse_mirror()
    if room is not None:
        environment.refuse_unknown_room(room)
    chosen, store = parse_name(name), environment.store
    _refuse_others(environment, chosen)
    _refuse_living(environment, chosen)
    rooms = {room_of(ref) for ref, _ in store.backend.list_refs(ROOMS_PREFIX)} if room is None else {room}
    authorities = {one: environment.authorities.of(one) for one in rooms}
    remotes = sorted({remote for remote in authorities.values() if remote is not None})
    unheard, alarms = dict[str, str](), list[str]()
    _hear(environment, remotes, room, unheard, alarms)
    _refuse_unknown(environment, chosen, rooms)
    # Presence first: it asks the kernel once more whether somebody lives under the name.
    was_known = environment.roll.forget(chosen, None if room is None else rooms)
    was_known |= room is None and Defaults(environment.repository.directory).forget(chosen)
    seats = sum(1 for one in seated(store) if one[1] == chosen and one[0] in rooms)
    Seating(environment).give_back(chosen, room)
    cursors = drop(store, chosen, authorities)
    _remove_files(environment, chosen, rooms, is_all=room is None)
    if cursors:
        owing = [one for one in _waiting(environment, chosen, rooms) if one not in unheard]
        _hear(environment, owing, room, unheard, alarms, drops=True)
    waiting = _waiting(environment, chosen, rooms)
    return Forgotten(chosen, cursors, seats, was_known, waiting, tuple(dict.fromkeys(alarms)), unheard)


def _hear(
    environment: Environment,
    remotes: Sequence[str],
    room: RoomName | None,
    unheard: dict[str, str],
    alarms: list[str],
    *,
    drops: bool = False,
) -> None:
    """Take in what the remotes have, so that what they drop is what they have; with ``drops`` let them drop it.

    Nothing else is pushed: who syncs only when somebody says so has said nothing of messages.
    """
    for remote in remotes:
        try:
            one = open_remote(environment, remote, is_typed=True, limit_seconds=HEARING_SECONDS)
            report = one.round(room, pushes=False, drops=drops, is_asked=False)
            alarms += report.alarms
            if one.is_denied:
                unheard[remote] = "it lets you read and not push"
        except ChatError as error:
            if not isinstance(error, RemoteError) and error.code == "sync-running":
                raise
            unheard[remote] = str(error)


def _refuse_others(environment: Environment, name: Name) -> None:
    """Raise UserError ``not-yours`` where an agent would take another's position away, which reads on by it."""
    if environment.caller.has_seat and name != (own := environment.caller.name()):
        raise UserError(
            f"'{name}' is not yours to give back: you are {own}",
            hint=f'ask a person for it: git chat send "please: git chat forget {name}"',
            code="not-yours",
        )


def _refuse_living(environment: Environment, name: Name) -> None:
    known = environment.roll.find(name)
    if known is not None and known.is_living:
        raise UserError(
            f"'{name}' lives: {known.holder or 'a process that did not say which'} goes by it",
            hint="end that first; who is here: git chat who",
            public_message=f"'{name}' lives",
            code="name-taken",
        )


def _refuse_unknown(environment: Environment, name: Name, rooms: set[RoomName]) -> None:
    """Raise UserError ``no-such-name`` for who left nothing here, was never forgotten, and has said nothing."""
    store = environment.store
    known = {*names_here(store), *Seats(environment.repository.directory).all(), *(one for _, one in seated(store))}
    if name in known or environment.roll.find(name) is not None:
        return
    for room in sorted(rooms):
        with suppress(ChatError):  # a room that cannot be read has nobody
            known |= {Name(one) for one in environment.log(room).chain().newest_by_author()}
            known |= {one.name for one in environment.roll.known(room)}
    if name in known or Defaults(environment.repository.directory).has(name):
        return
    said = f"nobody called '{name}' was ever here"
    if not near(name, known, 1):
        raise UserError(said, hint="everybody who was: git chat who --all", code="no-such-name")
    raise Mistyped(
        said, hint="everybody who was: git chat who --all", code="no-such-name", word=name, known=sorted(known)
    )


def _waiting(environment: Environment, name: Name, rooms: set[RoomName]) -> dict[str, list[RoomName]]:
    """By remote the rooms in which it has still to drop the position of ``name``."""
    waiting: dict[str, list[RoomName]] = {}
    for ref, owed in sorted(Dropped(environment.store).all().items()):
        if owed is not None and room_of(ref) in rooms and name_of_cursor(room_of(ref), ref) == name:
            waiting.setdefault(owed[0], []).append(room_of(ref))
    return waiting


def _remove_files(environment: Environment, name: Name, rooms: set[RoomName], *, is_all: bool) -> None:
    """Remove what was noted for the hooks and tools of ``name``. All of it is disposable, so nothing raises."""
    directory = environment.repository.directory
    for room in rooms:
        with suppress(OSError):
            telling.forget(directory, room, name)
    if is_all:
        with suppress(OSError):
            OwnFile(directory, f"told/{name}").remove()
