"""What looking at a room costs: with a warm index as many objects in a long log as in a short one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.names import log_ref
from gitchat.query import Query
from gitchat.room import Room
from tests.crash.writers import ROOM
from tests.log.test_log import CountingBackend
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
    "find one of the first": lambda room: room.find(3),
    "find by handle": lambda room: room.find(room.find(3).handle),
}


def opened(world: World, common_dir: Path) -> tuple[Room, CountingBackend]:
    """Bob's view in a program that has just started, and what counts its reads."""
    environment = world.environment(common_dir.parent)
    counting = CountingBackend(environment.store.backend)
    environment.store.backend = counting  # type: ignore[assignment]
    return Room(environment, None, "bob"), counting


def reads(world: World, common_dir: Path) -> dict[str, int]:
    """The objects that each look reads, after bob has read all but the last 20 records and wrote a summary."""
    room, _ = opened(world, common_dir)
    room.set_cursor(room.overview().count - 20)
    room.summarize("up to here")
    counts: dict[str, int] = {}
    for what, look in LOOKS.items():
        room, counting = opened(world, common_dir)
        look(room)
        counts[what] = counting.reads
    return counts


@pytest.fixture
def common_dir(world: World) -> Path:
    """A repository that waits for no disk."""
    path = world.repository()
    world.git("config", "chat.fsync", "false", cwd=path)
    return path / ".git"


def assert_alike(short: dict[str, int], long: dict[str, int]) -> None:
    """Each look read the same number of objects, and not many."""
    assert long == short
    assert short["find the newest"] == short["find one of the first"] + 1 == 2, "overview reads the tip"
    assert short["find one of the last"] == 22, "followed from the tip"
    assert all(count < 80 for count in short.values())


def test_long_log_costs_as_many_reads_as_a_short_one(world: World, common_dir: Path) -> None:
    """1,100 records and 2,000: handoff, unread, log, who, status and finding a record read the same."""
    store = open_store(common_dir, fsync=False)
    store.move(log_ref(ROOM), lambda tip: append(store, tip, 0, SHORT), "grow")
    short = reads(world, common_dir)
    store.move(log_ref(ROOM), lambda tip: append(store, tip, SHORT, 2_000 - SHORT), "grow")
    assert_alike(short, reads(world, common_dir))


@pytest.mark.soak
def test_hundred_thousand_records_cost_as_many_reads_as_a_thousand(world: World, common_dir: Path) -> None:
    """The same, with 100,000 records in packs."""
    grow_to(world, common_dir, 0, SHORT)
    short = reads(world, common_dir)
    grow_to(world, common_dir, SHORT, 100_000)
    assert_alike(short, reads(world, common_dir))
