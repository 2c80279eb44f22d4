"""What is said at the doorbell: that a room's log stands at another commit now, and never a word of it. Pure.

Anybody who reaches the server can say anything there, so what is heard is data: of the right form, or nothing.
Source: docs/format.md section 15.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gitchat.model.names import CloneId, Oid, Uid, is_uid

VERSION = 1

MAX_BYTES = 8192
"""The longest that is read; the longest that is written is a beat of :mod:`gitchat.doorbell.beats`."""

_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_MAX_COUNT = 10**15


@dataclass(frozen=True, slots=True)
class Knock:
    """The log of a room stands at ``tip`` now at the remote that numbers it."""

    room: Uid
    """The uid of the room's first record: a name that who has not read the room does not know."""
    tip: Oid
    count: int = 0
    """How many records that log has; 0 where it was not counted."""
    clone: CloneId | None = None
    """Whose push it was."""


def encode(knock: Knock) -> bytes:
    """What is published."""
    told = {"v": VERSION, "tip": knock.tip, "count": knock.count, "clone": knock.clone}
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def decode(room: Uid, data: bytes) -> Knock | None:
    """What was published about ``room``; None for what no gitchat says."""
    told = parsed(data)
    tip, count, clone = (told.get(key) for key in ("tip", "count", "clone"))
    if not isinstance(tip, str) or not _OID.fullmatch(tip):
        return None
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MAX_COUNT:
        count = 0
    return Knock(room, Oid(tip), count, clone_of(clone))


def is_oid(text: str) -> bool:
    """Whether ``text`` names a commit."""
    return _OID.fullmatch(text) is not None


def clone_of(value: object) -> CloneId | None:
    """``value`` as the id of a clone, if it is one."""
    return CloneId(value) if isinstance(value, str) and is_uid(value) else None


def parsed(data: bytes) -> dict[str, Any]:
    """The members of what was published in our version; none of what is no JSON, too long, or of another."""
    if len(data) > MAX_BYTES:
        return {}
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    # True is 1 in Python and not in what is published.
    return told if isinstance(told, dict) and told.get("v") == VERSION and told["v"] is not True else {}
