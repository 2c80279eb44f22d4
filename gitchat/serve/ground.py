"""Where the tools of one connection over HTTP work: in the hub's one thread, and waiting for what it hands over."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from typing import TypeVar

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref
from gitchat.serve.acting import as_name, refuse_guest, refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.frontier import Key, key_of
from gitchat.serve.handing import Reader, Record
from gitchat.serve.hub import Hub
from gitchat.serve.positions import Due, Positions, Whose
from gitchat.server.desk import Coming
from gitchat.verbs import tools
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Memory:
    """What those who joined by tools have had, until it is written some seconds later: as the hub keeps it for others.

    They live under names of their own, so that each position is written in the surroundings that it was read in.
    """

    def __init__(self, *, with_own: bool = True) -> None:
        """``with_own``: what a name wrote itself is given to it, too, as to who joined a topic."""
        self.positions = Positions(with_own=with_own)
        self._with_own = with_own
        self._environments: dict[Whose, Environment] = {}
        self._seen: dict[Whose, tuple[tuple[Oid, int], Reading]] = {}
        """All that was unread when it was looked last, with the log as it was then and the turn of what was had."""
        self._turns: dict[Whose, int] = {}
        self._turn = count()
        self._given: dict[Whose, frozenset[Key]] = {}
        """What each had last: where it was read, it may be handed over only now."""

    def had(self, actor: Actor, room: Room, entries: Sequence[Entry]) -> None:
        """Who acts in ``room`` has had these. In any thread."""
        whose = (room.name, room.me)
        self._environments[whose] = room.environment
        self._given[whose] = frozenset(map(key_of, entries))
        self.positions.had(actor, whose, self._given[whose], time.monotonic())
        self._turns[whose] = next(self._turn)

    def fresh(self, room: Room, entries: Sequence[Entry]) -> list[Entry]:
        """Those of ``entries`` that who acts in ``room`` has not had. In any thread."""
        given = self._given.get((room.name, room.me), frozenset())
        return [entry for entry in self.positions.fresh(room, entries) if key_of(entry) not in given]

    def unread(self, room: Room, limit: int | None) -> Reading:
        """As :meth:`Positions.unread`; not read again while the log is the same and nothing was had."""
        if not self._with_own:  # it may have read by its other calls meanwhile
            return self.positions.unread(room, limit)
        whose, tip = (room.name, room.me), room.environment.store.tip(log_ref(room.name))
        now = (tip, self._turns.get(whose, -1)) if tip is not None else None
        seen_at, reading = self._seen.get(whose, (None, None))
        if reading is None or now is None or seen_at != now:
            reading = self.positions.unread(room, limit)
            if reading.left == 0 and now is not None:
                self._seen[whose] = (now, reading)
        if limit is None:
            return reading
        left = reading.left + max(0, len(reading.entries) - limit)
        return replace(reading, entries=reading.entries[:limit], places=reading.places[:limit], left=left)

    def settle(self, environment: Environment) -> None:
        """Write down what was had in these surroundings. In the hub's thread."""
        for due in self.positions.due():
            if self._environments[due.whose] is environment or due.whose[1] in environment.held():
                self.positions.begin(due)
                self.write(due)

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

    def refuse_revoked(self) -> None:
        """Raise UserError ``no-token`` where the credentials hold no more."""
        if self._hub.revoking.is_over(self._actor.key):
            raise UserError(
                "the token of this connection was revoked, or its time is over",
                hint="ask who runs the server for another; what came is still there",
                code="no-token",
            )

    async def act(self, act: Callable[[], T]) -> T:
        """Do it in the hub's thread. Raises ConflictError ``ending`` when the server ends; UserError ``guest``."""
        refuse_guest(self._actor)
        self.refuse_revoked()
        return await self._hub.call(lambda here: act(), self._actor)

    @contextmanager
    def coming(self, room: Room, *, with_own: bool = True) -> Iterator[Coming]:
        """What the hub hands over. Who acts in ``room`` joined by a tool, and lives without it, too."""
        reader = Reader(room.me, frozenset({room.name}), within=self._actor.rooms, with_own=with_own)
        with (
            _HandedOver(self._hub, self._memory, room, reader, self.refuse_revoked) as coming,
            self._hub.revoking.call(self._actor.key, coming.close),
        ):
            yield coming

    def settle(self) -> None:
        """What was had over this connection is written some seconds later, or now."""
        self._memory.settle(tools.here_environment())

    async def records(self, retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
        """What the hub hands over to who reads all rooms; what a slow reader missed is missed."""
        is_overrun = True
        while is_overrun:
            with self._hub.subscribe(Reader(None, is_all=True, within=self._actor.rooms)) as subscription:
                async for event in subscription:
                    if isinstance(event, Record):
                        yield event.room, event.entry
            is_overrun = subscription.is_overrun

    def take(self, room: Room, entries: Sequence[Entry]) -> list[Entry] | None:
        """At once, in any thread, for who lives under its name through this server."""
        if room.me not in room.environment.held():
            return None
        fresh = self._memory.fresh(room, entries)
        if fresh:
            self._memory.had(self._actor, room, fresh)
        return fresh

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
        numbers = reading.backlog.numbers  # as it will be written: these, and what stands before them
        backlog = replace(reading.backlog, numbers=numbers[bisect_right(numbers, places[-1].number) :])
        return replace(reading, entries=entries, places=places, last_read=backlog.last_read, left=left, is_marked=True)


class _HandedOver:
    """What comes for one who waits, as the hub hands it over. For the loop's thread. A context manager."""

    def __init__(
        self, hub: Hub, memory: Memory, room: Room, reader: Reader, refuse_revoked: Callable[[], None]
    ) -> None:
        self._refuse_revoked = refuse_revoked
        self._hub = hub
        self._memory = memory
        self._room = room
        self._coming = hub.subscribe(reader)
        self._is_missing = False
        """Whether something came that was not handed over."""

    @property
    def place(self) -> int:
        return self._hub.turn

    @property
    def is_over(self) -> bool:
        return self._coming.is_closed

    async def something(self, seconds: float) -> bool:
        is_there = await self._coming.something(seconds)
        self._refuse_revoked()
        if self._coming.is_overrun:
            self._coming = self._hub.subscribe(self._coming.reader)
            self._is_missing = True
        return is_there or self._is_missing

    def handed(self) -> list[Entry] | None:
        came = [one.entry for one in self._coming.taken() if isinstance(one, Record)]
        was_missing, self._is_missing = self._is_missing, False
        return None if was_missing else self._memory.fresh(self._room, came)

    def close(self) -> None:
        self._coming.close()

    def __enter__(self) -> _HandedOver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
