"""What is handed over to who waits or streams: records and signs of change, in a queue of each that has an end.

For the thread of one event loop. Knows neither git nor a clock: what a record is, and whom it reaches, is decided by
who hands it over.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gitchat.model.names import CloneId, Name, RoomName, Uid
from gitchat.model.record import QUIET_KINDS, Entry

QUEUED = 256
"""Records that may wait for a reader. A slower one is closed: the log is the queue, and it resumes by numbers."""


@dataclass(frozen=True)
class Record:
    """A record that came, made into text once for all who get it."""

    number: int
    """Its arrival number: its place in the order in which this clone learned of records."""
    arrival: str
    """The same with the epoch of that order: ``e3-1042``."""
    room: RoomName
    entry: Entry
    labels: Mapping[Uid, str]
    """The label of the record that it replies to."""
    encode: Callable[[Entry, Mapping[Uid, str]], Mapping[str, Any]]
    """What makes the FRAME of it."""

    @cached_property
    def frame(self) -> str:
        """The FRAME, as one line of JSON."""
        return one_line(self.encode(self.entry, self.labels))

    @cached_property
    def event(self) -> bytes:
        """The FRAME as a server-sent event, whose id is the arrival number."""
        return f"id: {self.arrival}\nevent: message\ndata: {self.frame}\n\n".encode()


def one_line(value: object) -> str:
    """JSON without spaces and line feeds."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Who is in a room is another set of people than before, or they have another role."""

    room: RoomName


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """Something of a room is shown otherwise than before, and no record came: a title, a number, a record hidden."""

    room: RoomName


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """A name has read more of a room."""

    name: Name
    room: RoomName


@dataclass(frozen=True, slots=True)
class Reset:
    """What was missed is not known any more: read anew."""


Sign = PresenceChanged | RoomChanged | CursorMoved | Reset
Event = Record | Sign


class Reached:
    """Whom a record reaches: the rule of ``index.condition.visible_to``, for one that is at hand."""

    def __init__(self, entry: Entry, roles: Mapping[str, Collection[Name]], clone: CloneId | None) -> None:
        """``roles`` has the names that have each role which it is addressed to; ``clone`` is the one here."""
        record = entry.record
        self._author = record.author
        self._is_of_here = record.clone is None or record.clone == clone
        self._is_for_all = not record.to and record.kind not in QUIET_KINDS
        self._names = {*record.to, *(name for role in record.to for name in roles.get(role, ()))}

    def by(self, name: Name) -> bool:
        """Whether it reaches ``name``."""
        return self._is_for_all or name in self._names

    def is_own(self, name: Name) -> bool:
        """Whether whoever acts as ``name`` here wrote it, and not one of that name in another clone."""
        return self._author == name and self._is_of_here


@dataclass(frozen=True, slots=True)
class Reader:
    """What somebody who waits or streams is handed."""

    name: Name | None
    """As whom it reads; None for a guest."""
    rooms: frozenset[RoomName] | None = None
    """What reaches it in these rooms; None is in all."""
    is_found: bool = False
    """Whether ``rooms`` are those that it joined, and what names it is handed to it from any other, too."""
    is_all: bool = False
    """Whether it reads whole rooms, as a page does, and hears of presence and of how far its name has read."""
    within: frozenset[RoomName] | None = None
    """The rooms that it may know of at all; None is all."""
    with_own: bool = False
    """Whether what its own name wrote is handed to it, too; who reads whole rooms gets that anyway."""

    def wants(self, sign: Sign) -> bool:
        """Whether a sign is for it."""
        if isinstance(sign, Reset):
            return True
        if not self.is_all or not self._reads(sign.room):
            return False
        return not isinstance(sign, CursorMoved) or sign.name == self.name

    def takes(self, record: Record, reached: Reached) -> bool:
        """Whether a record is for it."""
        if self.is_all:
            return self._reads(record.room)
        if self.name is None or (self.within is not None and record.room not in self.within):
            return False
        if not self._reads(record.room) and not (self.is_found and self.name in record.entry.record.to):
            return False
        return reached.by(self.name) and (self.with_own or not reached.is_own(self.name))

    def _reads(self, room: RoomName) -> bool:
        return all(rooms is None or room in rooms for rooms in (self.rooms, self.within))


