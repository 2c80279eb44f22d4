"""The JSON forms of what a room holds: the same on the command line, in Python and over MCP.

Pure. Keys that the seed contract does not know appear only when they carry something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitchat.names import RoomName, Uid, handle_of
from gitchat.record import MESSAGE, Entry, Moment

if TYPE_CHECKING:  # whoever has one has loaded it
    from gitchat.log import Overview
    from gitchat.participant import Participant
    from gitchat.summaries import Summary


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


def of_message(entry: Entry, labels: Mapping[Uid, str], default_room: RoomName) -> dict[str, Any]:
    """As :func:`of_entry`, as short as the tools give it.

    ``id``, ``ts``, ``from``, ``to``, ``content``; then what says more: the uid, the default room and an agent
    as the origin do not.
    """
    shown = of_entry(entry, labels)
    idle = {"uid", "media"}
    idle |= {"room"} if entry.room == default_room else set()
    idle |= {"origin"} if entry.record.origin == "agent" else set()
    return {key: value for key, value in shown.items() if key not in idle}


def of_participant(one: Participant) -> dict[str, Any]:
    """``name``, ``role``, ``joined_at``, ``last_seen``; ``capabilities`` where there are any."""
    shown: dict[str, Any] = {
        "name": one.name,
        "role": one.role,
        "joined_at": Moment(one.joined_at).utc,
        "last_seen": Moment(one.last_seen).utc,
    }
    return shown | ({"capabilities": list(one.capabilities)} if one.capabilities else {})


def of_summary(summary: Summary) -> dict[str, Any]:
    """``id``, ``ts``, ``from``, ``scope``, ``content``."""
    return {
        "id": summary.number,
        "ts": summary.written.utc,
        "from": summary.author,
        "scope": summary.scope,
        "content": summary.text,
    }


def of_overview(room: Overview) -> dict[str, Any]:
    """``room``, ``status``, ``title`` (or null), ``latest_id``, ``active`` (or null)."""
    return {
        "room": room.name,
        "status": "closed" if room.is_closed else "open",
        "title": room.title,
        "latest_id": room.count,
        "active": Moment(room.active_seconds).utc if room.active_seconds is not None else None,
    }


def _attachments(entry: Entry) -> list[dict[str, Any]]:
    """Those that can be extracted; ``bytes`` is null for one whose content is not in this clone."""
    sound = [one for one in entry.attachments if one.problem is None]
    return [{"name": one.name, "bytes": one.size_bytes, "oid": one.oid} for one in sound]


def of_presence(participant: Participant) -> dict[str, Any]:
    """The JSON form: the seed contract's keys, then ``state`` and what else is known.

    ``state`` is ``living``, ``registered`` or ``away``. Where the name was taken is told while it is not away.
    """
    holder = participant.holder if participant.is_present else None
    shown: dict[str, Any] = {
        "name": participant.name,
        "role": participant.role,
        "joined_at": Moment(participant.joined_at).utc,
        "last_seen": Moment(participant.last_seen).utc,
        "state": state_of(participant),
    }
    optional = {
        "capabilities": list(participant.capabilities) or None,
        "worktree": holder.worktree if holder else None,
        "branch": holder.branch if holder else None,
        "client": holder.client if holder else None,
        "host": holder.host if holder else None,
        "pid": holder.pid if holder and participant.is_living else None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def state_of(participant: Participant | None) -> str:
    """``living``, ``registered`` or ``away``; None is somebody who never joined."""
    if participant is None or not participant.is_present:
        return "away"
    return "living" if participant.is_living else "registered"


def parsed(body: str) -> Any:
    """The JSON value that ``body`` is, or ``body`` itself when it is none that could be written again."""
    import json

    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return body
    return value
