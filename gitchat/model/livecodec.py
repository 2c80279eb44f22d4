"""The bytes of a live file: one line of JSON and its CRC-32.

Pure. What is in it was written by others, so reading believes nothing: names are slugs, times are times,
texts are short, of one line and printable. Source: docs/format.md section 7.8.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from gitchat.model.names import Name, RoomName, is_slug
from gitchat.model.participant import (
    MAX_CAPABILITIES,
    MAX_LABEL_CHARS,
    MAX_WORD_CHARS,
    Holder,
    Membership,
    Presence,
)
from gitchat.model.session import Session

MAX_FILE_BYTES = 256 * 1024
"""More than this is never read, and never written: the rooms seen longest ago are forgotten first."""

MAX_PLACE_CHARS = 1024
"""The longest host, path, branch or session; longer ones are cut."""

_MAX_SECONDS = 253_402_300_799
"""The last second of the year 9999, after which Python knows no dates."""

_OUTSIDE = ("label", "given")
"""What a holder has in its file only where it came from outside."""


def encode(presence: Presence) -> bytes:
    """The content of the live file of ``presence``: at most :data:`MAX_FILE_BYTES`."""
    import json  # only for who joins

    content: dict[str, Any] = asdict(replace(presence, rooms={}))
    del content["is_living"]  # the kernel's to say
    if presence.holder is not None:
        content["holder"] |= {
            key: _printable(text, MAX_PLACE_CHARS) for key, text in content["holder"].items() if isinstance(text, str)
        }
        for key in _OUTSIDE:
            if content["holder"][key] is None:
                del content["holder"][key]
    by_age = sorted(presence.rooms.items(), key=lambda item: item[1].last_seen, reverse=True)
    while True:
        content["rooms"] = {room: asdict(at) for room, at in by_age}
        line = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        if len(line) + 9 <= MAX_FILE_BYTES:
            return line + b"%08x\n" % zlib.crc32(line)
        by_age = by_age[: len(by_age) * 9 // 10]


@lru_cache(maxsize=1024)
def decode(data: bytes, name: Name) -> Presence | None:
    """What the live file of ``name`` tells, not living; None when ``data`` is torn, damaged or of another name.

    An empty file is whole: its name was never joined. The same bytes are decoded once: a server looks at each name for
    each call.
    """
    import json

    if not data:
        return Presence(name)
    line, check = data[:-9], data[-9:]
    if check != b"%08x\n" % zlib.crc32(line):
        return None
    try:
        content = json.loads(line)
        if content["name"] != name:
            return None
        rooms = {RoomName(room): _membership(at) for room, at in content["rooms"].items() if is_slug(room)}
        holder = content["holder"]
        return Presence(name, False, holder and _holder(holder), _time(content["held_at"]), rooms)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # whole, but not written by a version that this one knows


def _holder(content: dict[str, Any]) -> Holder:
    def optional(key: str, among: dict[str, Any] = content) -> str | None:
        return None if among[key] is None else _printable(among[key], MAX_PLACE_CHARS)

    keys = content.get("keys")  # version 0.1.0 has none
    return Holder(
        pid=_number(content["pid"]),
        host=_printable(content["host"], MAX_PLACE_CHARS),
        worktree=_printable(content["worktree"], MAX_PLACE_CHARS),
        branch=optional("branch"),
        client=optional("client"),
        session=optional("session"),
        keys=Session(
            process=optional("process", keys),
            shares_process=keys["shares_process"] is True,
            socket=optional("socket", keys),
            id=optional("id", keys),
        )
        if keys
        else Session(),
        **{key: _printable(content[key], MAX_LABEL_CHARS) for key in _OUTSIDE if content.get(key) is not None},
    )


def _membership(content: dict[str, Any]) -> Membership:
    return Membership(
        role=_printable(content["role"], MAX_WORD_CHARS),
        capabilities=tuple(_printable(word, MAX_WORD_CHARS) for word in content["capabilities"][:MAX_CAPABILITIES]),
        joined_at=_time(content["joined_at"]),
        last_seen=_time(content["last_seen"]),
        is_registered=content["is_registered"] is True,
        left_at=None if content["left_at"] is None else _time(content["left_at"]),
    )


def _printable(text: Any, limit: int) -> str:
    """``text`` cut to ``limit`` characters, each that cannot be printed as ``?``. Raises TypeError."""
    if not isinstance(text, str):
        raise TypeError
    return "".join(character if character.isprintable() else "?" for character in text[:limit])


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:  # True is an int too
        raise TypeError
    return value


def _time(value: Any) -> int:
    return min(_number(value), _MAX_SECONDS)
