"""Waiting until something is said, and watching what is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator

from gitchat.model.names import Uid
from gitchat.model.record import UNLISTED_KINDS, Entry
from gitchat.rooms.log import Log
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.claimends import pause_seconds, tend


def wait(room: Standpoint, timeout_seconds: float | None, is_over: Callable[[], bool]) -> bool:
    """Look whether ``is_over`` now and at each change of a room here; False when the time is up.

    None waits without an end. It sleeps in between: what another process writes wakes it.
    """
    end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    with room.environment.changes() as changes:
        while not is_over():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            if not changes.wait(sooner(left, pause_seconds(room.environment))):
                tend(room.environment)
        return True


def sooner(left: float | None, pause: float | None) -> float | None:
    """How long to sleep at most; None for as long as nothing comes."""
    return min((one for one in (left, pause) if one is not None), default=None)


def watch(room: Standpoint, *, after: int | None = None, timeout_seconds: float | None = None) -> Iterator[Entry]:
    """Records that :meth:`log` would show, as they come, each once, in the order of their numbers.

    Whoever they are for, own ones too. Begins after the number ``after``; without it with what comes after
    the first one was asked for. Ends when nothing came for ``timeout_seconds`` (None: never). Marks nothing.
    """
    with room.environment.changes() as changes:
        arrivals = Arrivals(room.records, after)
        while True:
            yield from arrivals.fresh(room.records)
            if not changes.wait(timeout_seconds):
                return


async def watch_async(
    room: Standpoint, *, after: int | None = None, timeout_seconds: float | None = None
) -> AsyncIterator[Entry]:
    """As :meth:`watch`, for ``async for`` in asyncio. Can be cancelled at any time."""
    with room.environment.changes() as changes:
        arrivals = Arrivals(room.records, after)
        while True:
            for entry in arrivals.fresh(room.records):
                yield entry
            if not await changes.wait_async(timeout_seconds):
                return


class Arrivals:
    """Records that came to a room since the last look, each once, also one that was pending when it was first seen."""

    def __init__(self, log: Log, after: int | None) -> None:
        """``after`` as for :meth:`Room.watch`."""
        self._seen = log.count() if after is None else after
        self._pending: set[tuple[Uid, str]] = set()
        """Told without a number. Not by their oids: the copy that gets the number can be another clone's."""
        if after is None:
            self.fresh(log)

    def fresh(self, log: Log) -> list[Entry]:
        """Those that a listing shows, oldest first."""
        found = []
        for entry in log.newer(self._seen):
            key = (entry.record.uid, entry.record.author)
            if entry.number is not None:
                self._seen = max(self._seen, entry.number)
            if key not in self._pending and entry.record.kind not in UNLISTED_KINDS:
                found.append(entry)
            if entry.number is None:
                self._pending.add(key)
            else:
                self._pending.discard(key)
        return found
