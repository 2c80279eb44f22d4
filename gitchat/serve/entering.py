"""The room that a request is about, for who asks, and a message into it: the same over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitchat.model.errors import UserError
from gitchat.model.names import Handle, Name, is_slug, parse_locator
from gitchat.model.record import Entry
from gitchat.serve.acting import refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.contract import OPERATIONS, ROOT
from gitchat.serve.fields import check
from gitchat.serve.frames import type_in
from gitchat.verbs.room import Room
from gitchat.verbs.tools.calling import refuse_other
from gitchat.workspace.environment import Environment

HEARTBEAT = "heartbeat"
"""The type of a message that only says that its sender is here: it is never stored."""

_FIELDS = tuple(
    field for one in OPERATIONS if one.act == "send" for field in one.fields if field.name not in ("from", "room")
)


def enter(
    environment: Environment, actor: Actor, room: str | None, name: Name | None = None, *, may_begin: bool = False
) -> Room:
    """The room of this name, the clone's own one without any, to be read for ``name``.

    One that is not there yet only where it ``may_begin``.

    Raises:
        UserError: ``no-such-room``, ``bad-name``.
    """
    chat = Room(environment, room, name)
    refuse_unseen(actor, chat.name)
    if not may_begin:
        try:
            chat.refuse_unknown()
        except UserError as error:
            raise UserError(  # the core's hint has the names of all rooms
                f"there is no room '{chat.name}' here",
                hint=f"see which there are: GET {ROOT}/rooms; PUT {ROOT}/rooms/{chat.name} begins it",
                code="no-such-room",
            ) from error
    return chat


def enter_to_act(
    environment: Environment, actor: Actor, room: str | None, name: Name, *, may_begin: bool = False
) -> Room:
    """As :func:`enter`, to act there. Raises UserError ``name-held`` while somebody else lives under ``name``."""
    chat = enter(environment, actor, room, name, may_begin=may_begin)
    refuse_other(chat)
    return chat


def checked_message(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a WebSocket carries, as ``POST messages`` would: ``message`` and the rest; to all when it names nobody.

    Raises UserError ``bad-argument``.
    """
    return check({"to": "ALL", **given}, _FIELDS)


def is_heartbeat(given: Mapping[str, Any]) -> bool:
    """Whether a message only says that its sender is here."""
    return type_of(given) == HEARTBEAT


def type_of(given: Mapping[str, Any]) -> str | None:
    """The type that a message is stored with: the one that is given, else its own where that can be one."""
    told = type_in(given["message"])
    return given.get("type") or (told if told is not None and is_slug(told) else None)


def post(chat: Room, given: Mapping[str, Any]) -> Entry:
    """Say in ``chat`` what was given and checked, and return the record. Raises as Room.send."""
    message = given["message"]
    return chat.send(
        message,
        to=given["to"],
        type=type_of(given),
        reply_to=place_of(given["reply_to"]) if "reply_to" in given else None,
        urgent=given.get("priority") == "urgent",
        key=given.get("key"),
        media=None if isinstance(message, str) else "json",
        choices=given.get("choices", ()),
        at=given.get("at", ()),
    )


def place_of(value: int | str) -> int | Handle:
    """The number or handle that ``value`` is. Raises UserError ``bad-number``."""
    return parse_locator(value) if isinstance(value, str) else value
