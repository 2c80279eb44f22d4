"""A call of a tool: the room that it is about, for whom it is, and the arguments that several tools have."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from gitchat.index.condition import Condition, authored_by, of_type
from gitchat.model.errors import UserError
from gitchat.model.names import Handle, parse_locator, parse_name, parse_slug
from gitchat.verbs.room import Room
from gitchat.verbs.tools.arguments import refuse_blank, refuse_negative, refuse_outside
from gitchat.workspace.environment import Environment, here

Json = dict[str, Any]
Content = str | Json | list[Any]
Place = int | str
"""A number, or a handle such as ``~k3f9q2`` for what has no number yet."""

MAX_LIMIT = 100

_BEYOND = 10**18
"""More than any number, and within what the index can compare."""

_environments: dict[str, Environment] = {}

# --- the room --------------------------------------------------------------------


def here_environment() -> Environment:
    """The surroundings of the current directory; the same ones again, because opening them costs."""
    environment = here()
    return _environments.setdefault(environment.cwd, environment)


def forget() -> None:
    """Close what was opened for directories used so far."""
    for environment in _environments.values():
        with suppress(Exception):
            environment.store.backend.close()
    _environments.clear()


def named(name: str, room: str) -> Room:
    """The room for a participant that is named."""
    return Room(here_environment(), room or None, parse_name(refuse_blank(name, "name")))


def looking(room: str) -> Room:
    """The room for somebody who only looks."""
    return Room(here_environment(), room or None)


def acting(name: str, room: str) -> Room:
    """As :func:`named`, for what only the participant itself may do."""
    chat = named(name, room)
    refuse_other(chat)
    return chat


def refuse_other(chat: Room) -> None:
    """Raise UserError ``name-held`` when somebody else lives under the name."""
    why_not = chat.why_not_mark()
    if why_not is not None:
        raise UserError(
            f"cannot act as '{chat.me}': {why_not}",
            hint=f"use the name that this process joined under, or join as '{chat.me}' where it is free",
            code="name-held",
        )


# --- arguments -------------------------------------------------------------------


def check_limit(value: int, field: str) -> None:
    """Raise UserError ``bad-argument`` for a number of records that no call gives."""
    refuse_outside(value, field, 1, MAX_LIMIT, "call again for more")


def number_of(chat: Room, place: Place, field: str) -> int:
    """The number of ``place``, which need not be given yet."""
    located: int | Handle = parse_locator(place) if isinstance(place, str) else place
    if isinstance(located, str):
        number = chat.find(located).number
        return chat.overview().count if number is None else number  # what is pending stands behind every number
    refuse_negative(located, field, "0 is before the first message")
    return min(located, _BEYOND)


def conditions_of(type: str, sender: str) -> list[Condition]:  # noqa: A002 - the field's name in every face
    """What is asked for by type and sender, where they are given."""
    conditions = [of_type(parse_slug(type, "type"))] if type else []
    return conditions + ([authored_by(parse_slug(sender, "sender"))] if sender else [])


def checked_name(name: str) -> str:
    """``name`` as a participant's. Raises UserError ``bad-name``."""
    return parse_name(name.strip())
