"""The shapes of what REST answers, as JSON Schemas: what openapi.json tells, and what tests hold the answers to. Pure.

No shape forbids keys that it does not name: what is added later breaks no client.
"""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
COUNT: Shape = {"type": "integer", "minimum": 0}
FLAG: Shape = {"type": "boolean"}
TIME: Shape = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
ANY: Shape = {}


def or_null(shape: Shape) -> Shape:
    """``shape``, or null."""
    return {**shape, "type": [shape["type"], "null"]} if "type" in shape else {"anyOf": [shape, {"type": "null"}]}


def several(shape: Shape) -> Shape:
    """A list of ``shape``."""
    return {"type": "array", "items": shape}


def named(name: str) -> Shape:
    """The shape of this name among :data:`NAMED`."""
    return {"$ref": f"#/components/schemas/{name}"}


def keys(always: dict[str, Shape], where_it_says_something: dict[str, Shape] | None = None) -> Shape:
    """An object with the first keys always, and the others where they say something."""
    return {"type": "object", "properties": always | (where_it_says_something or {}), "required": list(always)}


def done(always: dict[str, Shape], where_it_says_something: dict[str, Shape] | None = None) -> Shape:
    """As :func:`keys`, of what the seed answers: ``success`` first."""
    return keys({"success": {"type": "boolean", "enum": [True]}, **always}, where_it_says_something)


PLACE: Shape = {"type": ["integer", "string"]}
"""A number, or a handle."""

LINES = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}

AT = keys({"path": TEXT}, {"lines": LINES, "excerpt": keys({"first": COUNT, "text": TEXT})})

ATTACHMENT = keys({"name": TEXT, "bytes": or_null(COUNT), "oid": TEXT})

FRAME = keys(
    {
        "id": or_null(COUNT),
        "type": TEXT,
        "from": TEXT,
        "to": {"anyOf": [TEXT, several(TEXT)]},
        "message": ANY,
        "timestamp": TIME,
    },
    {
        "room": TEXT,
        "reply_to": PLACE,
        "priority": {"type": "string", "enum": ["urgent"]},
        "kind": TEXT,
        "handle": TEXT,
        "attachments": several(ATTACHMENT),
        "at": several(AT),
        "work": COUNT,
        "looks_like": TEXT,
    },
)

PEER = keys({"agent_id": TEXT, "name": TEXT, "status": {"type": "string", "enum": ["active", "away"]}})

AGENT = keys(
    {
        "agent_id": TEXT,
        "session_id": or_null(TEXT),
        "name": TEXT,
        "status": {"type": "string", "enum": ["active", "away"]},
        "capabilities": several(TEXT),
        "last_heartbeat": TIME,
    },
    {"role": TEXT},
)

RECORD = keys(
    {"id": or_null(COUNT), "ts": TIME, "from": TEXT, "to": TEXT, "content": ANY, "room": TEXT, "uid": TEXT},
    {
        "handle": TEXT,
        "kind": TEXT,
        "type": TEXT,
        "was": COUNT,
        "reply_to": PLACE,
        "reply_to_was": COUNT,
        "priority": {"type": "string", "enum": ["urgent"]},
        "commit": TEXT,
        "branch": TEXT,
        "choices": several(TEXT),
        "work": COUNT,
        "origin": TEXT,
        "media": TEXT,
        "attachments": several(ATTACHMENT),
        "at": several(AT),
        "looks_like": TEXT,
        "remote": TEXT,
        "pushed": FLAG,
        "replied": keys({"from": TEXT, "content": TEXT}),
        "more_characters": COUNT,
        "read_by": several(TEXT),
        "fetched_by": several(TEXT),
    },
)

ROOM = keys(
    {
        "room": TEXT,
        "status": {"type": "string", "enum": ["open", "closed", "unreadable"]},
        "title": or_null(TEXT),
        "latest_id": or_null(COUNT),
        "active": or_null(TIME),
    },
    {"pending": COUNT, "unread": COUNT, "urgent": COUNT, "last_read_id": COUNT},
)

CONFLICT = keys(
    {"with": several(TEXT), "paths": several(TEXT), "id": or_null(COUNT), "handle": TEXT, "since": TIME},
    {"old": FLAG},
)

PERSON = keys(
    {
        "name": TEXT,
        "state": {"type": "string", "enum": ["living", "registered", "elsewhere", "away"]},
        "last_seen": TIME,
    },
    {
        "role": TEXT,
        "joined_at": TIME,
        "capabilities": several(TEXT),
        "branch": TEXT,
        "client": TEXT,
        "label": TEXT,
        "given": TEXT,
        "last_number": COUNT,
        "read_upto": COUNT,
        "unread": COUNT,
        "claims": several(TEXT),
        "conflicts": several(CONFLICT),
    },
)

SUMMARY = keys(
    {"id": or_null(COUNT), "ts": TIME, "from": TEXT, "scope": TEXT, "content": TEXT},
    {"handle": TEXT, "covers": TEXT, "looks_like": TEXT},
)

FOUND = {
    **RECORD,
    "properties": RECORD["properties"] | {"snippet": TEXT, "marked": several({"type": "array", "items": ANY})},
    "required": [*RECORD["required"], "snippet", "marked"],
}

ERROR = keys(
    {"success": {"type": "boolean", "enum": [False]}, "error": TEXT, "hint": TEXT, "code": TEXT},
)

NAMED: dict[str, Shape] = {
    "Frame": FRAME,
    "Peer": PEER,
    "Agent": AGENT,
    "Record": RECORD,
    "Room": ROOM,
    "Person": PERSON,
    "Summary": SUMMARY,
    "Found": FOUND,
    "Error": ERROR,
}
"""What openapi.json has a name for."""
