"""Joining rooms, living in them and leaving them, for one of those that the server acts for; in the worker thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitchat.model.names import Name, RoomName
from gitchat.model.participant import new_membership
from gitchat.serve.actor import Actor
from gitchat.verbs import attendance
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class Joined:
    """How a name joined."""

    key: str
    """Whose it is: Actor.key."""
    rooms: tuple[RoomName, ...]
    """The rooms that it joined, in that order."""
    role: str
    capabilities: tuple[str, ...]
    label: str
    """What it is called outside, such as ``Beta``; blank for its name."""
    given: str
    """The name as its owner spelled it."""
    session_id: str | None
    """What its owner calls its session: a label, and never a credential."""


def join(environment: Environment, name: Name, joined: Joined) -> None:
    """Live under ``name`` in its rooms; where that fails, as before.

    Raises:
        UserError: ``name-taken``, ``bad-role``, ``bad-capability``, ``bad-label``.
    """
    new_membership(joined.role, joined.capabilities, 0, is_registered=False)  # refused before the name is held
    was_held = name in environment.held()
    try:
        environment.hold(name, label=joined.label or None, given=joined.given)
        for room in joined.rooms:
            attendance.live(Room(environment, room, name), joined.role, joined.capabilities)
    except BaseException:
        if not was_held:
            release(environment, name)
        raise


def leave(environment: Environment, name: Name, rooms: Iterable[RoomName]) -> list[RoomName]:
    """Leave these rooms; those that it was in. Raises as Room.leave."""
    return [room for room in rooms if Room(environment, room, name).leave()]


def release(environment: Environment, name: Name) -> None:
    """Live under ``name`` no more, and stay what it is in its rooms."""
    held = environment.held().get(name)
    if held is not None:
        held.release()


def joined_before(environment: Environment, actor: Actor, name: Name) -> Joined | None:
    """How ``name`` joined that lived through a server before this one, and did not leave; None for any other."""
    presence = environment.roll.find(name)
    if presence is None or presence.is_living or presence.holder is None or presence.holder.client != "http":
        return None
    rooms = {room: at for room, at in presence.rooms.items() if at.left_at is None}
    if not rooms:
        return None
    last = max(rooms.values(), key=lambda at: at.last_seen)
    label, given = presence.holder.label or "", presence.holder.given or name
    return Joined(actor.key, tuple(rooms), last.role, last.capabilities, label, given, None)
