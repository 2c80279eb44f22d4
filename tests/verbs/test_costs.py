"""What looking at a room costs: with a warm index as much in a long log as in a short one.

Counted are the objects that are read, and the steps of SQLite's machine: a query that looks at
every row of the index takes more of them in a long log.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gitchat.model.query import Query
from gitchat.model.refs import log_ref
from gitchat.verbs import marking
from gitchat.verbs.room import Room
from tests.crash.writers import ROOM
from tests.rooms.test_log import CountingBackend
from tests.soak.test_large_room import append, grow_to
from tests.world import World, open_store

SHORT = 1_100
"""Long enough that a number at its beginning is asked of the index and not found by following parents."""

LOOKS: dict[str, Callable[[Room], object]] = {
    "handoff": lambda room: room.handoff(),
    "unread, few of them": lambda room: room.unread(),
    "read and mark": lambda room: room.read(3),
    "status": lambda room: room.status(),
    "log": lambda room: room.log(Query(), 50),
    "who": lambda room: room.who(),
    "find the newest": lambda room: room.find(room.overview().count),
    "find one of the last": lambda room: room.find(room.overview().count - 20),
    "find one far from both ends": lambda room: room.find(room.overview().count - 600),
    "find one of the first": lambda room: room.find(3),
    "find by handle": lambda room: room.find(room.find(3).handle),
    "thread": lambda room: room.thread(room.overview().count),
    "search": lambda room: room.search("3"),
    "who elsewhere has seen one of the first": lambda room: elsewhere(room, 3),
    "count the messages": lambda room: room.message_count(),
}


def elsewhere(room: Room, number: int) -> None:
    """Ask who wrote in another clone with that record before its eyes: all of them."""
    found = marking._writers_elsewhere(room, room.records.chain(), room.find(number))
    assert found >= {f"agent-{author}" for author in range(7)}


GROWING = {"search"}
"""Whose steps grow a little: those within SQLite's full-text index."""


class Cost(NamedTuple):
    """What one look took."""

    reads: int
    """Objects of git."""
    steps: int
    """Instructions of SQLite's machine."""


def opened(world: World, common_dir: Path) -> tuple[Room, CountingBackend]:
    """Bob's view in a program that has just started, and what counts its reads."""
    environment = world.environment(common_dir.parent)
    counting = CountingBackend(environment.store.backend)
    environment.store.backend = counting  # type: ignore[assignment]
    return Room(environment, None, "bob"), counting


def costs(world: World, common_dir: Path) -> dict[str, Cost]:
    """What each look costs, after all have read all but the last 20 records, bob wrote a summary, alice an answer."""
    room, _ = opened(world, common_dir)
    for reader in ["bob", "alice", *(f"agent-{number}" for number in range(7))]:
        Room(room.environment, None, reader).set_cursor(room.overview().count - 20)
    room.summarize("up to here")
    Room(room.environment, None, "alice").send("yes", reply_to=room.overview().count - 30)
    return {what: cost_of(look, *opened(world, common_dir)) for what, look in LOOKS.items()}


def cost_of(look: Callable[[Room], object], room: Room, counting: CountingBackend) -> Cost:
    """What ``look`` costs in ``room``, whose objects are read through ``counting``."""
    steps = itertools.count()

    def step() -> int:
        next(steps)
        return 0

    room.records.chain()  # warm: what a writer left to be taken in is no part of the look
    counting.reads = 0
    room.environment.index._opened().set_progress_handler(step, 1)
    look(room)
    return Cost(counting.reads, next(steps))


@pytest.fixture
def common_dir(world: World) -> Path:
    """A repository that waits for no disk."""
    path = world.repository()
    world.git("config", "chat.fsync", "false", cwd=path)
    return path / ".git"


def assert_alike(short: dict[str, Cost], long: dict[str, Cost]) -> None:
    """Each look cost the same, and read little."""
    reads = {what: cost.reads for what, cost in short.items()}
    assert {what: cost.reads for what, cost in long.items()} == reads
    assert reads["find the newest"] == reads["find one of the first"] + 1 == 2, "overview reads the tip"
    assert reads["find one of the last"] == 22, "followed from the tip"
    assert reads["find one far from both ends"] == 2, "asked of the index"
    assert all(count < 80 for count in reads.values())
    # A tree of SQLite's has a level more now and then: a step in a thousand is no growth.
    more = {what: cost.steps - short[what].steps for what, cost in long.items() if what not in GROWING}
    assert {what: steps for what, steps in more.items() if steps > short[what].steps // 1000} == {}


def test_long_log_costs_as_much_as_a_short_one(world: World, common_dir: Path) -> None:
    """1,100 records and 2,000: handoff, unread, log, who, status and finding a record cost the same."""
    store = open_store(common_dir, fsync=False)
    store.move(log_ref(ROOM), lambda tip: append(store, tip, 0, SHORT), "grow")
    short = costs(world, common_dir)
    store.move(log_ref(ROOM), lambda tip: append(store, tip, SHORT, 2_000 - SHORT), "grow")
    assert_alike(short, costs(world, common_dir))


@pytest.mark.soak
def test_hundred_thousand_records_cost_as_much_as_a_thousand(world: World, common_dir: Path) -> None:
    """The same, with 100,000 records in packs."""
    grow_to(world, common_dir, 0, SHORT)
    short = costs(world, common_dir)
    grow_to(world, common_dir, SHORT, 100_000)
    assert_alike(short, costs(world, common_dir))
