"""From a ref's move in one process to a waiting reader in another that holds the record. Run by ``make bench``.

Compares gitchat's way with a doorbell (a datagram on a Unix socket, which needs to know who
waits) and with polling; and what waiting costs while nothing happens. Prints Markdown. In a
source tree: ``.venv/bin/python bench/wake.py``.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from figures import (
    BODY,
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_room,
    open_writer,
    ratios,
    spread,
    table,
)

from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.record import Draft
from gitchat.model.refs import log_ref
from gitchat.quick import swap
from gitchat.rooms.log import Log
from gitchat.waking.watch import Changes

ROUNDS = 50
WARM_UPS = 5
RECORDS = 1_000
POLL_SECONDS = 0.05
IDLE_SECONDS = 10.0
HANG_SECONDS = 60.0
"""A reader that was not woken must end the benchmark and not make it wait."""

DOORBELL = "datagram on a Unix socket"
OURS = "`Changes.wait`"
OURS_ASYNC = "`Changes.wait_async`"
POLL = f"a look every {POLL_SECONDS * 1000:.0f} ms"

Wait = Callable[[float], bool]
"""Waits so many seconds for a change, and says whether there was one."""


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repository = make_repository(Path(scratch) / "repository", RECORDS)
        doorbell = Path(scratch) / "doorbell"
        print(latencies(repository, doorbell) + "\n\n" + idle(repository, doorbell))


# --- ways to wait --------------------------------------------------------------


def doorbell_wait(room: Log, repository: Path, doorbell: Path) -> Wait:
    """Until the writer sends a datagram."""
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.bind(str(doorbell))

    def wait(seconds: float) -> bool:
        bell.settimeout(seconds)
        try:
            return bool(bell.recv(1))
        except TimeoutError:
            return False

    return wait


def changes_wait(room: Log, repository: Path, doorbell: Path) -> Wait:
    """gitchat's way, in a thread."""
    return changes_of(room, repository).wait


def changes_wait_async(room: Log, repository: Path, doorbell: Path) -> Wait:
    """gitchat's way, in asyncio."""
    changes = changes_of(room, repository)
    runner = asyncio.Runner()
    return lambda seconds: runner.run(changes.wait_async(seconds))


def polling_wait(room: Log, repository: Path, doorbell: Path) -> Wait:
    """Reads the ref again and again."""
    read = tip_of(room)
    seen = read()

    def wait(seconds: float) -> bool:
        nonlocal seen
        end = time.monotonic() + seconds
        while (tip := read()) == seen:
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        seen = tip
        return True

    return wait


WAYS: dict[str, Callable[[Log, Path, Path], Wait]] = {
    DOORBELL: doorbell_wait,
    OURS: changes_wait,
    OURS_ASYNC: changes_wait_async,
    POLL: polling_wait,
}


def changes_of(room: Log, repository: Path) -> Changes:
    """What gitchat waits with, for one room."""
    return Changes(repository / ".git", read_refs=tip_of(room))


def tip_of(room: Log) -> Callable[[], object]:
    """Reads the ref of ``room``."""
    return partial(room._store.tip, log_ref(DEFAULT_ROOM))


# --- latency -------------------------------------------------------------------


def latencies(repository: Path, doorbell: Path) -> str:
    """The table of wake-ups."""
    readers = {way: reader_of(way, repository, doorbell) for way in WAYS}
    writer = Writer(repository, doorbell)
    actions = {way: partial(writer.wake, reader) for way, reader in readers.items()}
    interleaved(actions, WARM_UPS, measure=lambda wake: wake())
    times = interleaved(actions, ROUNDS, measure=lambda wake: wake())
    for reader in readers.values():
        reader.end()
    rows = [
        (way, spread(ratios(taken, times[DOORBELL])), milliseconds(taken), number(1000 * max(taken)))
        for way, taken in times.items()
    ]
    return (
        f"From the beginning of a ref's move in one process until a waiting one holds the parsed record, {ROUNDS} "
        "interleaved rounds, one reader at a time, `chat.fsync` off; the move itself takes "
        f"{milliseconds(writer.moves)} ms of that. Each time is divided by that of the datagram in the same round.\n\n"
        + table(["what wakes the reader", "÷ datagram: median (quartiles)", "ms, median", "ms, longest"], rows)
    )


