"""Appending, reading and contention inside one process after another, as ratios. Run by ``make bench``.

Appends are compared with the floor that any store of one object and one ref has on this
file system; readings with libgit2 reading the same commits; many writers with one.
Prints Markdown. In a source tree: ``.venv/bin/python bench/append.py``.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pygit2
from figures import (
    BODY,
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_room,
    open_writer,
    ratios,
    seconds,
    spread,
    table,
)
from history import make_history

from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.query import Query
from gitchat.model.record import Draft, Identity
from gitchat.model.refs import log_ref
from gitchat.rooms.log import Log
from gitchat.rooms.writing import Writer
from gitchat.storage.written import PACK_OBJECTS

SIZES = (10, 1_000, 10_000)
COPIES = 5
"""Of each repository, used in turn: where ext4 happened to put one makes its appends up to a quarter faster."""

ROUNDS = 100
WRITERS = (1, 2, 8, 32)
WRITER_ROUNDS = 5
MESSAGES = 320
"""Of all writers of one round together."""

HANG_SECONDS = 120.0
"""A writer that failed must end the benchmark and not make it wait."""

OBJECT_BYTES = 300
"""What a commit with a body of 200 bytes takes on disk."""

FLOOR = "floor"


def main() -> None:
    """Print the three tables."""
    # Nothing is removed before the end: ext4 is slow for minutes after many deletions.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repositories = {size: make_copies(Path(scratch), size) for size in SIZES}
        os.sync()  # what was just written must not be flushed while something is measured
        parts = [readings(repositories), appends(repositories, Path(scratch)), contention(Path(scratch))]
    print("\n\n".join(parts))


def make_copies(scratch: Path, size: int) -> list[Path]:
    """COPIES equal repositories whose room has ``size`` records."""
    make = make_repository if size < PACK_OBJECTS else make_history
    first = make(scratch / f"with-{size}-0", size)
    return [first, *(Path(shutil.copytree(first, scratch / f"with-{size}-{copy}")) for copy in range(1, COPIES))]


# --- reading -------------------------------------------------------------------


def readings(repositories: dict[int, list[Path]]) -> str:
    """The table of ``log -n 20``."""
    pygit2.settings.enable_caching(False)  # as in a new process: with it both would read no file
    actions: dict[str, Callable[[], object]] = {}
    for size, (repository, *_) in repositories.items():
        room = open_room(repository, fsync=True)
        actions[f"{size}"] = partial(room.listing, Query(), 20)
        actions[f"{FLOOR} {size}"] = partial(read_with_libgit2, pygit2.Repository(str(repository)), 20)
    interleaved(actions, 3)
    times = interleaved(actions, ROUNDS)
    pygit2.settings.enable_caching(True)
    rows = [
        (
            f"{size:,}",
            spread(ratios(times[f"{size}"], times[f"{FLOOR} {size}"])),
            number(statistics.median(times[f"{size}"]) / statistics.median(times["1000"])),
            milliseconds(times[f"{size}"]),
        )
        for size in SIZES
    ]
    return (
        f"Reading the newest 20 records (`log -n 20`; of 10 there are only 10), {ROUNDS} interleaved rounds; the floor "
        "is libgit2 reading the same commits. Its cache is off, as in a new process.\n\n"
        + table(["records", "÷ floor: median (quartiles)", "÷ at 1,000", "ms, median"], rows)
    )


def read_with_libgit2(repository: pygit2.Repository, count: int) -> None:
    """Read ``count`` commits along first parents, as bytes: what cannot be saved."""
    oid: pygit2.Oid | None = repository.lookup_reference(log_ref(DEFAULT_ROOM)).target  # type: ignore[assignment]
    while oid is not None and count:
        _, raw = repository.odb.read(oid)
        parent = raw.partition(b"\nparent ")[2][:40].decode()
        oid = pygit2.Oid(hex=parent) if parent else None
        count -= 1


# --- appending -----------------------------------------------------------------


def appends(repositories: dict[int, list[Path]], scratch: Path) -> str:
    """The table of appends, synced and not."""
    times: dict[bool, dict[str, list[float]]] = {}
    for fsync in (False, True):
        actions: dict[str, Callable[[], object]] = {FLOOR: floor_of(scratch / f"floor-{fsync}", fsync=fsync)}
        for size, copies in repositories.items():
            actions[f"{size}"] = partial(
                send_in_turn, itertools.cycle([open_writer(copy, fsync=fsync) for copy in copies])
            )
        interleaved(actions, COPIES)
        times[fsync] = interleaved(actions, ROUNDS)
    rows = [
        (
            f"{size:,}",
            "true" if fsync else "false",
            spread(ratios(times[fsync][f"{size}"], times[fsync][FLOOR])),
            number(statistics.median(times[fsync][f"{size}"]) / statistics.median(times[fsync][f"{SIZES[0]}"])),
            number(statistics.median(times[fsync][f"{size}"]) / statistics.median(times[False][f"{size}"])),
            milliseconds(times[fsync][f"{size}"]),
        )
        for fsync in (True, False)
        for size in SIZES
    ]
    return (
        f"Appending a record of {len(BODY)} bytes, {ROUNDS} interleaved rounds for each setting; the floor is a small "
        "file renamed to a new name, and a lock file renamed over an existing one, synced with their directories "
        "when `chat.fsync` is on.\n\n"
        + table(
            [
                "records at the start",
                "`chat.fsync`",
                "÷ floor: median (quartiles)",
                f"÷ at {SIZES[0]}",
                "÷ without sync",
                "ms, median",
            ],
            rows,
        )
    )


def send_in_turn(writers: Iterator[tuple[Writer, Identity]]) -> None:
    """Append with the next of ``writers``."""
    writer, sender = next(writers)
    writer.send(Draft(body=BODY), sender)


def floor_of(directory: Path, *, fsync: bool) -> Callable[[], None]:
    """The file operations that no store of one object and one ref can do without."""
    directory.mkdir()
    names = itertools.count()
    content = os.urandom(OBJECT_BYTES)

    def work() -> None:
        put(directory / "temporary", directory / f"object-{next(names)}", content, fsync=fsync)
        put(directory / "log.lock", directory / "log", b"0" * 41, fsync=fsync)

    return work


def put(temporary: Path, final: Path, content: bytes, *, fsync: bool) -> None:
    """Write a file under a temporary name and rename it."""
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(descriptor, content)
    if fsync:
        os.fsync(descriptor)
    os.close(descriptor)
    os.rename(temporary, final)
    if fsync:
        directory = os.open(final.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


# --- contention ----------------------------------------------------------------


def contention(scratch: Path) -> str:
    """The table of many writers at once."""
    rows = []
    for fsync in (True, False):
        actions = {
            f"{writers}": partial(
                write_at_once, make_repository(scratch / f"writers-{writers}-{fsync}", 10), writers, fsync
            )
            for writers in WRITERS
        }
        # The seconds that write_at_once returns: starting the processes is not counted.
        times = interleaved(actions, WRITER_ROUNDS, measure=lambda run: run())
        rates = {name: [MESSAGES / taken for taken in found] for name, found in times.items()}
        alone = rates[f"{WRITERS[0]}"]
        rows += [
            (name, "true" if fsync else "false", spread(ratios(rates[name], alone)), number(statistics.median(found)))
            for name, found in rates.items()
        ]
    return (
        f"{MESSAGES} messages by writers that begin at once, each its own process, {WRITER_ROUNDS} interleaved rounds; "
        "all numbers were given once and without a gap.\n\n"
        + table(["writers", "`chat.fsync`", "throughput ÷ one writer: median (quartiles)", "messages a second"], rows)
    )


def write_at_once(repository: Path, writers: int, fsync: bool) -> float:
    """Seconds in which ``writers`` processes append MESSAGES records together."""
    before = open_room(repository, fsync=fsync).count()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(writers + 1, timeout=HANG_SECONDS)
    processes = [
        context.Process(target=write, args=(repository, MESSAGES // writers, fsync, barrier)) for _ in range(writers)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    taken = seconds(barrier.wait)
    for process in processes:
        process.join()
    check(open_room(repository, fsync=fsync), before + MESSAGES)
    return taken


def write(repository: Path, count: int, fsync: bool, barrier: Any) -> None:
    """One writer: ready, all begin, all have ended."""
    writer, sender = open_writer(repository, fsync=fsync)
    writer.refuse_closed()
    barrier.wait()
    for _ in range(count):
        writer.send(Draft(body=BODY), sender)
    barrier.wait()


def check(room: Log, count: int) -> None:
    """End the benchmark when a record was lost: figures of a store that loses some mean nothing."""
    numbers = [entry.number for entry in room.listing(Query()).entries]
    if numbers != list(range(1, count + 1)):
        sys.exit(f"error: {count} records were sent, {len(numbers)} are there")


if __name__ == "__main__":
    main()
