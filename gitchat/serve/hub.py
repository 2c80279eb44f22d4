"""A repository, served: one thread that works in it, one that watches, and what is handed over to who waits.

Everything of git and SQLite happens in the worker, one thing after the other, because a Room is for one thread at a
time. When logs move, the worker looks once, and each record that came is handed over to all whom it reaches: nobody
who waits causes a reading of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from gitchat.model.errors import ChatError, ConflictError, FormatError
from gitchat.model.names import Name, Oid, RoomName, Uid
from gitchat.model.record import Entry
from gitchat.serve.actor import Actor
from gitchat.serve.handing import CursorMoved, Reader, Record, Subscribers, Subscription
from gitchat.serve.holdings import Holdings
from gitchat.staying.keeper import Keeping
from gitchat.verbs.room import Reading, Room
from gitchat.verbs.waiting import Arrivals
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Hub:
    """One repository. Everything but :meth:`start` may be called from its start to its end, in the loop's thread."""

    def __init__(self, environment: Environment, *, name: str = "") -> None:
        """``environment`` is the process's own; ``name`` is what the repository is called in paths."""
        self.name = name
        self.holdings = Holdings(self.call)
        self._environment = environment
        self._environments: dict[Actor, Environment] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"gitchat-hub-{name}")
        self._subscribers = Subscribers()
        self._keeping = Keeping()
        self._arrivals: dict[RoomName, Arrivals] = {}
        self._tips: dict[RoomName, Oid | None] = {}
        self._is_first_look = True
        self._count = 0
        self._stop: Callable[[], None] = lambda: None
        self._look: asyncio.Task[None] | None = None
        self._is_stirred = False
        self._is_ending = False

    # --- its life --------------------------------------------------------------------

    async def start(self) -> None:
        """Bring the index up to date, and watch and keep in step from now on. Raises what Environment raises."""
        self._loop = asyncio.get_running_loop()
        await self._work(self._fresh)
        changes = replace(self._environment).changes()

        def watch() -> None:
            with changes:
                while changes.wait():
                    with suppress(RuntimeError):  # the loop has ended
                        self._loop.call_soon_threadsafe(self._stir)

        self._stop = changes.close
        threading.Thread(target=watch, name=f"gitchat-watch-{self.name}", daemon=True).start()
        self._stir()
        await self._work(lambda: self._keeping.begin(replace(self._environment)))

    async def close(self) -> None:
        """End: what waits and streams first, then what is held. Again: nothing happens."""
        if self._is_ending:
            return
        self._is_ending = True
        self._stop()
        self._subscribers.close()
        self._keeping.close()
        if self._look is not None:
            await self._look
        await asyncio.get_running_loop().run_in_executor(None, self._worker.shutdown)

    # --- calls -----------------------------------------------------------------------

    async def call(self, act: Callable[[Environment], T], actor: Actor, name: Name | None = None) -> T:
        """What ``act`` gives in the surroundings of ``actor``, done in the worker thread.

        With ``name`` that counts as a sign of life. A ChatError of it passes through.

        Raises:
            ConflictError: ``ending`` when the server ends.
        """
        if name is not None:
            self.holdings.touch(actor, name)
        return await self._work(lambda: act(self._surroundings(actor)))

    async def _work(self, do: Callable[[], T]) -> T:
        if self._is_ending:
            raise ConflictError("the server ends", hint="ask again when it is back", code="ending")
        return await asyncio.get_running_loop().run_in_executor(self._worker, contextvars.copy_context().run, do)

    def _surroundings(self, actor: Actor) -> Environment:
        if actor not in self._environments:
            self._environments[actor] = replace(self._environment, acts_as_anyone=True)
        return self._environments[actor]

    async def unread(self, actor: Actor, name: Name, *, room: RoomName | None = None, limit: int = 100) -> Reading:
        """The oldest ``limit`` records that are unread and for ``name``, without those that were just handed to it."""
        return await self.call(lambda environment: Room(environment, room, name).unread(limit), actor, name)

    async def mark(self, actor: Actor, name: Name, room: RoomName, entries: Sequence[Entry]) -> None:
        """Note that ``name`` has had these records."""
        numbers = [entry.number for entry in entries if entry.number is not None]
        if numbers:
            await self.call(lambda environment: Room(environment, room, name).set_cursor(max(numbers)), actor, name)
            self._subscribers.tell(CursorMoved(name, room))

    # --- waiting ---------------------------------------------------------------------

    def subscribe(self, reader: Reader) -> Subscription:
        """What is handed over to ``reader`` from now on; closed at once when the server ends."""
        subscription = self._subscribers.add(reader)
        if self._is_ending:
            subscription.close()
        return subscription

    async def wait(
        self, look: Callable[[Environment], T | None], reader: Reader, actor: Actor, seconds: float | None
    ) -> T | None:
        """What ``look`` gives, now or when something for ``reader`` came; None when the time is up, or at the end."""
        with self.subscribe(reader) as subscription, suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_ending:
                    found = await self.call(look, actor, reader.name)
                    if found is not None:
                        return found
                    await subscription.something()
                    subscription.taken()
        return None

    # --- looking ---------------------------------------------------------------------

    def _stir(self) -> None:
        self._is_stirred = True
        if self._look is None and not self._is_ending:
            self._look = asyncio.create_task(self._look_while_stirred())

    async def _look_while_stirred(self) -> None:
        while self._is_stirred and not self._is_ending:
            self._is_stirred = False
            for record in await self._work(self._fresh):
                self._subscribers.hand(record, {}, record.entry.record.author.__eq__)
        self._look = None

    def _fresh(self) -> list[Record]:
        """What came since the last look, in the worker."""
        found: list[Record] = []
        with suppress(ChatError):
            for room in self._environment.store.rooms():
                with suppress(FormatError):  # a damaged room hides no other
                    found += self._fresh_in(room)
        self._is_first_look = False
        return found

    def _fresh_in(self, room: RoomName) -> Iterable[Record]:
        tip = self._environment.store.room_tip(room)
        if self._tips.get(room) == tip:
            return []
        self._tips[room] = tip
        log = self._environment.log(room)
        if room not in self._arrivals:
            self._arrivals[room] = Arrivals(log, None if self._is_first_look else 0)
        entries = self._arrivals[room].fresh(log)
        labels = log.labels(entries)
        return [self._record(entry, labels) for entry in entries]

    def _record(self, entry: Entry, labels: Mapping[Uid, str]) -> Record:
        self._count += 1
        return Record(f"e0-{self._count}", entry.room, entry, labels, self._frame_of)

    def _frame_of(self, entry: Entry, labels: Mapping[Uid, str]) -> Mapping[str, Any]:
        from gitchat.serve.frames import frame_of  # type: ignore[import-untyped, unused-ignore]

        return frame_of(entry, labels, self.holdings.spelled)  # type: ignore[no-any-return, unused-ignore]
