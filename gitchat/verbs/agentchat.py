"""Files of agent-chat's ``.chatroom/``, read: what is in a line, and what is wrong with it.

A line of ``messages.jsonl`` is ``{"id", "ts", "from", "to", "content"}``; of ``summaries.jsonl`` with a ``scope`` in
the place of ``to``; ``cursors.json`` has the last id that each name has read. What a line says is data of strangers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitchat.model.errors import UserError
from gitchat.model.names import EVERYBODY, SYSTEM, Uid, is_name, suggest_slug, uid_from_key
from gitchat.model.record import MESSAGE, NO_DOMAIN, Moment, Record

IMPORTED = "Chat-Imported"
"""The trailer of a record that was said elsewhere: the system, and the number that it had there."""

DIRECTORY, MESSAGES, SUMMARIES, CURSORS = ".chatroom", "messages.jsonl", "summaries.jsonl", "cursors.json"

_LINE_BYTES = 8 * 1024 * 1024
"""The longest line that is read at all."""

_SYSTEM_EMAIL = "system@agent-chat.invalid"
"""Of what the other room said itself: nobody's claims end because somebody left that one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that was not taken in, and why."""

    file: str
    line: int
    why: str
    """May have what the line says: data, to be escaped."""
    is_secret: bool = False
    """Whether that is what looks like a secret, which a person can say to be none."""


def place_of(directory: Path) -> Path:
    """Where the files are: ``directory`` itself, or what it holds. Raises UserError ``not-a-chatroom``."""
    for place in (directory / DIRECTORY, directory):
        if any((place / name).is_file() for name in (MESSAGES, SUMMARIES)):
            return place
    raise UserError(
        f"{directory} has no {DIRECTORY} with a {MESSAGES}",
        public_message=f"that directory has no {DIRECTORY} with a {MESSAGES}",
        hint="name the directory that CHATROOM_ROOT named for agent-chat, else that of its scripts",
        code="not-a-chatroom",
    )


# --- a line -------------------------------------------------------------------------


def record_of(said: dict[str, Any]) -> Record:
    """A message as a record. Raises ValueError, with the reason."""
    author, content, number = _author_of(said), said.get("content"), said.get("id")
    is_text = isinstance(content, str)
    body = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    if not body.strip() or content is None:
        raise ValueError("its content is blank")
    return Record(
        kind=MESSAGE,
        uid=uid_of("message", said),
        author=author,
        email=_SYSTEM_EMAIL if author == SYSTEM else f"{author}{NO_DOMAIN}",
        written=_moment_of(said),
        body=body.encode("utf-8", "replace").decode(),
        to=_recipients_of(said),
        type="presence" if author == SYSTEM else None,
        media=None if is_text else "json",
        extra=_trailers(number),
    )


def _trailers(number: Any) -> tuple[tuple[str, str], ...]:
    is_number = isinstance(number, int) and not isinstance(number, bool) and 0 < number < 10**18
    return ((IMPORTED, f"agent-chat {number}" if is_number else "agent-chat"),)


def uid_of(what: str, said: dict[str, Any]) -> Uid:
    """The same for the same line, wherever and whenever it is imported, however its JSON is laid out."""
    return uid_from_key(f"agent-chat {what} {json.dumps(said, sort_keys=True, ensure_ascii=True)}")


def _author_of(said: dict[str, Any]) -> str:
    given = said.get("from")
    if not isinstance(given, str):
        raise ValueError("it does not say who it is from")
    if given.strip() == SYSTEM:
        return SYSTEM
    return _name_of(given, "its sender")


def _name_of(text: str, whose: str) -> str:
    """The nearest name that a participant can have. Raises ValueError."""
    slug = suggest_slug(text.strip())
    if slug is not None and not is_name(slug):
        slug = f"{slug}-1"
    if slug is None:
        raise ValueError(f"{whose} {text[:80]!r} has nothing that a name here is made of")
    return slug


def _recipients_of(said: dict[str, Any]) -> tuple[str, ...]:
    given = said.get("to", EVERYBODY)
    if not isinstance(given, str):
        raise ValueError("it does not say whom it is to")
    names = [part.strip() for part in given.split(",") if part.strip()]
    if not names or any(name.lower() == EVERYBODY for name in names):
        return ()
    return tuple(dict.fromkeys(_name_of(name, "its recipient") for name in names))


def _moment_of(said: dict[str, Any]) -> Moment:
    """When it was said. Raises ValueError."""
    given = said.get("ts")
    try:
        when = datetime.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise ValueError(f"its ts is no date: {str(given)[:80]!r}") from None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    offset = when.utcoffset()
    return Moment(max(0, int(when.timestamp())), int(offset.total_seconds() // 60) if offset is not None else 0)


def cursors_in(place: Path, note: Callable[[Problem], None]) -> dict[str, int]:
    """How far each name had read there; nothing where that is not told, or cannot be read."""
    path = place / CURSORS
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_bytes()[:_LINE_BYTES])
        found = told.get("cursors", told) if isinstance(told, dict) else None
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError, RecursionError) as error:
        note(Problem(CURSORS, 1, f"it cannot be read: {error}"))
        return {}
    cursors: dict[str, int] = {}
    for name, last in found.items():
        number = last.get("last_read_id") if isinstance(last, dict) else last
        with suppress(ValueError):
            if isinstance(number, int) and number > 0:
                cursors[_name_of(name, "a name")] = number
    return cursors


# --- lines ---------------------------------------------------------------------------


def lines_of(path: Path, note: Callable[[Problem], None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file, each with its line; what is none is told, and passed over. No file has none.

    Raises:
        UserError: ``unreadable-file``.
    """
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            line = 0
            while data := file.readline(_LINE_BYTES + 1):
                line += 1
                if len(data) > _LINE_BYTES:
                    while data and not data.endswith(b"\n"):
                        data = file.readline(_LINE_BYTES)
                    note(Problem(path.name, line, f"it has more than {_LINE_BYTES:,} bytes"))
                    continue
                if not data.strip():
                    continue
                said = _parsed(data)
                if isinstance(said, dict):
                    yield line, said
                else:
                    note(Problem(path.name, line, said))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}",
            hint=f"see who may: ls -l {path}",
            code="unreadable-file",
            public_message=f"{path.name} cannot be read",
            public_hint="tell who runs this server",
        ) from error


def _parsed(data: bytes) -> dict[str, Any] | str:
    """The object of a line, or why it is none."""
    try:
        said = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except (ValueError, RecursionError) as error:
        return f"it is not JSON: {error}"
    return said if isinstance(said, dict) else "it is no JSON object"
