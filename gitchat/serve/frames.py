"""A record as REST and WebSocket give it: the seed's keys first, and names as their owners spell them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitchat.model.names import EVERYBODY, Name, Uid, is_name
from gitchat.model.record import Entry
from gitchat.verbs import as_json

Spelled = Callable[[Name], str]
"""How a participant spells its own name: ``beta-01TYEi4M`` of ``beta-01tyei4m``."""

ALL = "ALL"
"""Everybody, as the seed writes it."""

_OURS = ("room", "reply_to", "priority", "kind", "handle", "attachments", "at", "work", "looks_like")
"""Keys of :func:`as_json.of_entry` that a frame has besides the seed's, where they say something."""


def frame_of(entry: Entry, labels: Mapping[Uid, str], spelled: Spelled) -> dict[str, Any]:
    """``id``, ``type``, ``from``, ``to``, ``message``, ``timestamp``; then what else is known.

    ``id`` is null while the record is pending; then there is a ``handle``. ``to`` is ``"ALL"``, one recipient, or a
    list of several. ``message`` is the text or the JSON value that was sent. ``labels`` are of what it replies to.
    """
    shown = as_json.of_entry(entry, labels)
    frame = {
        "id": shown["id"],
        "type": _type_of(entry, shown["content"]),
        "from": address_of(entry.record.author, spelled),
        "to": _to(entry, spelled),
        "message": shown["content"],
        "timestamp": shown["ts"],
    }
    return frame | {key: shown[key] for key in _OURS if key in shown}


def address_of(recipient: str, spelled: Spelled) -> str:
    """``recipient`` as one writes to it: ``ALL``, ``role:...``, or a name as its owner spells it."""
    if recipient == EVERYBODY:
        return ALL
    return spelled(Name(recipient)) if is_name(recipient) else recipient


def type_in(message: object) -> str | None:
    """The type that a message tells of itself: that of an object which has one; None else."""
    told = message.get("type") if isinstance(message, dict) else None
    return told if isinstance(told, str) and told else None


def _type_of(entry: Entry, content: object) -> str:
    plain = "message" if entry.record.to else "broadcast"
    return type_in(content) or entry.record.type or plain


def _to(entry: Entry, spelled: Spelled) -> str | list[str]:
    to = [address_of(recipient, spelled) for recipient in entry.record.recipients]
    return to[0] if len(to) == 1 else to
