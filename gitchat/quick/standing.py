"""Who has what: which claims stand, and which of them come after others. For both ways. Pure.

Source: docs/format.md section 16.
"""

from gitchat.quick.pattern import Parts, overlap, parts_of, why_not

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Seat = tuple[str, str, str]
    """Who claims: the name, the clone, and of who has none the address; each empty for none."""

MAX_THINGS = 20
"""How many things one claim is of."""

MAX_SECONDS = 24 * 3600
"""How long a claim lasts at most, whatever it says."""

MAX_CHARS = 200
"""The longest task or thing."""

KINDS = ("path", "task", "thing")

_LEFT = " left the chatroom"
"""What the system says behind a name when somebody leaves. Source: docs/format.md section 9."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OF_PREFIX = _LETTERS + "0123456789-"


class What:
    """One of the things that a claim is of, as its trailer says it."""

    __slots__ = ("kind", "parts", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        """One of :data:`KINDS`."""
        self.text = text
        """The pattern, or one line."""
        self.parts: Parts = parts_of(text) if kind == "path" else ()
        """The pattern of a path."""

    def meets(self, other: "What") -> bool:
        """Whether both are, or can be, the same."""
        if self.kind != other.kind:
            return False
        return overlap(self.parts, other.parts) if self.kind == "path" else folded(self.text) == folded(other.text)

    def typed(self) -> str:
        """As it is typed."""
        return typed(self.kind, self.text)


def typed(kind: str, text: str) -> str:
    """A thing as it is typed: a path bare, and a thing where it says itself what it is."""
    prefix = prefix_of(text)
    is_bare = prefix is None if kind == "path" else kind == "thing" and prefix is not None and prefix not in KINDS
    return text if is_bare else f"{kind}:{text}"


def prefix_of(text: str) -> "str | None":
    """What stands before the colon of what is no path, such as ``task:12``; None of a path, as ``https://...`` is."""
    prefix, colon, rest = text.partition(":")
    is_one = colon and not rest.startswith("/") and prefix[:1] in {*_LETTERS} and not prefix.strip(_OF_PREFIX)
    return prefix if is_one else None


def folded(text: str) -> str:
    """A task or a thing as two are compared."""
    return " ".join(text.casefold().split())


def what_of(value: str) -> "What | None":
    """What a trailer has; None outside its grammar."""
    kind, _, text = value.partition(":")
    if kind == "path":
        return What(kind, text) if why_not(text) is None else None
    text = text.strip()
    is_one = kind in KINDS and text and len(text) <= MAX_CHARS and text.isprintable()
    return What(kind, text) if is_one else None


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EPOCH_YEAR = 1970


def seconds_of(value: str) -> "int | None":
    """The seconds since the epoch of ``YYYY-MM-DDTHH:MM:SSZ``; None for what is no such time."""
    form = "".join("9" if sign in "0123456789" else sign for sign in value)
    if form != "9999-99-99T99:99:99Z":
        return None
    year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
    hour, minute, second = int(value[11:13]), int(value[14:16]), int(value[17:19])
    if not (year and 1 <= month <= len(_DAYS) and hour < 24 and minute < 60 and second < 60):
        return None
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS[month - 1] + (is_leap and month == 2):
        return None
    days = (year - _EPOCH_YEAR) * 365 + _leap_days(year - 1) - _leap_days(_EPOCH_YEAR - 1)
    days += sum(_DAYS[: month - 1]) + (is_leap and month > 2) + day - 1
    return days * 86_400 + hour * 3600 + minute * 60 + second


def _leap_days(year: int) -> int:
    return year // 4 - year // 100 + year // 400


class Claim:
    """A claim as its record tells it."""

    __slots__ = ("of", "reply", "seat", "uid", "until", "whats", "written")

    def __init__(
        self, of: "Any", uid: str, reply: "str | None", seat: "Seat", whats: "Sequence[Any]", until: int, written: int
    ) -> None:
        """``written`` is when its record was, ``until`` when it ends as that says; both in seconds since the epoch.

        ``whats`` are what it is of, which tell by ``meets`` whether they are another.
        """
        self.of = of
        """What it is to who asks."""
        self.uid = uid
        self.reply = reply
        """The uid of the earlier claim that it replaces, if it is one of the same seat."""
        self.seat = seat
        self.whats = whats
        self.written = written
        self.until = min(until, written + MAX_SECONDS)
        """When it ends: at most :data:`MAX_SECONDS` after it was written."""

    def meets(self, whats: "Iterable[Any]") -> bool:
        """Whether it is of one of these."""
        return any(mine.meets(other) for other in whats for mine in self.whats)


class End:
    """A record that ends claims: of ``seat``, all of them or the one with the uid ``reply``."""

    __slots__ = ("reply", "seat")

    def __init__(self, seat: "Seat", reply: "str | None") -> None:
        self.seat = seat
        self.reply = reply


def left_by(body: str) -> "str | None":
    """Who left, by what the system says; None where it says something else."""
    name = body.removesuffix(_LEFT)
    return name if name and name != body else None


def standing(said: "Iterable[Claim | End]", now: int) -> "list[tuple[Claim, Claim | None]]":
    """What stands at ``now``, first come first, of a room's claims and their ends in their order: each claim, and the
    first before it that somebody else has; None: it holds.

    A claim that answers an earlier one of the same seat replaces it, and takes its place in line when that one had not
    ended yet.
    """
    places: dict[str, tuple[int, Claim]] = {}
    for number, one in enumerate(said):
        place = number
        if isinstance(one, Claim):
            before = places.get(one.reply) if one.reply else None
            if before is not None and before[1].seat == one.seat:
                del places[before[1].uid]
                place = before[0] if before[1].until >= one.written else place
            places[one.uid] = place, one
            continue
        mine = [claim.uid for _, claim in places.values() if claim.seat == one.seat]
        for uid in mine if one.reply is None else [uid for uid in mine if uid == one.reply]:
            del places[uid]
    left = sorted((place for place in places.values() if place[1].until > now), key=lambda place: place[0])
    found: list[tuple[Claim, Claim | None]] = []
    for _, claim in left:
        others = (before for before, _ in found if before.seat != claim.seat)
        found.append((claim, next((before for before in others if before.meets(claim.whats)), None)))
    return found