def reader_of(way: str, repository: Path, doorbell: Path) -> Reader:
    """A reader that waits in one of WAYS."""
    own = doorbell.with_suffix(f".{len(way)}")
    return Reader(partial(read, way, repository, own), own)


class Reader:
    """A process that waits in one way, once for each :meth:`begin`: it runs ``reads`` with a pipe to us."""

    def __init__(self, reads: Callable[[Connection], None], doorbell: Path) -> None:
        self.doorbell = doorbell
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=reads, args=(theirs,), daemon=True)
        self._process.start()
        self.answer()

    def begin(self) -> None:
        """Let it wait, and give it the time to fall asleep, or to be anywhere between two looks."""
        self._pipe.send(True)
        self.answer()
        time.sleep(random.uniform(0.02, 0.02 + POLL_SECONDS))

    def answer(self) -> float:
        """When it held the record, by the clock that all processes share."""
        if not self._pipe.poll(HANG_SECONDS):
            sys.exit("error: a reader was not woken")
        return float(self._pipe.recv())

    def end(self) -> None:
        """Let it go."""
        self._pipe.send(False)
        self._process.join()


def read(way: str, repository: Path, doorbell: Path, pipe: Connection) -> None:
    """A reader's process: each time it is told to, it waits, and answers when it held the new record."""
    room = open_room(repository, fsync=False)
    room.count()
    wait = WAYS[way](room, repository, doorbell)
    wait(0.0 if way != DOORBELL else 0.001)
    pipe.send(0.0)
    while pipe.recv():
        wait(0.001)  # what other readers were woken by
        entry = known = next(room.entries())
        pipe.send(0.0)
        while entry.oid == known.oid:
            wait(HANG_SECONDS)
            entry = next(room.entries())
        pipe.send(time.monotonic())


class Writer:
    """Appends in this process, and notes when it moves the ref."""

    def __init__(self, repository: Path, doorbell: Path) -> None:
        self._writer, self._sender = open_writer(repository, fsync=False)
        self._bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._doorbell: Path | None = None
        self.moves: list[float] = []
        """Seconds that each move took."""
        backend: Any = self._writer._store.backend
        backend.swap_ref = self._noting(backend.swap_ref)  # what is not plain is appended by this
        self._move = self._noting(swap.move)

    def wake(self, reader: Reader) -> float:
        """Seconds from the beginning of the ref's move until ``reader`` held the record."""
        self._doorbell = reader.doorbell if reader.doorbell.exists() else None
        reader.begin()
        with patch.object(swap, "move", self._move):
            self._writer.send(Draft(body=BODY), self._sender)
        return reader.answer() - self._begun

    def _noting(self, move: Callable[..., None]) -> Callable[..., None]:
        """What moves a ref, and notes when."""

        def noting(*arguments: Any, **options: Any) -> None:
            # From the beginning: a reader can be awake before the call that moves the ref has returned.
            self._begun = time.monotonic()
            move(*arguments, **options)
            self.moves.append(time.monotonic() - self._begun)
            if self._doorbell is not None:
                self._bell.sendto(b".", str(self._doorbell))

        return noting


# --- idle ----------------------------------------------------------------------


def idle(repository: Path, doorbell: Path) -> str:
    """The table of what waiting costs while nothing happens; all wait at the same time."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(WAYS)) as pool:
        work = [(way, repository, doorbell.with_suffix(f".idle{place}")) for place, way in enumerate(WAYS)]
        found = pool.starmap(idle_share, work, chunksize=1)
    rows = [(way, f"{share:.2%}") for way, share in zip(WAYS, found, strict=True)]
    return f"What a waiting process takes of a core while nothing happens for {IDLE_SECONDS:.0f} s.\n\n" + table(
        ["what would wake the reader", "share of a core"], rows
    )


def idle_share(way: str, repository: Path, doorbell: Path) -> float:
    """Processor time of this process while it waits, as a share of a core."""
    room = open_room(repository, fsync=False)
    wait = WAYS[way](room, repository, doorbell)
    wait(0.5)
    before = processor_seconds()
    if wait(IDLE_SECONDS):
        sys.exit("error: something happened")
    return (processor_seconds() - before) / IDLE_SECONDS


def processor_seconds() -> float:
    """What this process has used, in all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
