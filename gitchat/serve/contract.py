"""The contract of REST as one table: what faces route and check by, what openapi.json and docs/rest.md tell. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gitchat.model.attachment import MOST_EXCERPTS
from gitchat.model.names import MAX_SLUG_CHARS
from gitchat.serve import shapes
from gitchat.serve.fields import Field
from gitchat.serve.shapes import COUNT, FLAG, TEXT, TIME, Shape, done, keys, named, or_null, several
from gitchat.server.arguments import MAX_INTEGER

Method = Literal["GET", "POST", "PUT", "DELETE"]

ROOT = "/api/v1"
"""Where all of it stands, in every repository that is served."""

MAX_LIMIT = 100
MAX_LABEL_CHARS = 128
"""How an agent may be called or spelled. Source: presence, which keeps it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One request that can be made. ``act`` names the function of the face that answers it."""

    act: str
    method: Method
    path: str
    """Below ROOT, with the names of its fields in braces."""
    said: str
    fields: tuple[Field, ...]
    answer: Shape | None
    """The shape of an answer with status 200; None for the bytes of a file."""
    is_seeds: bool = False
    """Whether the seed has it: face ``rest``, and not ``rooms``."""

    @property
    def has_body(self) -> bool:
        """Whether it carries a JSON object."""
        return self.method in ("POST", "PUT")


# --- the fields that several have -------------------------------------------------------

_SLUG = "^[A-Za-z0-9][A-Za-z0-9._-]*$"
_NAME: Shape = {"type": "string", "minLength": 1, "maxLength": MAX_SLUG_CHARS, "pattern": _SLUG}
_LINE: Shape = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL_CHARS}
_RECIPIENT: Shape = {"type": "string", "minLength": 1, "maxLength": 256}
_TO: Shape = {"anyOf": [_RECIPIENT, {"type": "array", "items": _RECIPIENT, "minItems": 1, "maxItems": 100}]}
_PRIORITY: Shape = {"type": "string", "enum": ["normal", "urgent"]}
_NUMBER: Shape = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_TO_ANSWER: Shape = {"anyOf": [_NUMBER, {"type": "string", "minLength": 1, "maxLength": 20}]}
_SECONDS: Shape = {"type": "number", "minimum": 0, "maximum": MAX_INTEGER}
_WORDS: Shape = {"type": "string", "minLength": 1, "maxLength": 1000}

_ROOM = Field("room", _NAME, "the room; the default one without it")
_IN_QUERY = Field("room", _NAME, "the room; the default one without it", where="query")
_R = Field("room", _NAME, "the room", is_required=True, where="path")
_N = Field("place", TEXT | {"minLength": 1, "maxLength": 20}, "a number, or a handle", is_required=True, where="path")
_AGENT = Field("agent_id", _NAME, "the agent, in any spelling", is_required=True)
_AS = Field("as", _NAME, "who acts; needed where the credentials allow several names")
_READER = Field("as", _NAME, "for whom it is; by default who the credentials are of", where="query")
_LIMIT = Field("limit", COUNT | {"minimum": 1, "maximum": MAX_LIMIT}, "how many at most; 50 without it", where="query")
_TYPE = Field("type", _NAME, "a word that says what kind of message it is; `ack` wakes nobody")
_REPLY = Field("reply_to", _TO_ANSWER, "the number or handle of what it answers")
_URGENT = Field("priority", _PRIORITY, "whether it cannot wait")
_CHOICES = Field(
    "choices",
    {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 100}, "maxItems": 8},
    "what can be answered to it: it is a question then",
)
_KEY = Field("key", _WORDS, "your own name for it: sending it again adds nothing")
_PLACE_IN_CODE: Shape = {"type": "string", "minLength": 1, "maxLength": 4200}
_SOME_PLACES: Shape = {"type": "array", "items": _PLACE_IN_CODE, "minItems": 1, "maxItems": MOST_EXCERPTS}
_AT = Field(
    "at",
    {"anyOf": [_PLACE_IN_CODE, _SOME_PLACES]},
    "the code that it is about: `src/lexer.py:40-46` from the top, also behind the full id of a commit and a colon",
)
_ABOUT = "only what is about this file, or about files below this directory, from the top"

# --- the seed's ------------------------------------------------------------------------

_SEEDS = (
    Operation(
        "register", "POST", "/agents/register",
        "Live in a room as an agent: from now on it is among those who are here.",
        (
            Field("agent_id", _NAME, "its name: one word; two spellings are one agent", is_required=True),
            Field("session_id", _LINE, "which run of it this is: a label, and no credential", is_required=True),
            Field("name", _LINE, "what it is called"),
            Field("capabilities", {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 64},
                                   "maxItems": 16}, "what it can do"),
            Field("role", {"type": "string", "minLength": 1, "maxLength": 64}, "its role, which `role:ROLE` reaches"),
            _ROOM,
        ),
        done({"agent_id": TEXT, "websocket_url": TEXT, "peers": several(named("Peer"))}),
        is_seeds=True,
    ),
    Operation(
        "send", "POST", "/messages", "Send a message. When it is answered, it is stored.",
        (
            Field("from", _NAME, "the agent that sends; it need not be registered", is_required=True),
            Field("to", _TO, "an agent, `ALL`, `role:ROLE`, or a list of these", is_required=True),
            Field("message", {}, "a text, or any JSON value", is_required=True),
            _TYPE, _REPLY, _URGENT, _CHOICES, _KEY, _AT, _ROOM,
        ),
        done({"message_id": or_null(COUNT), "timestamp": TIME}, {"handle": TEXT}),
        is_seeds=True,
    ),
    Operation(
        "messages", "GET", "/messages", "Messages that reach an agent, oldest first; without one, all of the room.",
        (
            Field("agent_id", _NAME, "whom they reach; what it said itself is left out", where="query"),
            Field("since_id", _NUMBER, "only those with a greater number, the oldest first; else the newest",
                  where="query"),
            Field("unread", FLAG, "only those that the agent has not read; marks nothing", where="query"),
            Field("wait", _SECONDS, "how many seconds to wait when there is nothing; with `since_id` or `unread`",
                  where="query"),
            Field("at", _PLACE_IN_CODE, _ABOUT, where="query"),
            _LIMIT, _IN_QUERY,
        ),
        keys({"messages": several(named("Frame")), "total": COUNT}, {"more": COUNT, "timed_out": FLAG}),
        is_seeds=True,
    ),
    Operation(
        "mark", "POST", "/messages/read", "Mark all that reached an agent up to a number as read.",
        (_AGENT, Field("upto", _TO_ANSWER, "the last number, or handle, that was read", is_required=True), _ROOM),
        done({"agent_id": TEXT, "last_read_id": COUNT}),
        is_seeds=True,
    ),
    Operation(
        "agents", "GET", "/agents", "Who is here, or was within a day and did not leave, sorted by name.",
        (
            Field("status", {"type": "string", "enum": ["active", "away"]}, "only those", where="query"),
            _IN_QUERY,
        ),
        keys({"agents": several(named("Agent")), "total": COUNT}),
        is_seeds=True,
    ),
    Operation(
        "leave", "DELETE", "/agents/{agent_id}", "Leave: the agent is in no room any more, and the rooms say so.",
        (Field("agent_id", _NAME, "the agent, in any spelling", is_required=True, where="path"),),
        done({"agent_id": TEXT, "left": several(TEXT)}),
        is_seeds=True,
    ),
)  # fmt: skip

# --- for the page, and for programs of our own -------------------------------------------

_CONTENT = Field("content", {}, "a text, or any JSON value", is_required=True)
_OURS = (
    Operation(
        "rooms", "GET", "/rooms", "The rooms, the most recently active first.", (_READER,),
        keys({"rooms": several(named("Room")), "total": COUNT, "name": or_null(TEXT), "guest": FLAG, "writable": FLAG}),
    ),
    Operation(
        "room", "GET", "/rooms/{room}", "A room: title, state, newest summary, people, open questions.", (_R, _READER),
        keys({**shapes.ROOM["properties"], "summary": or_null(named("Summary")), "people": several(named("Person"))},
             {"questions": several(named("Record"))})
        | {"required": [*shapes.ROOM["required"], "summary", "people"]},
    ),
    Operation(
        "change", "PUT", "/rooms/{room}", "Give a room a title, close it, open it again, or begin it.",
        (
            _R, _AS,
            Field("title", {"type": "string", "maxLength": 200}, "one line"),
            Field("state", {"type": "string", "enum": ["open", "closed"]}, "a closed room can only be read"),
        ),
        named("Room"),
    ),
    Operation(
        "timeline", "GET", "/rooms/{room}/messages",
        "Records of a room, oldest first: from where one left off, or around, before, after a number, or a thread.",
        (
            _R, _READER, _LIMIT,
            Field("before", _NUMBER, "the newest with a smaller number", where="query"),
            Field("after", _NUMBER, "the oldest with a greater number", where="query"),
            Field("at", _NUMBER, "those around this number", where="query"),
            Field("chars", _NUMBER | {"minimum": 1}, "how much of a text; `more_characters` tells what is missing",
                  where="query"),
            Field("file", _PLACE_IN_CODE, _ABOUT, where="query"),
            Field("thread", _TO_ANSWER, "what belongs to this one: what it answers, and all answers", where="query"),
        ),
        keys({
            "room": TEXT, "messages": several(named("Record")), "latest_id": COUNT, "last_read_id": or_null(COUNT),
            "first_unread_id": {"type": ["integer", "string", "null"]}, "more_before": FLAG, "more_after": FLAG,
        }),
    ),
    Operation(
        "record", "GET", "/rooms/{room}/messages/{place}", "One record, and where it has got to.", (_R, _N),
        named("Record"),
    ),
    Operation(
        "say", "POST", "/rooms/{room}/messages", "Say something in a room.",
        (_R, _AS, _CONTENT, Field("to", _TO, "`all` without it"), _TYPE, _REPLY, _URGENT, _CHOICES, _KEY, _AT),
        named("Record"),
    ),
    Operation(
        "attachment", "GET", "/rooms/{room}/messages/{place}/attachments/{name}", "A file that a record carries.",
        (_R, _N, Field("name", TEXT | {"minLength": 1, "maxLength": 255}, "its name", is_required=True, where="path")),
        None,
    ),
    Operation(
        "read_upto", "PUT", "/rooms/{room}/cursor", "Mark what was seen as read: these records, or all up to a number.",
        (
            _R, _AS,
            Field("ids", {"type": "array", "items": _TO_ANSWER, "maxItems": 500}, "numbers and handles; no others"),
            Field("upto", _TO_ANSWER, "a number or handle, and all before it"),
        ),
        keys({"name": TEXT, "last_read_id": COUNT, "first_unread_id": {"type": ["integer", "string", "null"]},
              "unread": COUNT}),
    ),
    Operation(
        "summaries", "GET", "/rooms/{room}/summaries", "Summaries for who comes later, the newest first.",
        (_R, _LIMIT, Field("scope", _WORDS, "only those of this scope: `all`, a name, or any other line",
                           where="query")),
        keys({"summaries": several(named("Summary")), "total": COUNT}),
    ),
    Operation(
        "sum_up", "POST", "/rooms/{room}/summaries", "Sum up what one has read.",
        (_R, _AS, Field("content", {"type": "string", "minLength": 1}, "the text", is_required=True),
         Field("scope", _WORDS | {"maxLength": 200}, "whom it is for: `all`, a name, or any other line")),
        named("Summary"),
    ),
    Operation(
        "search", "GET", "/search", "Records that hold all of the words, the best first.",
        (Field("q", _WORDS, "the words; `\"two words\"` stand side by side, `word*` begins so", is_required=True,
               where="query"),
         Field("room", _NAME, "only there; all rooms without it", where="query"), _LIMIT),
        keys({"found": several(named("Found")), "total": COUNT}),
    ),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (*_SEEDS, *_OURS)
"""All of them; no two have one method and path."""
