"""What is on a client's line: a message, nothing, or what is answered because it is neither.

A client that hears nothing waits until its own limit. So whatever is no answer of the client's gets one, under
the id of the request wherever that is known for sure, else under null. Pure. Source: JSON-RPC 2.0, section 5.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from gitchat.server.protocol import INVALID_REQUEST, PARSE_ERROR, Json

KEPT_BYTES = 4096
"""How much is kept of each end of a line that is too long: its id stands at one of them."""


class Cut(NamedTuple):
    """What is left of a line that was too long to be kept."""

    head: bytes
    tail: bytes
    size_bytes: int


class NotTaken(Exception):
    """A line that holds no message which could be taken."""

    def __init__(self, code: int, words: str, ids: list[Any] | None = None) -> None:
        """``ids`` are those of the requests on it; none is known where it is left out or empty."""
        super().__init__(words)
        self.answers: list[Json] = [{"id": one, "error": {"code": code, "message": words}} for one in ids or [None]]
        """What the client gets, in order; at least one."""


def message_of(line: bytes | Cut) -> Json | None:
    """The request or notification on a line, whose method is a text, and whose id, if it has one, is right.

    None where there is nothing to answer: a blank line, or an answer of the client's. Raises NotTaken.
    """
    if isinstance(line, Cut):
        words = f"Invalid request: the line has {line.size_bytes:,} bytes, which is too long"
        raise NotTaken(INVALID_REQUEST, words, _ids_at_the_ends(line.head, line.tail))
    if not line.strip():
        return None
    message = _parsed(line)
    if isinstance(message, list):
        ids = [one["id"] for one in message if isinstance(one, dict) and "method" in one and is_id(one.get("id"))]
        raise NotTaken(INVALID_REQUEST, "Invalid request: no batches; each message on a line of its own", ids)
    if not isinstance(message, dict):
        raise NotTaken(INVALID_REQUEST, "Invalid request: a message is an object")
    if "method" not in message and message.keys() & {"result", "error"}:
        return None
    if "id" in message and not is_id(message["id"]):
        raise NotTaken(INVALID_REQUEST, "Invalid request: an id is a string or an integer")
    if not isinstance(message.get("method"), str):
        raise NotTaken(INVALID_REQUEST, "Invalid request: no method", [message["id"]] if "id" in message else None)
    return message


def is_id(value: object) -> bool:
    """Whether a request may go by this id."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _parsed(line: bytes) -> Any:
    """The JSON on a line. Raises NotTaken."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Whether it is JSON but for these bytes, and so which request waits, is seen with something in their place.
        words = f"Parse error: not UTF-8, at byte {error.start:,}"
        raise NotTaken(PARSE_ERROR, words, _id_in(line.decode("utf-8", "replace"))) from None
    try:
        return json.loads(text)
    except RecursionError:
        raise NotTaken(
            PARSE_ERROR, "Parse error: too deep", _ids_at_the_ends(line[:KEPT_BYTES], line[-KEPT_BYTES:])
        ) from None
    except ValueError as error:
        # Its id is not looked for: in what two writers wrote into each other stand two, and one of them waits rightly.
        where = f", at character {error.pos:,}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotTaken(PARSE_ERROR, f"Parse error: a message is one line of JSON{where}") from None


def _id_in(text: str) -> list[Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [message["id"]] if isinstance(message, dict) and is_id(message.get("id")) else []


_SCALAR = rb'(?:"(?:[^"\\]|\\.)*"|-?\d+|true|false|null)'
_AT_THE_HEAD = re.compile(
    rb'\s*\{(?:\s*"\w*"\s*:\s*' + _SCALAR + rb'\s*,)*?\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*,'
)
"""The id as one of the first members, before any that holds others: so it is the message's own."""
_AT_THE_TAIL = re.compile(rb',\s*"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*\}\s*\Z')
"""The id as the last member, which the end of the message follows. (Clients of the TypeScript SDK write it there.)"""


def _ids_at_the_ends(head: bytes, tail: bytes) -> list[Any]:
    """The id of the message that begins with ``head`` and ends with ``tail``; none where it stands in between."""
    found = _AT_THE_HEAD.match(head) or _AT_THE_TAIL.search(tail)
    return _id_in(f'{{"id": {found[1].decode("utf-8", "replace")}}}') if found else []
