"""Participants as frozen values, what joining and leaving make of them, and the bytes of a live file.

Pure: no disk, no clock; whether somebody lives is for the kernel to say (gitchat.presence) and
comes in as an argument. The file of a name is one line of JSON and its CRC-32. What is in
it was written by others, so reading believes nothing: names are slugs, times are times,
texts are short, of one line and printable. Source: docs/format.md section 7.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName, is_slug
from gitchat.model.session import Session

MAX_FILE_BYTES = 256 * 1024
"""More than this is never read, and never written: the rooms seen longest ago are forgotten first."""

MAX_WORD_CHARS = 64
"""The longest role, capability or client: as long as a slug may be."""

MAX_CAPABILITIES = 16

MAX_PLACE_CHARS = 1024
"""The longest host, path, branch or session; longer ones are cut."""

_MAX_SECONDS = 253_402_300_799
"""The last second of the year 9999, after which Python knows no dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who took a name. For people to look at, but for ``session``; no decision rests on a pid."""

    pid: int
    host: str
    worktree: str
    """The absolute path of the worktree, or of the git directory when it is bare."""
    branch: str | None = None
    """None when ``HEAD`` is detached."""
    client: str | None = None
    """The agent's program, such as ``claude``; None for a person."""
    session: str | None = None
    """The key that its session is kept by; all processes of one have one name."""
    keys: Session = field(default_factory=Session)
    """All that it knew of its session."""

    @property
    def of_session(self) -> Session:
        """The session that it is of. Who wrote no keys (version 0.1.0) wrote its id."""
        return self.keys or Session(id=self.session)

    def __str__(self) -> str:
        branch = f"on branch {self.branch}" if self.branch else "on no branch"
        return f"process {self.pid} on host {self.host}, in {self.worktree} {branch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a name is in one room. Times are seconds since the epoch."""

    role: str
    """One line of at most :data:`MAX_WORD_CHARS` printable characters; blank for none."""
    capabilities: tuple[str, ...]
    joined_at: int
    last_seen: int
    is_registered: bool
    """Whether it joined for as long as it does not leave, and not only while a process lives."""
    left_at: int | None = None
    """When it left; for a holder that died, when it was last seen by whoever took the name next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A name as one room knows it. Times are seconds since the epoch."""

    name: Name
    room: RoomName
    role: str
    capabilities: tuple[str, ...]
    joined_at: int
    last_seen: int
    is_living: bool
    """Whether a process holds the name, and joined this room."""
    is_registered: bool
    left_at: int | None
    holder: Holder | None
    """Who took the name last."""

    @property
    def is_present(self) -> bool:
        """Whether it is in the room: living or registered. A killed holder is not."""
        return self.is_living or self.is_registered


@dataclass(frozen=True, slots=True)
class Presence:
    """All that is known of a name. The methods give what it becomes; nothing changes in place."""

    name: Name
    is_living: bool = False
    holder: Holder | None = None
    held_at: int = 0
    rooms: Mapping[RoomName, Membership] = field(default_factory=dict)

    def participant(self, room: RoomName) -> Participant | None:
        """The name as ``room`` knows it; None when it never joined."""
        at = self.rooms.get(room)
        if at is None:
            return None
        return Participant(
            name=self.name,
            room=room,
            role=at.role,
            capabilities=at.capabilities,
            joined_at=at.joined_at,
            last_seen=at.last_seen,
            is_living=self.is_living and at.left_at is None,
            is_registered=at.is_registered,
            left_at=at.left_at,
            holder=self.holder,
        )

    def member(self, room: RoomName) -> Participant:
        """The name as ``room`` knows it. Raises KeyError when it never joined."""
        participant = self.participant(room)
        if participant is None:
            raise KeyError(room)
        return participant

    def taken_by(self, holder: Holder, now: int) -> Presence:
        """After ``holder`` took the name: where the last one was a member by living, it is none any more."""
        rooms = {
            room: at if at.is_registered or at.left_at is not None else replace(at, left_at=at.last_seen)
            for room, at in self.rooms.items()
        }
        return replace(self, holder=holder, held_at=now, rooms=rooms)

    def joined(self, room: RoomName, new: Membership) -> Presence:
        """After joining ``room``. Who is a member stays one since it joined, and stays registered."""
        old = self.rooms.get(room)
        if old is not None and old.left_at is None:
            new = replace(
                new,
                joined_at=old.joined_at,
                last_seen=max(old.last_seen, new.last_seen),
                is_registered=old.is_registered or new.is_registered,
            )
        return replace(self, rooms={**self.rooms, room: new})

    def left(self, room: RoomName, now: int) -> Presence:
        """After leaving ``room``; the same when it is no member."""
        at = self.rooms.get(room)
        if at is None or at.left_at is not None:
            return self
        return replace(self, rooms={**self.rooms, room: replace(at, is_registered=False, left_at=now)})

    def without(self, rooms: Collection[RoomName] | None) -> Presence:
        """With nothing remembered of these rooms; None: of any, nor of who took the name."""
        kept = {room: at for room, at in self.rooms.items() if rooms is not None and room not in rooms}
        return replace(self, rooms=kept) if kept else Presence(self.name)

    def touched(self, room: RoomName, now: int) -> Presence:
        """Seen in ``room`` at ``now``; the same when it is no member, or was seen later."""
        at = self.rooms.get(room)
        if at is None or at.left_at is not None or at.last_seen >= now:
            return self
        return replace(self, rooms={**self.rooms, room: replace(at, last_seen=now)})


def new_membership(role: str, capabilities: Sequence[str], now: int, *, is_registered: bool) -> Membership:
    """A membership that begins at ``now``.

    Raises:
        UserError: ``bad-role``, ``bad-capability`` for what is not a short printable line.
    """
    for field_name, words in (("role", [role]), ("capability", capabilities)):
        for word in words:
            if len(word) > MAX_WORD_CHARS or not word.isprintable():
                raise UserError(
                    f"{field_name} {word[:MAX_WORD_CHARS]!r} is not one line of at most {MAX_WORD_CHARS} characters",
                    hint="use a word or two, such as 'review'",
                    code=f"bad-{field_name}",
                )
    if len(capabilities) > MAX_CAPABILITIES:
        raise UserError(
            f"{len(capabilities)} capabilities are too many",
            hint=f"name at most {MAX_CAPABILITIES}",
            code="bad-capability",
        )
    return Membership(
        role=role, capabilities=tuple(capabilities), joined_at=now, last_seen=now, is_registered=is_registered
    )


# --- bytes -------------------------------------------------------------------


def encode(presence: Presence) -> bytes:
    """The content of the live file of ``presence``: at most :data:`MAX_FILE_BYTES`."""
    import json  # only for who joins

    content: dict[str, Any] = asdict(replace(presence, rooms={}))
    del content["is_living"]  # the kernel's to say
    if presence.holder is not None:
        content["holder"] |= {
            key: _printable(text, MAX_PLACE_CHARS) for key, text in content["holder"].items() if isinstance(text, str)
        }
    by_age = sorted(presence.rooms.items(), key=lambda item: item[1].last_seen, reverse=True)
    while True:
        content["rooms"] = {room: asdict(at) for room, at in by_age}
        line = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        if len(line) + 9 <= MAX_FILE_BYTES:
            return line + b"%08x\n" % zlib.crc32(line)
        by_age = by_age[: len(by_age) * 9 // 10]


def decode(data: bytes, name: Name) -> Presence | None:
    """What the live file of ``name`` tells, not living; None when ``data`` is torn, damaged or of another name.

    An empty file is whole: its name was never joined.
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
