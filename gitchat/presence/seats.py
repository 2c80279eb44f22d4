"""Who sits on which name of a clone: the file ``seats`` in ``chatroom/``.

A seat is a name taken by one session of an agent. Where it has read is a ref of each room
(:mod:`gitchat.rooms.seat`); whose it is, and when it was last used, stands here. Without the
file a seat counts as taken by nobody, and the next session takes it anew: it hears again what
was read there under its name alone. Source: docs/format.md sections 7.18 and 10.6.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from gitchat.model.names import Name, is_slug
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

LIFE_SECONDS = 7 * 86_400
"""How long a seat stays taken that nobody uses."""

USE_SECONDS = 3600
"""How often a seat's use is noted, at the most."""

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sitting:
    """That a name is taken."""

    session: str
    """The session that took it; empty where the client tells none."""
    used: int
    """When it was last used, in seconds since the epoch."""
    is_person: bool = False
    """Whether a person sits there, whom somebody else's address made take a seat: it belongs to no session."""

    def is_over(self, session: str | None, now: int) -> bool:
        """Whether it ended for who comes in ``session``: another's it was, or nobody used it for long."""
        if self.is_person:
            return False
        is_others = bool(session) and bool(self.session) and session != self.session
        return is_others or not -USE_SECONDS <= now - self.used <= LIFE_SECONDS

    def is_used(self, session: str | None, now: int) -> Sitting:
        """What it is after ``session`` used it; the same where that was noted lately."""
        named = self if self.session or not session else replace(self, session=session)
        return replace(named, used=now) if abs(now - self.used) > USE_SECONDS else named


class Seats:
    """The seats of one clone. ``directory`` is ``chatroom/`` in the git common directory; it need not exist.

    Reading never fails: what cannot be read is no seat. Changing raises StorageError ``disk-full``,
    ``read-only``, ``storage``, and ConflictError ``write-lock-held``.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = OwnFile(directory, "seats")
        self._path = f"{directory}/seats"

    def of(self, name: Name) -> Sitting | None:
        """Who sits on ``name``; None for nobody."""
        return self.all().get(name)

    def all(self) -> Mapping[Name, Sitting]:
        """The names that are taken. The file is read again where it may have changed since: see :class:`_Look`."""
        look = self.look()
        if look is None:
            return {}
        known, now = _looks.get(self._path), time.monotonic()
        if known is not None and known.stamp == look:
            if known.is_settled:
                return known.sittings
            first = known.first
        else:
            first = now
        try:
            sittings = _decoded(self._file.read(_MAX_BYTES))
        except OSError:
            return {}
        _looks[self._path] = _Look(look, first, now, sittings)
        return sittings

    def look(self) -> tuple[int, int, int] | None:
        """What is another one whenever somebody took or gave back a seat; None where nobody sits."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    @contextmanager
    def turn(self) -> Iterator[Callable[[Mapping[Name, Sitting | None]], None]]:
        """The right to take and to give back seats; what is got notes who sits there now, None for nobody."""
        with gate.hold(self._directory, name="seats.lock"):
            yield self._put

    def _put(self, changed: Mapping[Name, Sitting | None]) -> None:
        before = self.all()
        after = {name: sitting for name, sitting in {**before, **changed}.items() if sitting is not None}
        if after == before:
            return
        data = _encoded(after)
        try:
            self._file.replace(data)
        except OSError as error:
            raise storage_error(error, self._file.path) from error
        _keep(data, after)


def _encoded(seats: Mapping[Name, Sitting]) -> bytes:
    """As json writes it with an indent of 1, which it does in Python: each of hundreds who sit down writes all of them.

    The quick way reads it as it is written here.
    """
    lines = [
        f' "{name}": {{\n  "session": {json.dumps(sitting.session)},\n  "used": {sitting.used},\n'
        f'  "is_person": {json.dumps(sitting.is_person)}\n }}'
        for name, sitting in sorted(seats.items())
    ]
    return "{{\n{}\n}}\n".format(",\n".join(lines)).encode("ascii") if lines else b"{}\n"


def _decoded(data: bytes) -> Mapping[Name, Sitting]:
    """The seats in a file's content; none where it is no such content.

    The same content is decoded once: a server asks for each of hundreds who wait, and each look would take in all.
    """
    known = _known.get(data)
    return known if known is not None else _keep(data, _read(data))


def _read(data: bytes) -> dict[Name, Sitting]:
    try:
        content: dict[str, Any] = json.loads(data)
        found = {
            name: Sitting(str(at["session"]), int(at["used"]), at.get("is_person") is True)
            for name, at in content.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return {}
    return {Name(name): sitting for name, sitting in found.items() if is_slug(name)}


_known: dict[bytes, Mapping[Name, Sitting]] = {}
"""What was read or written last, with what it means; replaced as a whole, for any thread."""


class _Look(NamedTuple):
    """What the file of some clone held when it was read last.

    Two changes within a tick of the file system's clock can look the same. What was read a while after the file was
    first seen as it is was read behind all changes of that tick, and any later one is seen.
    """

    stamp: tuple[int, int, int]
    first: float
    """When it was first seen as it is, and when it was read, by a clock that only this process knows."""
    read: float
    sittings: Mapping[Name, Sitting]

    @property
    def is_settled(self) -> bool:
        """Whether it need not be read again while it looks the same."""
        return self.read - self.first > _TICK_SECONDS


_TICK_SECONDS = 2.0
"""The longest tick of a file system's clock: that of FAT."""

_looks: dict[str, _Look] = {}
"""The last look at each file, by its path."""


def _keep(data: bytes, sittings: dict[Name, Sitting]) -> Mapping[Name, Sitting]:
    global _known
    kept = MappingProxyType(sittings)
    _known = {**dict(list(_known.items())[-3:]), data: kept}
    return kept
