"""Waking up when a room changes: watched directories tell (:mod:`gitchat.waking.directories`), a slow poll behind them.

An event only says "look": a reader wakes when the refs it reads have another value than
last time. So a lost event costs a second and never a message, and events about nothing
cost a look.

Where nothing can be watched (no inotify instances left, another machine's writes on a
network mount) the poll is all there is. It also finds out when a watch has gone blind.

``import gitchat.waking.watch`` loads watchdog: only what waits imports it.
Source: docs/decisions/0003-watching-for-changes.md.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gitchat.waking.directories import Watches

POLL_SECONDS = 1.0
"""How late a change can be noticed of which no event tells."""


class Changes:
    """Tells a reader that refs changed; which ones, the reader finds out by reading.

    Make it, read everything once, then wait in a loop: a change after it was made is never
    missed, whenever it comes. One reader waits at a time; for each one more there is
    :meth:`another`. A forked child can go on with its own copy.
    """

    def __init__(
        self, common_dir: Path, *, read_refs: Callable[[], object], poll_seconds: float = POLL_SECONDS
    ) -> None:
        """``read_refs`` gives what is compared, for instance all tips; equal means unchanged.

        It is called here, and then in the thread that waits (in asyncio: in the loop's), every
        ``poll_seconds`` and at each event, so it should be quick. An error of it here is the
        caller's; later on it counts as a value: the reader wakes, reads, and meets it itself.
        """
        self._read_refs = read_refs
        self._poll_seconds = poll_seconds
        self._seen = read_refs()
        self._is_closed = False
        self._watches = Watches(common_dir)
        self._watches.join(self)

    def another(self, read_refs: Callable[[], object] | None = None) -> Changes:
        """One more reader on the same watches, to wait beside this one; each is closed by itself.

        The kernel gives a user 128 inotify instances, so a process needs one for all its readers.
        """
        twin = copy.copy(self)
        twin._read_refs = read_refs or self._read_refs
        twin._seen = twin._read_refs()
        twin._is_closed = False
        self._watches.join(twin)
        return twin

    @property
    def is_watching(self) -> bool:
        """Whether events are expected; else the poll alone finds changes. False before the first wait."""
        return self._watches.is_armed

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Block until the refs differ from when this was made or last gave True.

        True: they do. False: ``timeout_seconds`` have passed (None: no limit), or this was closed.
        """
        bell = threading.Event()
        end = _end(timeout_seconds)
        with self._watches.listening(bell.set):
            is_rung = True
            while not self._has_changed(is_rung):
                pause_seconds = self._pause_seconds(end)
                if pause_seconds <= 0:
                    return False
                is_rung = bell.wait(pause_seconds)
                bell.clear()
        return not self._is_closed

    async def wait_async(self, timeout_seconds: float | None = None) -> bool:
        """As :meth:`wait`, in asyncio (also below anyio). Cancelling it ends it at once and leaves nothing behind."""
        import asyncio  # whoever awaits has loaded it; whoever waits in a thread does without

        loop = asyncio.get_running_loop()
        bell = asyncio.Event()
        end = _end(timeout_seconds)

        def ring() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(bell.set)

        with self._watches.listening(ring):
            is_rung = True
            while not self._has_changed(is_rung):
                pause_seconds = self._pause_seconds(end)
                if pause_seconds <= 0:
                    return False
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_seconds):
                        await bell.wait()
                is_rung = bell.is_set()
                bell.clear()
        return not self._is_closed

    def wait_until(self, is_over: Callable[[], bool], timeout_seconds: float | None = None) -> bool:
        """Look, and look again after each change, until ``is_over`` says so; False when time is up."""
        end = _end(timeout_seconds)
        while not is_over():
            if not self.wait(None if end is None else end - time.monotonic()):
                return is_over()
        return True

    def ring(self) -> None:
        """Let who waits look at once, and go on waiting where nothing is new. May be called by any thread."""
        self._watches.ring()

    def close(self) -> None:
        """End: a wait that is under way, here or in another thread, returns False. Can be called twice."""
        self._is_closed = True
        self._watches.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _has_changed(self, is_rung: bool) -> bool:
        """Whether waiting is over. Arms first: what happens after the look then rings."""
        if self._is_closed:
            return True
        self._watches.arm()
        try:
            refs = self._read_refs()
        except Exception as error:
            refs = (type(error), str(error))
        if refs == self._seen:
            return False
        self._seen = refs
        if not is_rung:
            self._watches.distrust()
        return True

    def _pause_seconds(self, end: float | None) -> float:
        return self._poll_seconds if end is None else min(self._poll_seconds, end - time.monotonic())


def _end(timeout_seconds: float | None) -> float | None:
    return None if timeout_seconds is None else time.monotonic() + timeout_seconds
