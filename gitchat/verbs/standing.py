"""Which claims stand in a room, and which of them are mine."""

from __future__ import annotations

from gitchat.model.claim import Seat, Standing
from gitchat.model.record import address_of
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.claimed import standings_in


def standing_in(room: Standpoint) -> list[Standing]:
    """What holds and what waits in this room now, first come first. Raises FormatError."""
    return standings_in(room.environment, room.name)


def mine(room: Standpoint) -> list[Standing]:
    """My own claims, first come first. Raises FormatError, and as Standpoint.me."""
    found = standing_in(room)
    return [one for one in found if one.claim.seat == seat(room)] if found else []


def seat(room: Standpoint) -> Seat:
    """Who claims here: me. Raises as Standpoint.me."""
    mine = room.identity
    return Seat(mine.name, mine.clone, address_of(mine.email) if mine.clone is None else None)
