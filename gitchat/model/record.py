"""Records: what a room is made of, as frozen values. Pure. Source: docs/format.md section 4."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gitchat.model.attachment import Attachment, File
from gitchat.model.errors import UserError
from gitchat.model.names import EVERYBODY, CloneId, Handle, Name, Number, Oid, RoomName, Uid, handle_of

if TYPE_CHECKING:  # for who hands over work
    from gitchat.model.overlay import Carried

Origin = Literal["human", "agent", "hook"]

MESSAGE = "message"
STATUS = "status"
CLAIM = "claim"
RELEASE = "release"
META = "meta"
REDACT = "redact"
SUMMARY = "summary"
HANDOFF = "handoff"
"""The type of a message that hands over work, where its sender names none."""
UNNUMBERED_KINDS = frozenset({"genesis", "merge", "cursor", "summary"})
"""Kinds that never take a number, whatever the shape of their commit."""

AT = "Chat-At"
"""The trailer that says which code a record is about. Source: gitchat.model.anchor."""

UNLISTED_KINDS = frozenset({META, REDACT})
"""Kinds that take a number and appear in no listing."""

QUIET_KINDS = frozenset({STATUS, CLAIM, RELEASE})
"""Kinds that reach only whom they name: nobody else has to read them, and they wake nobody else.

Source: docs/format.md section 10.5.
"""

MAX_BODY_BYTES = 1024 * 1024
"""The largest body any setting can allow, and the most that is read. Forges advise against objects over 1 MiB."""

DEFAULT_BODY_BYTES = 64 * 1024
"""The largest body when ``chat.maxBody`` is not set."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock time with the offset of the place where it was read."""

    seconds: int
    """Seconds since 1970-01-01 00:00 UTC."""
    offset_minutes: int = 0
    """Minutes east of UTC."""

    @property
    def utc(self) -> str:
        """``YYYY-MM-DDTHH:MM:SSZ``; a time outside the calendar's range is its nearest end."""
        seconds = max(_FIRST_SECOND, min(_LAST_SECOND, self.seconds))
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)).zfill(20)


GENESIS_EMAIL = "gitchat@gitchat.invalid"
"""The address of nobody, under which the root of each room is written."""
NO_DOMAIN = "@agents.gitchat.invalid"
"""The end of an address that stands where there is none, and that is nobody's."""


def address_of(email: str) -> str | None:
    """``email`` as two are compared; None when it tells nobody apart."""
    address = email.strip().lower()
    return None if not address or address.endswith(NO_DOMAIN) else address


_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
"""The years 1 and 9999."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes: the participant, and the git identity that vouches for the commit."""

    name: Name
    email: str
    committer_name: str
    committer_email: str
    origin: Origin
    clone: CloneId | None = None
    """The clone that the writer has a seat in; None for a person, who has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record that somebody wants to add. Cannot be built with a body that cannot be stored.

    Raises:
        UserError: ``blank-body``, ``nul-in-body``.
    """

    body: str
    kind: str = MESSAGE
    to: tuple[str, ...] = ()
    type: str | None = None
    reply_to: Uid | None = None
    urgent: bool = False
    commit: str | None = None
    branch: str | None = None
    """As refs.told_branch gives it."""
    media: str | None = None
    extra: tuple[tuple[str, str], ...] = ()
    """More trailers; those of a ``meta`` record, for instance."""
    files: tuple[File, ...] = ()
    """What to attach, in this order."""
    excerpts: tuple[tuple[int, File], ...] = ()
    """The code that it is about, by the places of its trailers from 1 on."""
    work: Carried | None = None
    """What is handed over with it."""

    def __post_init__(self) -> None:
        if not self.body.strip():
            raise UserError(
                "the message must not be blank", hint='write something: git chat send "hello"', code="blank-body"
            )
        if "\0" in self.body:
            raise UserError(
                "the message holds a NUL character, which git cannot store in a commit",
                hint="remove it, or encode binary data (base64)",
                code="nul-in-body",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as its commit tells it. Names and times are the writer's claim, unverified."""

    kind: str
    uid: Uid
    author: str
    email: str
    written: Moment
    body: str
    to: tuple[str, ...] = ()
    """Names and ``role:<role>``; empty means everybody."""
    type: str | None = None
    reply_to: Uid | None = None
    urgent: bool = False
    commit: str | None = None
    branch: str | None = None
    """The branch that it happened on, without ``refs/heads/``."""
    work: int | None = None
    """How many paths of uncommitted work it hands over, as its writer says; a hint, for its tree tells."""
    clone: CloneId | None = None
    """The clone in which a seat wrote it; None for a person, and for a record of version 0.1.0."""
    origin: str | None = None
    media: str | None = None
    seq_hint: int | None = None
    """The number that the writer saw. A hint for people, never trusted."""
    extra: tuple[tuple[str, str], ...] = field(default=())
    """Trailers this version does not know, in order."""
    hidden: str | None = None
    """Why its text is not shown, such as ``redacted by alice``; the text is these words then."""

    @property
    def address(self) -> str | None:
        """The author's address as it is compared; None when it says nothing of who that is."""
        return address_of(self.email)

    @property
    def at(self) -> tuple[str, ...]:
        """Which code it is about, as its trailers say it: see gitchat.model.anchor."""
        return tuple(value for key, value in self.extra if key == AT)

    @property
    def recipients(self) -> tuple[str, ...]:
        """``to``, with ``("all",)`` for everybody."""
        return self.to or (EVERYBODY,)


@dataclass(frozen=True, slots=True)
class SetAside:
    """Why a record is in no log: the remote of its room does not take it."""

    remote: str
    why: str
    """The remote's words: data, to be escaped."""
    since: int
    """When it was set aside, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record at its place in a room."""

    room: RoomName
    number: Number | None
    """None while the record is pending, that is, not yet accepted by the room's authority."""
    oid: Oid
    committed_seconds: int
    """The committer date: never less than that of any record before it."""
    record: Record
    tree: Oid | None = None
    """The tree that holds the record's attachments; None when the commit's tree is empty."""
    attachments: tuple[Attachment, ...] = ()
    """Looked up for a record that is sent, listed or found; not while a whole log is walked."""
    aside: SetAside | None = None
    """Why it is set aside; None for a record of the log."""

    @property
    def handle(self) -> Handle:
        """``~`` and six characters; names this record in every clone, for ever."""
        return handle_of(self.record.uid)

    @property
    def label(self) -> str:
        """``#12``, or the handle while the record is pending."""
        return f"#{self.number}" if self.number is not None else self.handle

    @property
    def was(self) -> int | None:
        """The number that its writer saw, where it has another one now, or none; None where nothing changed.

        A hint: before the room followed a remote, or before that one was restored or moved, it was shown so.
        """
        hint = self.record.seq_hint
        return hint if hint is not None and hint != self.number else None

    @property
    def full_label(self) -> str:
        """The label, and the number that it had, where it has changed: ``#12 (was #7)``."""
        return self.label if self.was is None else f"{self.label} (was #{self.was})"
