"""The JSON forms of what a room holds: the same on the command line, in Python and over MCP.

Pure. Keys that the seed contract does not know appear only when they carry something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitchat.names import Uid, handle_of
from gitchat.record import MESSAGE, Entry


def of_entry(entry: Entry, labels: Mapping[Uid, str]) -> dict[str, Any]:
    """The JSON form: the seed contract's keys, then what else is set.

    ``content`` is the text, or the JSON value that was sent as one; ``to`` names
    several recipients with commas; ``reply_to`` is a number, or a handle when the
    record it names is out of sight.
    """
    record = entry.record
    content: Any = record.body
    if record.media == "json":
        content = parsed(record.body)
    shown: dict[str, Any] = {
        "id": entry.number,
        "ts": record.written.utc,
        "from": record.author,
        "to": ",".join(record.recipients),
        "content": content,
        "room": entry.room,
        "uid": record.uid,
    }
    reply = labels.get(record.reply_to, handle_of(record.reply_to)) if record.reply_to else None
    optional = {
        "handle": entry.handle if entry.number is None else None,
        "kind": record.kind if record.kind != MESSAGE else None,
        "type": record.type,
        "reply_to": int(reply[1:]) if reply and reply.startswith("#") else reply,
        "priority": "urgent" if record.urgent else None,
        "commit": record.commit,
        "origin": record.origin,
        "media": record.media,
        "attachments": _attachments(entry) or None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def _attachments(entry: Entry) -> list[dict[str, Any]]:
    """Those that can be extracted; ``bytes`` is null for one whose content is not in this clone."""
    sound = [one for one in entry.attachments if one.problem is None]
    return [{"name": one.name, "bytes": one.size_bytes, "oid": one.oid} for one in sound]


def parsed(body: str) -> Any:
    """The JSON value that ``body`` is, or ``body`` itself when it is none that could be written again."""
    import json

    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return body
    return value
