"""Where the tools of one connection over HTTP work: in the hub's one thread, and waiting for what it hands over."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from gitchat.model.errors import ChatError
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref
from gitchat.serve.acting import as_name, refuse_guest, refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.frontier import key_of
from gitchat.serve.handing import Reader, Record
from gitchat.serve.hub import Hub
from gitchat.serve.positions import Due, Positions, Whose
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Memory:
    """What those who joined by tools have had, until it is written some seconds later: as the hub keeps it for others.

    They live under names of their own, so that each position is written in the surroundings that it was read in.
    """

    def __init__(self) -> None:
        self.positions = Positions(with_own=True)
        self._environments: dict[Whose, Environment] = {}
        self._seen: dict[Whose, tuple[Oid | None, Reading]] = {}
        """All that was unread when it was looked last, and the log as it was then: who waits looks, and then takes."""

    def had(self, actor: Actor, room: Room, entries: list[Entry]) -> None:
        """Who acts in ``room`` has had these."""
        whose = (room.name, room.me)
        self._environments[whose] = room.environment
        self._seen.pop(whose, None)
        self.positions.had(actor, whose, map(key_of, entries), time.monotonic())

    def unread(self, room: Room, limit: int | None) -> Reading:
        """As :meth:`Positions.unread`; not read again while the log is the same and nothing was had."""
        whose, tip = (room.name, room.me), room.environment.store.tip(log_ref(room.name))
        seen_at, reading = self._seen.get(whose, (None, None))
        if reading is None or tip is None or seen_at != tip:
            reading = self.positions.unread(room, limit)
            if reading.left == 0:
                self._seen[whose] = (tip, reading)
        if limit is None:
            return reading
        left = reading.left + max(0, len(reading.entries) - limit)
        return replace(reading, entries=reading.entries[:limit], places=reading.places[:limit], left=left)

    def write(self, due: Due) -> None:
        """Write down one position. In the hub's thread; a full disk, a room that is gone: it is told again."""
        room, name = due.whose
        with suppress(ChatError):
            self.positions.write(Room(self._environments[due.whose], room, name))


class HubGround:
    """The ground of what ``actor`` does over one connection."""

    def __init__(self, hub: Hub, actor: Actor, memory: Memory) -> None:
        self._hub = hub
        self._actor = actor
        self._memory = memory

    def admit(self, name: Name) -> None:
        """Raise UserError ``not-your-name``, ``guest`` where the credentials are not for ``name``."""
        as_name(self._actor, name)

    async def act(self, act: Callable[[], T]) -> T:
        """Do it in the hub's thread. Raises ConflictError ``ending`` when the server ends; UserError ``guest``."""
        refuse_guest(self._actor)
        return await self._hub.call(lambda here: act(), self._actor)

    async def wait(self, room: Room, is_over: Callable[[], bool], seconds: float) -> bool:
        """Look now and each time that something reaches who acts in ``room``; False when the time is up."""
        me = await self.act(lambda: room.me)
        reader = Reader(me, frozenset({room.name}), with_own=True)
        found = await self._hub.wait(lambda here: True if is_over() else None, reader, self._actor, seconds)
        return found is not None

    async def records(self, retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
        """What the hub hands over to who reads all rooms; what a slow reader missed is missed."""
        is_overrun = True
        while is_overrun:
            with self._hub.subscribe(Reader(None, is_all=True, within=self._actor.rooms)) as subscription:
                async for event in subscription:
                    if isinstance(event, Record):
                        yield event.room, event.entry
            is_overrun = subscription.is_overrun

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        """Without what was just had and is not written yet. ``with_own`` is always so for who joined by a tool."""
        refuse_unseen(self._actor, room.name)
        return self._memory.unread(room, limit)

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        """At once for who reads here, and some seconds later in the repository."""
        refuse_unseen(self._actor, room.name)
        entries = reading.entries if count is None else reading.entries[:count]
        why_not = reading.why_not or room.why_not_mark()
        if why_not is not None or not entries:
            return replace(reading, why_not=why_not)
        room.environment.repository.refuse_mirror()
        self._memory.had(self._actor, room, entries)
        left = reading.left + len(reading.entries) - len(entries)
        places = reading.places[: len(entries)]
        return replace(reading, entries=entries, places=places, left=left, is_marked=True)