class Subscription:
    """What one reader has yet to take, for one task; ends when it is closed, or too slow. A context manager."""

    def __init__(self, reader: Reader, leave: Callable[[Subscription], None]) -> None:
        self.reader = reader
        self._leave = leave
        self._waiting: deque[Event] = deque()
        self._bell: asyncio.Future[None] | None = None
        self.when_overrun: Callable[[], object] = lambda: None
        """Called when it ends because its reader is too slow, which a reader in the middle of a write does not see."""
        self.is_overrun = False
        """Whether it ended because its reader was too slow: what came then is in the log, and not here."""
        self.is_closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is there to be taken."""
        return not self._waiting

    def put(self, event: Event) -> None:
        """Hand ``event`` over; the end where there are too many."""
        if self.is_closed:
            return
        if len(self._waiting) >= QUEUED:
            self.break_off()
            return
        if isinstance(event, Record) or event not in self._waiting:  # one sign says as much as two
            self._waiting.append(event)
        self._ring()

    def break_off(self) -> None:
        """End it because something is missing from now on; its reader finds it in the log."""
        self.is_overrun = True
        self.close()
        self.when_overrun()

    def close(self) -> None:
        """End it: what waits is still given, then the end. Again: nothing happens."""
        if not self.is_closed:
            self.is_closed = True
            self._leave(self)
            self._ring()

    def taken(self) -> list[Event]:
        """What is there now, which is then taken."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    async def something(self, seconds: float | None = None) -> bool:
        """Wait until there is something to take; False when the time is up (None: never), or at the end."""
        while not self._waiting:
            if self.is_closed:
                return False
            loop = asyncio.get_running_loop()
            self._bell = loop.create_future()
            # One timer and no asyncio.timeout: a thousand begin to wait again with every message.
            timer = loop.call_later(seconds, self._ring) if seconds is not None else None
            try:
                await self._bell
            finally:
                self._bell = None
                if timer is not None:
                    timer.cancel()
            if timer is not None and loop.time() >= timer.when():
                return bool(self._waiting)
        return True

    def _ring(self) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        if not await self.something():
            raise StopAsyncIteration
        return self._waiting.popleft()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Subscribers:
    """All subscriptions of a hub."""

    def __init__(self) -> None:
        self._all: set[Subscription] = set()
        self._pages: set[Subscription] = set()
        """Those of them that read whole rooms: they alone are given signs, and a thousand others are not asked."""
        self.turn = 0
        """How often something was handed over, or was missed: who was handed all until one turn lacks nothing at it."""

    def __len__(self) -> int:
        return len(self._all)

    def shown(self) -> set[Name]:
        """As whom whole rooms are read."""
        return {one.reader.name for one in self._pages if one.reader.name is not None}

    @property
    def any_reads_all(self) -> bool:
        """Whether anybody hears of presence and cursors."""
        return bool(self._pages)

    def add(self, reader: Reader) -> Subscription:
        """A subscription that begins now."""
        subscription = Subscription(reader, self._leave)
        self._all.add(subscription)
        if reader.is_all:
            self._pages.add(subscription)
        return subscription

    def _leave(self, subscription: Subscription) -> None:
        self._all.discard(subscription)
        self._pages.discard(subscription)

    def widen(self, name: Name, room: RoomName) -> None:
        """``name`` joined ``room``: where it reads the rooms that it joined, that is one of them now."""
        for one in self._all:
            if one.reader.name == name and one.reader.is_found and one.reader.rooms is not None:
                one.reader = replace(one.reader, rooms=one.reader.rooms | {room})

    def tell(self, sign: Sign) -> None:
        """Give a sign to whom it concerns."""
        for one in list(self._pages):
            if one.reader.wants(sign):
                one.put(sign)

    def hand(self, record: Record, reached: Reached) -> None:
        """Give a record to everybody whom it reaches."""
        self.turn += 1
        takers = [one for one in self._all if one.reader.takes(record, reached)]
        if record.entry.record.to:  # whom it names comes before a thousand pages that show it, too
            takers.sort(key=lambda one: one.reader.name is None or not reached.by(one.reader.name))
        for one in takers:
            one.put(record)

    def break_off(self) -> None:
        """Nobody can tell what came meanwhile: who reads whole rooms is told to read anew, others come back."""
        self.turn += 1
        for one in list(self._all):
            if one.reader.is_all:
                one.put(Reset())
            else:
                one.break_off()

    def close(self) -> None:
        """End all."""
        for one in list(self._all):
            one.close()
