"""The resources: rooms, messages and handoffs as JSON, each under an address."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from gitchat.model.errors import UserError
from gitchat.model.escape import tame_data
from gitchat.verbs import as_json, tools

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
            found = tools.get_handoff("", 50, room)
        case ["rooms", room, "messages", number]:
            _refuse_unknown(room)
            chat = tools.looking(room)
            entry = chat.find(number)
            found = as_json.of_entry(entry, chat.labels([entry]))
        case ["handoff", name]:
            found = tools.get_handoff(name)
        case _:
            raise UserError(f"no resource {uri[:200]!r}", hint="begin at chat://rooms", code="no-such-resource")
    return json.dumps(tame_data(found), ensure_ascii=False, separators=(",", ":"))


def _refuse_unknown(room: str) -> None:
    chat = tools.looking(room)
    chat.environment.refuse_unknown_room(chat.name)
