"""A repository, served: one thread that works in it, one that watches, and what is handed over to who waits.

Everything of git and SQLite happens in the worker, one thing after the other, because a Room is for one thread at a
time. When logs move, the worker looks once, and each record that came is handed over to all whom it reaches: nobody
who waits causes a reading of its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from gitchat.model.errors import ChatError
from gitchat.model.names import Name, RoomName, Uid
from gitchat.model.record import Entry
from gitchat.serve.actor import Actor
from gitchat.serve.descriptors import raise_limit
from gitchat.serve.frames import frame_of
from gitchat.serve.frontier import Key
from gitchat.serve.handing import CursorMoved, PresenceChanged, Reader, Record, RoomChanged, Subscribers, Subscription
from gitchat.serve.holdings import Holdings
from gitchat.serve.look import Look, Looked
from gitchat.serve.people import People
from gitchat.serve.positions import Due, Positions
from gitchat.serve.recent import Recent
from gitchat.serve.revoking import Revoking
from gitchat.serve.worker import Worker
from gitchat.staying.keeper import Keeping
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment

TICK_SECONDS = 1.0
"""How often it is looked who fell silent, which positions are due, and who came or read elsewhere."""

PEOPLES_SHARE = 0.02
"""How much of the worker's time may go into looking who is here: with many names it is looked less often."""

PATIENCE_SECONDS = 0.2
"""How long a call waits for another process that takes a long log into the index; then it is told so."""

WRITING_SECONDS = 0.3
"""How long positions are written when the server ends, of the second that it takes; what is left is told again."""

T = TypeVar("T")


