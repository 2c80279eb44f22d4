"""Which claims stand: of one room, and the paths of all rooms of a clone, for who only wants to know.

What stands is :func:`gitchat.model.claim.standings` of the log as it is here, by this clone's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitchat.index.condition import Condition, authored_by, of_claims, of_type
from gitchat.model.claim import MAX_SECONDS, Claim, Seat, Standing, What, standings
from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.model.record import Entry, address_of
from gitchat.verbs.standpoint import Standpoint, entries_at
from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class HeldPath:
    """A pattern of paths that somebody has."""

    room: RoomName
    claim: Claim
    what: What
    """Its ``text`` is the pattern as it was typed; :func:`gitchat.model.pattern.regex_of` takes its ``parts``."""


def standing_in(room: Standpoint) -> list[Standing]:
    """What holds and what waits in this room now, first come first. Raises FormatError."""
    found = entries_of_claims(room)
    return standings(found, room.environment.now().seconds) if found else []


def mine(room: Standpoint) -> list[Standing]:
    """My own claims, first come first. Raises FormatError, and as Standpoint.me."""
    found = standing_in(room)
    return [one for one in found if one.claim.seat == seat(room)] if found else []


def seat(room: Standpoint) -> Seat:
    """Who claims here: me. Raises as Standpoint.me."""
    mine = room.identity
    return Seat(mine.name, mine.clone, address_of(mine.email) if mine.clone is None else None)


def held_paths(environment: Environment) -> list[HeldPath]:
    """Each pattern that somebody has now in an open room of this clone, by room, first come first; claims that wait are
    none. A room that cannot be read has none and hides no other. Nothing raises but a clone that cannot be opened.
    """
    return list(_held_paths(environment))


def _held_paths(environment: Environment) -> Iterator[HeldPath]:
    for name in sorted(environment.store.rooms()):
        found: list[Standing] = []
        with suppress(ChatError):
            room = Standpoint(environment, name)
            found = standing_in(room)
            if found and room.records.overview().is_closed:
                found = []
        for one in found:
            if one.waits_for is None:
                yield from (HeldPath(name, one.claim, what) for what in one.claim.whats if what.kind == "path")


def entries_of_claims(room: Standpoint) -> list[Entry]:
    """The records of this room that say something of claims that can still last, in their order."""
    chain = room.records.chain()
    since = Condition("committed > ?", (room.environment.now().seconds - MAX_SECONDS,))
    places = chain.select(Condition.all_of([of_claims(), since]))
    if places:
        leaves = Condition.all_of([authored_by("system"), of_type("presence"), since])
        places += chain.select(leaves, after=places[0].number)
    return entries_at(room, sorted(places, key=lambda place: place.number))
