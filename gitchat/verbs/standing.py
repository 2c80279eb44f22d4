"""Which claims stand in a room: whose they are, and which of them concern me."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from gitchat.model.claim import Seat, Standing
from gitchat.model.names import CloneId, Name
from gitchat.model.pattern import matches
from gitchat.model.record import address_of
from gitchat.storage.git import GitFailed
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.claimed import standings_in
from gitchat.workspace.files import changed

MOST_FILES = 500
"""Of how many changed files it is asked who has claimed them: a look must not take long."""


def standing_in(room: Standpoint) -> list[Standing]:
    """What holds and what waits in this room now, first come first. Raises FormatError."""
    return standings_in(room.environment, room.name)


def mine(room: Standpoint) -> list[Standing]:
    """My own claims, first come first. Raises FormatError, and as Standpoint.me."""
    found = standing_in(room)
    me = seat(room) if found else None
    return [one for one in found if one.claim.seat == me]


def concerning(room: Standpoint) -> list[Standing]:
    """My claims, and those of others that are of files which I changed here, first come first.

    Raises FormatError, and as Standpoint.me.
    """
    found = standing_in(room)
    me = seat(room) if found else None
    others = [one for one in found if one.claim.seat != me]
    files = _changed(room) if any(what.kind == "path" for one in others for what in one.claim.whats) else []
    return [one for one in found if one.claim.seat == me or _is_of(one, files)]


def seat(room: Standpoint) -> Seat:
    """Who claims here: me. Raises as Standpoint.me."""
    mine = room.identity
    return Seat(mine.name, mine.clone, address_of(mine.email) if mine.clone is None else None)


def held_by(found: Iterable[Standing], name: Name, clones: Collection[CloneId | None] | None = None) -> list[str]:
    """What ``name`` has, as it is typed; only what it claimed in one of ``clones``, where some are given."""
    return [
        str(what)
        for one in found
        if one.waits_for is None and one.claim.seat.name == name
        if clones is None or one.claim.seat.clone in clones
        for what in one.claim.whats
    ]


def _changed(room: Standpoint) -> list[str]:
    """The files that I changed in this work tree; none where I am somewhere else, and it is another's."""
    party = room.environment.party
    if party is None or party.is_person:
        with suppress(GitFailed):
            return changed(room.environment.repository)[:MOST_FILES]
    return []


def _is_of(one: Standing, files: Iterable[str]) -> bool:
    patterns = [what.parts for what in one.claim.whats if what.kind == "path"]
    return any(matches(parts, file) for file in files for parts in patterns)
