"""Who lives in other clones, by what these say of it every ten seconds. Pure: told the time, keeps nothing on disk.

A beat lists the names that live in one room of one clone, with role and client: no path, host or process. It is
believed for half a minute and no longer, and names are exclusive in a clone only, so two may have the same.
Source: docs/format.md section 15.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gitchat.doorbell.knock import MAX_BYTES, VERSION, clone_of, parsed
from gitchat.model.escape import escape_line
from gitchat.model.names import CloneId, Name, RoomName, Uid, is_name, is_slug
from gitchat.model.participant import MAX_WORD_CHARS

BEAT_SECONDS = 10.0
"""How often a clone says who lives in it."""

FORGOTTEN_SECONDS = 30.0
"""How long that is believed."""

MAX_NAMES = 32
"""How many names a clone says of a room; of more, those that come first."""

MAX_CLONES = 64
"""How many clones are remembered of a room. A stranger can invent them, so there is an end; the oldest go."""


@dataclass(frozen=True, slots=True)
class Alive:
    """A name that lives in some clone."""

    name: Name
    role: str = ""
    """One line of at most MAX_WORD_CHARS characters, escaped."""
    client: str | None = None
    """The agent's program; None for a person."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Who lives in one room of one clone. Nobody: they have gone."""

    room: Uid
    """The uid of the room's first record."""
    clone: CloneId
    names: tuple[Alive, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A name that lives in another clone, as that one said."""

    name: Name
    role: str
    client: str | None
    clone: CloneId
    age_seconds: int
    """How long ago it was said."""


def encode(beat: Beat, room: RoomName) -> bytes:
    """What is published about ``room``, which readers know by its uid; shorter by names until it fits."""
    names = list(beat.names[:MAX_NAMES])
    while True:
        listed = [{"name": one.name, "role": one.role, "client": one.client} for one in names]
        told = {"v": VERSION, "clone": beat.clone, "room": room, "names": listed}
        data = json.dumps(told, separators=(",", ":")).encode("ascii")
        if len(data) <= MAX_BYTES or not names:
            return data
        names.pop()


def decode(room: Uid, data: bytes) -> Beat | None:
    """What was published about ``room``; None for what no gitchat says. Names that are none are left out."""
    told = parsed(data)
    clone, names = clone_of(told.get("clone")), told.get("names")
    if clone is None or not isinstance(names, list):
        return None
    found = {one.name: one for one in map(alive, names[:MAX_NAMES]) if one is not None}
    return Beat(room, clone, tuple(found.values()))


def alive(told: Any) -> Alive | None:
    if not isinstance(told, dict):
        return None
    name, role, client = (told.get(key) for key in ("name", "role", "client"))
    if not isinstance(name, str) or not is_name(name):
        return None
    is_client = isinstance(client, str) and is_slug(client)
    words = escape_line(role) if isinstance(role, str) else ""
    return Alive(Name(name), words[:MAX_WORD_CHARS], client if is_client else None)


class Beats:
    """What was heard of other clones, by room. Times are seconds of any clock that goes on evenly."""

    def __init__(self, own: CloneId | None = None) -> None:
        """``own`` is the clone that hears: what it said itself is no news to it."""
        self._own = own
        self._heard: dict[Uid, dict[CloneId, tuple[float, tuple[Alive, ...]]]] = {}

    def hear(self, beat: Beat, now: float) -> bool:
        """Take in a beat; whether other names are there than before."""
        if beat.clone == self._own:
            return False
        clones = self._heard.setdefault(beat.room, {})
        known = clones.pop(beat.clone, None)
        is_known = known is not None and now - known[0] < FORGOTTEN_SECONDS
        if beat.names:
            while len(clones) >= MAX_CLONES:  # in the order in which they were heard last
                clones.pop(next(iter(clones)))
            clones[beat.clone] = (now, beat.names)
        return beat.names != (known[1] if known is not None and is_known else ())

    def attend(self, rooms: Iterable[Uid]) -> None:
        """Forget all rooms but these."""
        kept = set(rooms)
        self._heard = {room: clones for room, clones in self._heard.items() if room in kept}

    def forget(self) -> None:
        """Forget all: the line is cut."""
        self._heard.clear()

    def elsewhere(self, room: Uid, now: float) -> list[Elsewhere]:
        """Who lives in ``room`` in other clones, sorted by name, then clone."""
        return sorted(self._living(room, now), key=lambda one: (one.name, one.clone))

    def _living(self, room: Uid, now: float) -> Iterator[Elsewhere]:
        for clone, (at, names) in self._heard.get(room, {}).items():
            if now - at < FORGOTTEN_SECONDS:
                age_seconds = max(0, int(now - at))
                yield from (Elsewhere(one.name, one.role, one.client, clone, age_seconds) for one in names)


def beat_of(room: Uid, clone: CloneId, names: Sequence[Alive]) -> Beat:
    """What a clone says of one of its rooms: of many names those that come first."""
    return Beat(room, clone, tuple(sorted(names, key=lambda one: one.name)[:MAX_NAMES]))
