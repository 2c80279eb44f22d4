"""What a Room answers, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitchat.index import search
from gitchat.index.places import Place
from gitchat.model.claim import Standing
from gitchat.model.names import Name, Number, Oid, Uid
from gitchat.model.participant import Participant
from gitchat.model.record import Entry
from gitchat.rooms.cursor import Backlog
from gitchat.rooms.log import Overview
from gitchat.rooms.summaries import Summary
from gitchat.verbs.pending import Pending

if TYPE_CHECKING:
    from gitchat.doorbell.beats import Elsewhere
    from gitchat.verbs.conflictforms import Open


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, oldest first, and where that leaves the reader."""

    entries: list[Entry]
    labels: dict[Uid, str]
    """The labels of the records that the entries reply to."""
    last_read: int
    """The greatest n for which 1 to n are read, after this reading."""
    left: int
    """How many more are unread and visible after those returned."""
    statuses: int
    """Status records among what was unread; they are told by their number alone, claims and releases not at all."""
    is_marked: bool
    why_not: str | None
    """Why nothing was marked, when something could have been."""
    is_filtered: bool
    """Whether it was narrowed by the caller; then it is never marked."""
    places: list[Place]
    """Where the entries stand."""
    backlog: Backlog
    """What was unread when it was read."""
    elsewhere: int = 0
    """How many of the entries were read under this name elsewhere: before this session, or in another clone."""
    namesakes: tuple[str, ...] = ()
    """The addresses of other people who speak under this name here, sorted."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records that stand one after the other in a room, oldest first."""

    entries: list[Entry]
    labels: dict[Uid, str]
    """The labels of the records that the entries reply to."""
    has_earlier: bool
    """Whether there are more before them."""
    has_later: bool
    """Whether there are more after them."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """What somebody who comes back has to know."""

    room: Overview
    participants: list[Participant]
    name: Name | None
    last_read: int | None
    """None without a name."""
    unread: int | None
    summary: Summary | None
    """The newest one for everybody or for ``name``."""
    since: list[Entry]
    """The oldest visible records that the summary does not cover; without a summary none."""
    since_left: int
    """How many more of those there are."""
    since_recent: frozenset[Oid]
    """Those of ``recent`` that the summary does not cover."""
    recent: list[Entry]
    """The newest visible records, oldest first."""
    labels: dict[Uid, str]
    questions: list[Entry]
    """The newest open questions that others asked me or everybody, oldest first; without a name none."""
    question_count: int

    def since_without(self, shown: Iterable[Entry]) -> int:
        """How many visible records that the summary does not cover are not among ``shown``."""
        since = {entry.oid for entry in self.since} | self.since_recent
        return len(self.since) + self.since_left - sum(entry.oid in since for entry in shown)


@dataclass(frozen=True, slots=True)
class Status:
    """What is going on in a room."""

    room: Overview
    participants: list[Participant]
    message_count: int
    """Messages and statuses."""
    unread: int
    urgent: list[Entry]
    """The oldest unread urgent messages, oldest first."""
    urgent_count: int
    questions: list[Entry]
    """The newest open questions that others asked me or everybody, oldest first."""
    question_count: int
    recent: list[Entry]
    """The newest records, whoever they are for, oldest first."""
    summary: Summary | None
    since: int
    """How many messages the summary does not cover; without a summary all."""
    other_rooms: list[Overview]
    """The most recently active first."""
    labels: dict[Uid, str]
    namesakes: tuple[str, ...] = ()
    """As Reading.namesakes."""
    pending: Pending | None = None
    """What has no number yet; None for nothing."""
    asides: tuple[Entry, ...] = ()
    """What the remote does not take, and was set aside, oldest first."""
    claims: tuple[Standing, ...] = ()
    """My claims, first come first."""
    meeting: tuple[Standing, ...] = ()
    """The claims of others that are of files which I changed here, first come first."""
    conflicts: tuple[Open, ...] = ()
    """What will not merge of mine with that of others, as we were told, the oldest first."""
    me: str = ""
    """Whose."""
    behind: Behind | None = None
    """How far the base is ahead of the work here; None where it is not, or nothing is known of it."""
    not_looked: str | None = None
    """Why nobody looks unasked at what will not merge; None where somebody does, or nobody should."""


@dataclass(frozen=True, slots=True)
class Behind:
    """How far the base is ahead of the work here."""

    base: str
    """As a person calls it."""
    count: int
    """How many commits of it the work here lacks."""
    paths: tuple[str, ...]
    """Those that one changed oneself, as the last look found them."""

    @property
    def form(self) -> dict[str, Any]:
        """As JSON: ``name``, ``behind``, and where there are some ``paths``."""
        return {"name": self.base, "behind": self.count} | ({"paths": list(self.paths)} if self.paths else {})


@dataclass(frozen=True, slots=True)
class Found:
    """One result of a search."""

    entry: Entry
    snippet: str
    """The part of the text where the words stand, each between U+E000 and U+E001."""
    rank: float
    """How well it fits: the smaller, the better, in all rooms."""
    labels: dict[Uid, str]

    @property
    def plain_snippet(self) -> str:
        """``snippet`` without the marks."""
        return self.snippet.replace(search.BEGIN, "").replace(search.END, "")


@dataclass(frozen=True, slots=True)
class HowFar:
    """How far somebody has read a room."""

    name: Name
    last_read: int
    """The greatest n for which 1 to n are read."""
    unread: int
    """How many records are unread and reach it; its own ones are left out unless they were asked for."""
    elsewhere: int | None = None
    """For who acts here: as ``last_read``, of what was read under its name in any clone, when that is another."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a record has got to, as far as this clone knows."""

    remote: str | None
    """The room's authority; None where there is none."""
    is_accepted: bool
    """Whether the authority has it; without one, True: it is stored."""
    readers: tuple[Name, ...]
    """Whom it is for and whose cursor has passed it, here or in a clone that has synced since; sorted."""
    fetched_by: tuple[Name, ...] = ()
    """Who has it elsewhere, as what came from there shows: from another address than mine they wrote after it, or have
    read past it; sorted. That nobody is told here proves nothing."""
    pending: Pending | None = None
    """Why it waits; None for a record that does not."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody who is or was in a room, or wrote in it."""

    name: Name
    participant: Participant | None
    """None for somebody who only wrote or read, perhaps on another machine."""
    last_seen: int
    """Seconds since the epoch: of the newest thing that is known of it."""
    last_number: Number | None
    """Of its newest record; None while that is pending."""
    unread: int
    last_read: int = 0
    """The greatest n for which it has read 1 to n."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Under that name somebody lives in these other clones, as they say; names are exclusive in a clone only."""
    claims: tuple[str, ...] = ()
    """What it has claimed and holds, in whatever clone, as it is typed."""
    conflicts: tuple[Open, ...] = ()
    """What will not merge of its work with that of others, as they were told."""