class Hub:
    """One repository. For the thread of the event loop, from :meth:`start` to :meth:`close`."""

    def __init__(self, environment: Environment, *, name: str = "") -> None:
        """``environment`` is the process's own; ``name`` is what the repository is called in paths."""
        self.name = name
        self.random_bytes = environment.random_bytes
        self.positions = Positions()
        self.revoking = Revoking()
        self._subscribers = Subscribers()
        self.holdings = Holdings(
            self.call,
            joined=self._subscribers.widen,
            now=time.monotonic,
            changed=self._people_changed,
            settle=self.settle,
            called=lambda name: self.people.called.get(name, (None, None)),
        )
        self.recent = Recent()
        self.endings: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """Awaited at the end, when nothing waits any more and names are still held."""
        # Who asks is answered from what is there: the one thread must not wait for a long log to be taken in.
        environment = replace(environment, patience_seconds=PATIENCE_SECONDS)
        self.people = People(environment)
        self._environment = environment
        self._worker = Worker(environment, name)
        self._keeping = Keeping()
        self._look = Look(environment, self._frame_of)
        self._unwatch: Callable[[], None] = lambda: None
        self._looking: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._is_stirred = False
        self._is_ending = False

    # --- its life ----------------------------------------------------------------------

    async def start(self) -> None:
        """Bring the index up to date, where that is short; watch, and keep in step. Raises what Environment raises."""
        raise_limit()
        self._hand_over(await self._worker.do(self._look.look))
        self.recent.own_room = await self._worker.do(self._look.own_room)
        await self._worker.do(self.people.everybody)
        loop = asyncio.get_running_loop()
        # The copy has nothing open yet: what the thread that watches opens it uses alone.
        changes = await asyncio.to_thread(partial(replace(self._environment).changes, logs_only=True))

        def watch() -> None:
            with changes:
                while changes.wait():
                    with suppress(RuntimeError):  # the loop has ended
                        loop.call_soon_threadsafe(self._stir)

        self._unwatch = changes.close
        threading.Thread(target=watch, name=f"gitchat-watch-{self.name}", daemon=True).start()
        self._stir()  # what came before the watch began
        await self._worker.do(lambda: self._keeping.begin(replace(self._environment)))
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """End: what waits and streams first, then positions are written and names released. Again: nothing happens."""
        if self._is_ending:
            return
        self._is_ending = True
        self._unwatch()
        self._subscribers.close()
        for ending in self.endings:
            await ending()
        for task in (self._ticking, self._looking):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self._keeping.close()
        await self._worker.end(self._write_all)

    async def _tick(self) -> None:
        signs_at = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.holdings.sweep()
            self.recent.own_room = await self._worker.do(self._look.own_room)
            if self._look.is_behind:
                self._stir()
            for due in self.positions.due(time.monotonic()):
                began = time.monotonic()
                await self._write_down(due)
                await asyncio.sleep(time.monotonic() - began)  # who asks waits for one of these, and not for all
            if self._subscribers.any_reads_all and time.monotonic() >= signs_at:
                began = time.monotonic()
                for sign in await self._worker.do(partial(self.people.signs, self._subscribers.shown())):
                    self._subscribers.tell(sign)
                signs_at = time.monotonic() + (time.monotonic() - began) / PEOPLES_SHARE

    # --- calls -------------------------------------------------------------------------

    async def call(self, act: Callable[[Environment], T], actor: Actor, name: Name | None = None) -> T:
        """What ``act`` gives in the surroundings of ``actor``, done in the worker thread.

        With ``name`` that counts as a sign of life. A ChatError of it passes through. Who stops waiting for it ends
        it only while it has not begun.

        Raises:
            ConflictError: ``ending`` when the server ends.
        """
        if name is not None:
            self.holdings.touch(actor, name)
        return await self._worker.act(act, actor)

    async def forget(self, actor: Actor) -> None:
        """The session of ``actor`` is over: its names are free, and nothing is kept for it."""
        await self._worker.forget(actor)

    async def finish(self, do: Callable[[], T]) -> T:
        """Do something in the worker thread, also while the server ends."""
        return await self._worker.finish(do)

    # --- reading and marking -------------------------------------------------------------

    async def unread(self, actor: Actor, name: Name, *, room: RoomName | None = None, limit: int = 100) -> Reading:
        """The oldest ``limit`` records that are unread and for ``name``, without those that it just had."""
        return await self.call(lambda here: self.positions.unread(Room(here, room, name), limit), actor, name)

    def had(self, actor: Actor, name: Name, room: RoomName, keys: list[Key]) -> None:
        """``name`` has had these records: it is not told them again, and some seconds later that is written.

        Whether it may is asked before, and again when it is written down.
        """
        self.positions.had(actor, (room, name), keys, time.monotonic())
        self.tell_read(name, room)

    def tell_read(self, name: Name, room: RoomName) -> None:
        """Tell the pages of ``name`` that it has read more of ``room``."""
        self._subscribers.tell(CursorMoved(name, room))

    async def settle(self, name: Name) -> None:
        """Write down what ``name`` has had."""
        for due in self.positions.due(name=name):
            await self._write_down(due)

    async def _write_down(self, due: Due) -> None:
        self.positions.begin(due)
        await self._worker.do(lambda: self._write(due))

    def _write(self, due: Due) -> None:
        room, name = due.whose
        with suppress(ChatError):  # a full disk, a room that is gone: it is told again
            self._worker.act_here(lambda here: self.positions.write(Room(here, room, name)), due.actor)

    def _write_all(self) -> None:
        """The last thing in the worker: as many positions as there is time for."""
        end = time.monotonic() + WRITING_SECONDS
        for due in self.positions.due():
            if time.monotonic() < end:
                self._write(due)

    # --- waiting -------------------------------------------------------------------------

    def subscribe(self, reader: Reader) -> Subscription:
        """What is handed over to ``reader`` from now on; closed at once when the server ends."""
        subscription = self._subscribers.add(reader)
        if self._is_ending:
            subscription.close()
        return subscription

    @property
    def is_counting(self) -> bool:
        """Whether the messages of a room are still being counted, so that only its newest ones are known."""
        return self._look.is_behind

    @property
    def turn(self) -> int:
        """How often something was handed over until now."""
        return self._subscribers.turn

    async def wait(
        self, look: Callable[[Environment], T | None], reader: Reader, actor: Actor, seconds: float | None
    ) -> T | None:
        """What ``look`` gives, now or when something for ``reader`` came; None when the time is up, or at the end."""

        async with self.holdings.staying(actor, reader.name):
            with self.subscribe(reader) as subscription:
                found = await self.call(look, actor, reader.name)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        while found is None and await subscription.something():
                            subscription.taken()
                            found = await self.call(look, actor)
                return found

    async def missed(self, arrival: str | None, reader: Reader, actor: Actor) -> tuple[list[Record] | None, str, int]:
        """What came for ``reader`` since ``arrival``, None when nobody knows any more, and what is the newest now."""

        def act(environment: Environment) -> tuple[list[Record] | None, str, int]:
            self.people.begin(reader.name)
            found = self._look.after(arrival) if arrival is not None else []
            missed = None if found is None else [one.record for one in found if reader.takes(one.record, one.reached)]
            return missed, self._look.arrival, self._look.newest

        return await self.call(act, actor, reader.name)

    @property
    def newest(self) -> int:
        """The arrival number up to which everything was handed over; for the worker's thread."""
        return self._look.newest

    # --- looking -------------------------------------------------------------------------

    def _stir(self) -> None:
        """Something moved: look, once for all that moved meanwhile."""
        self._is_stirred = True
        if self._looking is None and not self._is_ending:
            self._looking = asyncio.create_task(self._look_while_stirred())

    async def _look_while_stirred(self) -> None:
        try:
            while self._is_stirred:
                self._is_stirred = False
                self._hand_over(await self._worker.do(self._look.look))
        finally:
            self._looking = None

    def _hand_over(self, looked: Looked) -> None:
        fresh = [(one.record, one.reached) for one in looked.fresh]
        self.recent.keep(looked.totals, looked.changed, fresh)
        if looked.is_anew:
            self._subscribers.break_off()
        for record, reached in fresh:
            self._subscribers.hand(record, reached)
        for room in looked.changed:
            self._subscribers.tell(RoomChanged(room))

    def _people_changed(self, room: RoomName) -> None:
        self.people.forget()
        self._subscribers.tell(PresenceChanged(room))

    def _frame_of(self, entry: Entry, labels: Mapping[Uid, str]) -> Mapping[str, Any]:
        return frame_of(entry, labels, self.holdings.spelled)
