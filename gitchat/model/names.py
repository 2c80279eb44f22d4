"""Names: rooms, participants, uids, handles.

Pure: no git, no clock, no disk. Source: docs/format.md section 1.
"""

from __future__ import annotations

import re
from typing import NewType

from gitchat.model.errors import Mistyped, UserError

Oid = NewType("Oid", str)
"""A full object id in lower-case hexadecimal: 40 digits (SHA-1) or 64 (SHA-256)."""

RefName = NewType("RefName", str)
"""A full ref name, such as ``refs/chatroom/rooms/lobby/log``."""

RoomName = NewType("RoomName", str)
"""A slug that names a room."""

Name = NewType("Name", str)
"""A slug that names a participant."""

Uid = NewType("Uid", str)
"""16 characters of :data:`UID_ALPHABET`: a record's identity in every clone, for ever."""

CloneId = NewType("CloneId", str)
"""A clone among all that speak in a room: random, of the same 16 characters as a uid."""

Number = NewType("Number", int)
"""A record's place in its room, counted from 1. Never changes once it was shown."""

Handle = NewType("Handle", str)
"""``~`` and the first six or more characters of a uid."""

EMPTY_TREES = frozenset(
    [
        Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        Oid("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
    ]
)
"""The id of the tree without entries, with SHA-1 and with SHA-256."""

DEFAULT_ROOM = RoomName("lobby")
EVERYBODY = "all"
SYSTEM = Name("system")
"""Who says what nobody says: that somebody left, that two will not merge."""

RESERVED_NAMES = frozenset({"all", "system", "role", "gitchat"})

MAX_SLUG_CHARS = 64

UID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
UID_LENGTH = 16
HANDLE_LENGTH = 6

_SLUG = re.compile(f"[a-z0-9][a-z0-9._-]{{0,{MAX_SLUG_CHARS - 1}}}")
_UID = re.compile(f"[{UID_ALPHABET}]{{{UID_LENGTH}}}")
_HANDLE = re.compile(f"~[{UID_ALPHABET}]{{{HANDLE_LENGTH},{UID_LENGTH}}}")
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul"] + [f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)]
)


# --- slugs -------------------------------------------------------------------


def is_slug(text: str) -> bool:
    """Whether ``text`` can stand in a ref on every file system.

    Lower case only, because loose refs fold case on macOS and Windows; no slash,
    because a ref cannot be both a file and a directory.
    """
    return (
        _SLUG.fullmatch(text) is not None
        and ".." not in text
        and not text.endswith((".", ".lock"))
        and not is_device(text)
    )


def is_device(text: str) -> bool:
    """Whether Windows takes a file called ``text`` for a device: ``con``, ``NUL.txt``, ``com1 .log``."""
    return text.split(".")[0].rstrip(" ").translate(_ASCII_LOWER) in _DEVICES


def suggest_slug(text: str) -> str | None:
    """The nearest slug to ``text``, or None when nothing of it can be kept."""
    import unicodedata  # only for names that are refused or made

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9._-]+", "-", plain)
    slug = re.sub(r"\.{2,}", ".", slug).lstrip("._-")[:MAX_SLUG_CHARS].rstrip(".-_")
    if slug.endswith(".lock"):
        slug = slug[: -len(".lock")] + "-lock"
    if is_device(slug):
        slug = f"x-{slug}"
    return slug if is_slug(slug) else None


def parse_slug(text: str, field: str) -> str:
    """``text`` with ASCII capitals folded. ``field`` names it in the error.

    Raises:
        UserError: ``bad-name``, with the suggested slug as the hint.
    """
    folded = text.translate(_ASCII_LOWER)
    if is_slug(folded):
        return folded
    suggestion = suggest_slug(text)
    rule = "use 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit"
    if not text.strip():
        raise UserError(f"{field} must not be blank", hint=f"give a value for {field}: {rule}", code="bad-name")
    raise UserError(
        f"{field} {text!r} is not a valid name",
        hint=f"{rule}; for example {suggestion!r}" if suggestion else rule,
        code="bad-name",
    )


_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def parse_room(text: str) -> RoomName:
    """A room's name. Raises UserError ``bad-name``."""
    return RoomName(parse_slug(text, "room"))


def parse_name(text: str) -> Name:
    """A participant's own name: a slug that is not reserved.

    Raises:
        UserError: ``bad-name`` or ``reserved-name``.
    """
    name = parse_slug(text, "name")
    if name in RESERVED_NAMES:
        raise UserError(
            f"name {name!r} is reserved",
            hint=f"choose another name, such as '{name}-1'",
            code="reserved-name",
        )
    return Name(name)


def is_name(text: str) -> bool:
    """Whether ``text`` is a name that a participant can have."""
    return is_slug(text) and text not in RESERVED_NAMES


def parse_recipient(text: str) -> str:
    """A recipient: a name, ``role:<role>``, or ``all`` in any case.

    Raises:
        UserError: ``bad-name``.
    """
    folded = text.strip().translate(_ASCII_LOWER)
    if folded.startswith("role:"):
        return "role:" + parse_slug(folded[len("role:") :], "role")
    return parse_slug(text.strip(), "recipient")


def parse_recipients(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Recipients without repetition, in the order given; empty means everybody.

    Raises:
        UserError: ``bad-name``.
    """
    recipients = tuple(dict.fromkeys(parse_recipient(text) for text in texts))
    return () if EVERYBODY in recipients else recipients


# --- uids, handles, numbers --------------------------------------------------


def base32(data: bytes) -> str:
    """``data`` in base 32, most significant bits first, without padding."""
    bits, width = int.from_bytes(data, "big"), len(data) * 8
    digits = -(-width // 5)
    bits <<= digits * 5 - width
    return "".join([UID_ALPHABET[bits >> shift & 31] for shift in range((digits - 1) * 5, -1, -5)])


def uid_from_random(ten_bytes: bytes) -> Uid:
    """A uid of 80 random bits."""
    return Uid(base32(ten_bytes)[:UID_LENGTH])


def uid_from_key(key: str, clone: CloneId | None = None) -> Uid:
    """The uid that a caller's own key stands for, so that a repeated send is recognised.

    In ``clone``, when the caller has a seat there: two clones' agents of one name may choose the same key.
    """
    return _uid_of_digest((f"{clone}\n{key}" if clone is not None else key).encode("utf-8", "replace"))


def uid_from_oid(oid: Oid) -> Uid:
    """The uid of a record whose commit carries no valid one."""
    return _uid_of_digest(oid.encode())


def _uid_of_digest(data: bytes) -> Uid:
    import hashlib  # loads OpenSSL, which a plain send can do without

    return Uid(base32(hashlib.sha256(data).digest())[:UID_LENGTH])


def is_uid(text: str) -> bool:
    """Whether ``text`` is a whole uid."""
    return _UID.fullmatch(text) is not None


def handle_of(uid: Uid) -> Handle:
    """The short handle that is printed for ``uid``."""
    return Handle("~" + uid[:HANDLE_LENGTH])


def parse_locator(text: str) -> Number | Handle:
    """What stands for one record: ``12``, ``#12`` or ``~k3f9q2``.

    Raises:
        UserError: ``bad-number``.
    """
    stripped = text.strip().translate(_ASCII_LOWER)
    if number := _NUMBER.fullmatch(stripped):
        return Number(int(number[1]))
    if _HANDLE.fullmatch(stripped):
        return Handle(stripped)
    raise Mistyped(
        f"{text!r} names no record",
        hint="give a number such as 12, or a handle such as ~k3f9q2 (six or more characters)",
        code="bad-number",
        word=text,
    )
