"""Who is meant by a name, where more than one goes by it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from gitchat.model.errors import FormatError
from gitchat.model.names import Name, RoomName, is_name
from gitchat.model.record import Identity
from gitchat.workspace.environment import Environment


def asleep(environment: Environment, recipients: Sequence[str], sender: Identity) -> list[str]:
    """What whoever has written to these should know: whose bell rests, so that they are not woken. A line each."""
    if not (environment.repository.directory / "rings").exists():
        return []
    from gitchat.staying.bell import resting  # where a session was rung

    return resting(environment, recipients, sender.name, is_person=sender.origin == "human")


def reached(environment: Environment, room: RoomName, recipients: Sequence[str]) -> list[str]:
    """What whoever has written to these should know: which of them are in several clones. A line each.

    Only a room that follows a remote is spoken in by other clones; of others nothing is read.
    """
    names = [Name(one) for one in recipients if is_name(one)]
    if not names or environment.authorities.of(room) is None:
        return []
    from gitchat.verbs.room import Room  # brings SQLite

    lines = []
    with suppress(FormatError):
        chosen = Room(environment, room)
        for name in names:
            count = len(chosen.clones_of(name))
            lines += [f"{name} is in {count} clones, and each of them gets it"] if count > 1 else []
    return lines
