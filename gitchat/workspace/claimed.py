"""Which claims stand: of one room, and the paths of all rooms of a clone, for who only wants to know.

What stands is :func:`gitchat.model.claim.standings` of the log as it is here, by this clone's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitchat.index.condition import Condition, authored_by, of_claims, of_type
from gitchat.model.claim import MAX_SECONDS, Claim, Standing, What, standings
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RoomName
from gitchat.model.record import CLAIM, RELEASE, Entry
from gitchat.model.refs import log_ref
from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class HeldPath:
    """A pattern of paths that somebody has."""

    room: RoomName
    claim: Claim
    what: What
    """Its ``text`` is the pattern as it was typed; :func:`gitchat.model.pattern.regex_of` takes its ``parts``."""


def standings_in(environment: Environment, room: RoomName) -> list[Standing]:
    """What holds and what waits in this room now, first come first. Raises FormatError."""
    return _standings(environment, room, environment.store.tip(log_ref(room)))


def _standings(environment: Environment, room: RoomName, tip: Oid | None) -> list[Standing]:
    found = _entries_of_claims(environment, room, tip)
    return standings(found, environment.now().seconds) if found else []


def standings_here(environment: Environment) -> Iterator[tuple[RoomName, list[Standing]]]:
    """The open rooms of this clone in which something is claimed now, and what stands in each.

    A room that cannot be read has nothing and hides no other.
    """
    for room, tip in environment.store.room_tips():
        found: list[Standing] = []
        with suppress(ChatError):
            found = _standings(environment, room, tip)
            found = [] if found and environment.log(room).overview().is_closed else found
        if found:
            yield room, found


def held_paths(environment: Environment) -> list[HeldPath]:
    """Each pattern that somebody has now in an open room of this clone, by room, first come first; claims that wait are
    none.
    """
    return [
        HeldPath(room, one.claim, what)
        for room, found in standings_here(environment)
        for one in found
        if one.waits_for is None
        for what in one.claim.whats
        if what.kind == "path"
    ]


def entries_of_claims(environment: Environment, room: RoomName) -> list[Entry]:
    """The records of this room that say something of claims that can still last, in their order."""
    return _entries_of_claims(environment, room, environment.store.tip(log_ref(room)))


def _entries_of_claims(environment: Environment, room: RoomName, tip: Oid | None) -> list[Entry]:
    if tip is None or _is_unclaimed(environment, room, tip):
        return []
    log = environment.log(room)
    chain = log.chain()
    since = Condition("committed > ?", (environment.now().seconds - MAX_SECONDS,))
    places = chain.select(Condition.all_of([of_claims(), since]))
    if places:
        leaves = Condition.all_of([authored_by("system"), of_type("presence"), since])
        places += chain.select(leaves, after=places[0].number)
    elif environment.authorities.of(room) is None:
        environment.unclaimed[room] = tip
    return log.entries_at(sorted(places), chain)


_NEAR = 64
"""How many records may have come since it was known that nothing is claimed; beyond that the index is quicker."""


def _is_unclaimed(environment: Environment, room: RoomName, tip: Oid) -> bool:
    """Whether nothing was claimed in this room when that was asked last, and nothing came since that says so.

    It is asked for each answer of a tool, and most rooms have no claims. Raises FormatError.
    """
    known, here = environment.unclaimed.get(room), tip
    if known is None or environment.authorities.of(room) is not None:
        return False
    for _ in range(_NEAR):
        if here == known:
            environment.unclaimed[room] = tip
            return True
        told = environment.told(here)
        if told is None:
            commit = environment.store.read(here)
            if len(commit.parents) != 1:
                return False
            told = commit.parents[0], commit.kind
        if told[1] in (CLAIM, RELEASE):
            return False
        here = told[0]
    return False
