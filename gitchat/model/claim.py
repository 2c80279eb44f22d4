"""Claims: what somebody takes for a while, who has it, and who waits for it.

Who has what is a function of the log and the clock, the same in every clone: nobody decides it, and nothing is stored
of it. Pure. Source: docs/format.md section 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitchat.model.errors import UserError
from gitchat.model.names import CloneId
from gitchat.model.pattern import Parts, overlap, parse_pattern
from gitchat.model.record import CLAIM, RELEASE, Entry, Moment, Record
from gitchat.quick import standing as rules
from gitchat.quick.standing import KINDS, MAX_CHARS, folded, prefix_of, seconds_of

WHAT = "Chat-Claim"
UNTIL = "Chat-Until"
"""Trailers of a claim."""

MAX_THINGS = rules.MAX_THINGS
"""How many things one claim is of."""

MAX_SECONDS = rules.MAX_SECONDS
"""How long a claim lasts at most, whatever it says."""

MIN_SECONDS = 5 * 60
DEFAULT_SECONDS = 2 * 3600


@dataclass(frozen=True)
class What:
    """One of the things that a claim is of."""

    kind: str
    """``path``, ``task`` or ``thing``."""
    text: str
    """The pattern, or one line."""

    @property
    def value(self) -> str:
        """As the trailer has it."""
        return f"{self.kind}:{self.text}"

    def __str__(self) -> str:
        """As it is typed: a path bare, and a thing where it says itself what it is."""
        return rules.typed(self.kind, self.text)

    @cached_property
    def parts(self) -> Parts:
        """The pattern of a path."""
        return parse_pattern(self.text)

    def meets(self, other: What) -> bool:
        """Whether both are, or can be, the same."""
        if self.kind != other.kind:
            return False
        return overlap(self.parts, other.parts) if self.kind == "path" else folded(self.text) == folded(other.text)


def parse_what(text: str) -> What:
    """What somebody means who types ``text``: ``task:12``, ``port:8080``; anything else is a path.

    Raises:
        UserError: ``not-a-pattern``, ``bad-claim``.
    """
    kind = prefix_of(text)
    if kind is None:
        return _checked("path", text)
    rest = text.partition(":")[2]
    return _checked("thing", text if rest.strip() else "") if kind not in KINDS else _checked(kind, rest)


def _checked(kind: str, text: str) -> What:
    text = text.strip() if kind != "path" else text
    if kind == "path":
        parse_pattern(text)
    elif not text or len(text) > MAX_CHARS or not text.isprintable():
        raise UserError(
            f"a {kind} is one line of at most {MAX_CHARS} characters, and not {text[:80]!r}",
            hint=f"say it in a few words, such as {'task:12' if kind == 'task' else 'port:8080'}",
            code="bad-claim",
        )
    return What(kind, text)


def _of_value(value: str) -> What | None:
    """What a trailer has; None outside its grammar."""
    found = rules.what_of(value)
    return What(found.kind, found.text) if found is not None else None


# --- who, and until when -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """Who claims: a name in a clone; a person, who has none, is a name with an address."""

    name: str
    clone: CloneId | None
    address: str | None

    @classmethod
    def of(cls, record: Record) -> Seat:
        """Who wrote ``record``."""
        return cls(record.author, record.clone, record.address if record.clone is None else None)

    @property
    def key(self) -> tuple[str, str, str]:
        """As the rules compare it."""
        return self.name, self.clone or "", self.address or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim as its record tells it."""

    entry: Entry
    seat: Seat
    whats: tuple[What, ...]
    until: int
    """When it ends, in seconds since the epoch: at most :data:`MAX_SECONDS` after it was written."""

    @property
    def is_agreed(self) -> bool:
        """Whether the room's authority has it; one that is pending binds here alone."""
        return self.entry.number is not None

    def meets(self, whats: Iterable[What]) -> bool:
        """Whether it is of one of these."""
        return any(mine.meets(other) for other in whats for mine in self.whats)


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim that is neither over nor given back, and what it comes after."""

    claim: Claim
    waits_for: Claim | None = None
    """The first of those before it that somebody else has; None: it holds."""


def claim_of(entry: Entry) -> Claim | None:
    """The claim that a record is; None for another kind, or one without anything, or an end, that can be read."""
    record = entry.record
    if record.kind != CLAIM:
        return None
    values = [value for key, value in record.extra if key == WHAT][:MAX_THINGS]
    whats = tuple(what for value in values if (what := _of_value(value)) is not None)
    untils = (seconds for key, value in record.extra if key == UNTIL and (seconds := parse_until(value)) is not None)
    until = next(untils, None)
    if not whats or until is None:
        return None
    until = min(until, record.written.seconds + MAX_SECONDS)
    return Claim(entry=entry, seat=Seat.of(record), whats=whats, until=until)


def parse_until(value: str) -> int | None:
    """The seconds since the epoch of ``YYYY-MM-DDTHH:MM:SSZ``; None for what is no such time."""
    return seconds_of(value)


def trailers_of(whats: Iterable[What], until: int) -> tuple[tuple[str, str], ...]:
    """The trailers of a claim of these things, which ends at ``until``."""
    return (*((WHAT, what.value) for what in whats), (UNTIL, Moment(until).utc))


# --- who has it ---------------------------------------------------------------------


def standings(entries: Iterable[Entry], now: int) -> list[Standing]:
    """What holds and what waits at ``now``, first come first, of a room's claims, releases and leaves in their order.

    Other records among them say nothing. A claim that answers an earlier one of the same seat replaces it, and
    takes its place in line when that one had not ended yet.
    """
    said = (one for entry in entries if (one := _said(entry)) is not None)
    return [
        Standing(claim.of, before.of if before is not None else None) for claim, before in rules.standing(said, now)
    ]


def _said(entry: Entry) -> rules.Claim | rules.End | None:
    """What a record says of claims; None for nothing."""
    record, seat = entry.record, Seat.of(entry.record)
    claim = claim_of(entry)
    if claim is not None:
        written = record.written.seconds
        return rules.Claim(claim, record.uid, record.reply_to, seat.key, claim.whats, claim.until, written)
    if record.kind == RELEASE:
        return rules.End(seat.key, record.reply_to)
    if record.author == "system" and record.type == "presence" and (left := rules.left_by(record.body)):
        return rules.End((left, *seat.key[1:]), None)  # it has the clone and the address of who left
    return None


def holdings(found: Sequence[Standing], now: int) -> list[tuple[Claim, int]]:
    """Each of ``found``, which is what stands at ``now``, that holds or will without another record, and since when.

    First come first. What waits holds when the time of all that it comes after is over, if its own is not.
    """
    since = {one.claim.entry.record.uid: now for one in found if one.waits_for is None}
    for time in sorted({one.claim.until for one in found}) if len(since) < len(found) else ():
        left: list[Standing] = []
        for one in (one for one in found if one.claim.until > time):
            left.append(Standing(one.claim, first_of_others(left, one.claim.seat, one.claim.whats)))
            if left[-1].waits_for is None:
                since.setdefault(one.claim.entry.record.uid, time)
    return [(one.claim, since[uid]) for one in found if (uid := one.claim.entry.record.uid) in since]


def first_of_others(found: Sequence[Standing], seat: Seat, whats: Sequence[What]) -> Claim | None:
    """The first claim of somebody else than ``seat`` that is of one of ``whats``."""
    others = (standing.claim for standing in found if standing.claim.seat != seat)
    return next((claim for claim in others if claim.meets(whats)), None)


def freed(found: Sequence[Standing], ended: Sequence[Claim], *, before: Sequence[Claim] = ()) -> tuple[str, ...]:
    """The names of those who have what they waited for once ``ended`` has ended, where ``before`` had already."""
    waits = _waiting(found, ended)
    names = [one.seat.name for one in _waiting(found, before) if one not in waits and one not in ended]
    return tuple(dict.fromkeys(names))


def _waiting(found: Sequence[Standing], ended: Sequence[Claim]) -> list[Claim]:
    left: list[Standing] = []
    for one in found:
        if one.claim not in ended:
            left.append(Standing(one.claim, first_of_others(left, one.claim.seat, one.claim.whats)))
    return [one.claim for one in left if one.waits_for is not None]
