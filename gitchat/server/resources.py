"""The resources: rooms, messages and handoffs as JSON, each under an address."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from gitchat.model import offered
from gitchat.model.errors import UserError
from gitchat.server.fitting import IN_JSON, RESOURCE_CHARS, fitted, json_text
from gitchat.verbs import as_json, cutting, tools

_JSON = "application/json"

ALWAYS = [{"uri": "chat://rooms", "name": "rooms", "description": "The rooms of this repository", "mimeType": _JSON}]
"""Those that always exist; a room's are found through ``chat://rooms``."""

TEMPLATES = [
    {"uriTemplate": uri, "name": name, "description": description, "mimeType": _JSON}
    for uri, name, description in (
        ("chat://rooms/{room}", "room", "Who is in a room, its summary and newest messages"),
        ("chat://rooms/{room}/messages/{number}", "message", "One message, by its number or handle"),
        ("chat://handoff/{name}", "handoff", "What a participant who comes back has to know"),
    )
]
"""Those that take a parameter."""


def read(uri: str) -> str:
    """A resource's text: JSON. Raises UserError ``no-such-resource``, and what the rooms raise."""
    parts = [unquote(part) for part in uri.removeprefix("chat://").split("/")]
    match parts if uri.startswith("chat://") else []:
        case ["rooms"]:
            found: Any = tools.list_rooms("", "all")
        case ["rooms", room]:
            _refuse_unknown(room)
            found = _handoff("", 50, room)
        case ["rooms", room, "messages", number]:
            _refuse_unknown(room)
            chat = tools.looking(room)
            entry = chat.find(number)
            form = as_json.of_entry(entry, chat.labels([entry]))
            found = cutting.within(form, RESOURCE_CHARS, IN_JSON.message)
        case ["handoff", name]:
            found = _handoff(name)
        case _:
            raise UserError(f"no resource {uri[:200]!r}", hint="begin at chat://rooms", code="no-such-resource")
    return json_text(found)


def _handoff(name: str, recent_limit: int = 10, room: str = "") -> Any:
    handoff = tools.get_handoff(name, recent_limit, room)
    return fitted(offered.GET_HANDOFF, {"room": room}, handoff, RESOURCE_CHARS, IN_JSON).result


def _refuse_unknown(room: str) -> None:
    chat = tools.looking(room)
    chat.environment.refuse_unknown_room(chat.name)
