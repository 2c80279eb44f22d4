"""The first look at a long room in a clone that nobody has counted it in: what it reads, and what memory it takes.

Proves docs/format.md sections 5.4 and 5.5. The large one is run by make soak.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.query import Query
from gitchat.rooms import lengthy
from gitchat.storage.store import Store
from gitchat.verbs.room import Room
from tests.clones.conftest import Hub
from tests.crash.writers import fork, wait_for
from tests.rooms.test_log import CountingBackend
from tests.soak.history import make_room
from tests.world import World

PAGE = 50

LOOK_SECONDS = 0.002


def looked(world: World, path: Path, look: Callable[[Room], object]) -> dict[str, Any]:
    """What a process of its own that does ``look`` reads, in objects, and how much memory it takes for it, in MB."""
    read, write = os.pipe()

    def work() -> None:
        room = Room(world.environment(path), "lobby", "zoe")
        counting = CountingBackend(room.environment.store.backend)
        _use(room.environment.store, counting)
        with Growth() as grown:
            found = look(room)
        os.write(write, json.dumps({"reads": counting.reads, "grown": grown.megabytes, "found": found}).encode())

    assert wait_for([fork(work)]) == [0]
    os.close(write)
    with open(read, "rb") as pipe:
        told: dict[str, Any] = json.load(pipe)
    return told


class Growth:
    """How much memory of its own this process takes meanwhile, at most, without what it looks up in files.

    The kernel keeps no maximum of it, so a thread looks again and again.
    """

    def __enter__(self) -> Growth:
        self._before = self._most = anonymous_kilobytes()
        self._is_over = threading.Event()
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._looking.join()
        self._most = max(self._most, anonymous_kilobytes())

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            self._most = max(self._most, anonymous_kilobytes())

    @property
    def megabytes(self) -> float:
        return (self._most - self._before) / 1024


def anonymous_kilobytes() -> int:
    """The memory that this process has for itself, and shares with no file. Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def status(room: Room) -> list[object]:
    """What ``git chat status`` shows."""
    found = room.status(recent=5)
    return [found.message_count, found.unread, [entry.number for entry in found.recent][-1]]


def _use(store: Store, backend: CountingBackend) -> None:
    store.backend = backend  # type: ignore[assignment]


def page(room: Room) -> list[object]:
    """What ``git chat log`` shows."""
    listing = room.records.listing(Query(), PAGE, waits=False)
    return [listing.is_counted, listing.entries[-1].number, listing.entries[-1].record.body[:14]]


def inbox(room: Room) -> list[object]:
    """What ``git chat inbox`` and ``read`` need, and what stands at the end."""
    reading = room.unread(limit=PAGE)
    return [len(reading.entries), reading.left, room.records.count()]


@pytest.mark.parametrize(
    ("records", "megabytes"),
    [pytest.param(20_000, 60, marks=pytest.mark.slow), pytest.param(1_000_000, 100, marks=pytest.mark.soak)],
)
def test_the_first_look_is_quick_and_small(world: World, records: int, megabytes: int) -> None:
    """The newest page reads no more than what tells that the log is long; counting all takes bounded memory."""
    path = make_room(world, "long", records)
    first = looked(world, path, page)
    assert first["found"] == [False, None, f"message {records}:"[:14]]
    assert first["reads"] <= lengthy.MOST_COUNTED + 2 * PAGE
    assert first["grown"] < megabytes
    whole = looked(world, path, inbox)
    assert whole["found"] == [PAGE, records - PAGE, records]
    assert whole["grown"] < megabytes
    screen = looked(world, path, status)
    assert screen["found"] == [records, records, records]
    assert screen["grown"] < megabytes
    print(f"{records} records: the page {first}, the inbox {whole}, the status {screen}")
    after = looked(world, path, page)
    assert after["found"] == [True, records, f"message {records}:"[:14]]


def test_a_long_log_goes_by_handles_until_it_is_counted(
    world: World, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the log, also where it was merged, with what is pending last; then the same with numbers."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("first")
    ann.sync()
    bob.sync()
    for clone in (ann, bob):
        for turn in range(3):
            clone.say(f"{clone.name} {turn}")
    ann.sync()
    bob.sync()
    ann.sync()
    ann.say("pending")
    for path in (ann.path / ".git/chatroom/checkpoints/lobby", *(ann.path / ".git/chatroom").glob("index.*")):
        path.unlink(missing_ok=True)
    monkeypatch.setattr(lengthy, "MOST_COUNTED", 3)
    for limit in (2, 5, 8):
        room = Room(world.environment(ann.path), "lobby", "ann")
        quick = room.records.listing(Query(), limit, waits=False)
        assert not quick.is_counted
        assert {entry.number for entry in quick.entries} == {None}
        counted = Room(world.environment(bob.path), "lobby", "bob").records.listing(Query(), 100).entries
        bodies = [*(entry.record.body for entry in counted), "pending"]
        assert [entry.record.body for entry in quick.entries] == bodies[-limit:]
    room.records.count()
    settled = room.records.listing(Query(), 3, waits=False)
    assert settled.is_counted
    assert [entry.number for entry in settled.entries] == [6, 7, None]


def test_a_log_is_taken_in_by_stages_as_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, whatever a stage is; each stage stays, also of who is stopped on the way."""
    path = make_room(world, "staged", 25)
    room = Room(world.environment(path), "lobby", "zoe")
    whole = [(place.number, place.oid) for place in room.records.chain().select()]
    for stale in (path / ".git/chatroom").glob("index.*"):
        stale.unlink()
    for module in ("stages", "building"):
        monkeypatch.setattr(f"gitchat.index.{module}.COMMITS", 10)
    left = 38  # 26 to find the stages, 6 for the first of them, and some of the second
    staged = Room(world.environment(path), "lobby", "zoe")
    read = staged.environment.store.read

    def read_some(oid: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return read(oid)

    builder = staged.environment.index.builder
    monkeypatch.setattr(builder, "_line", None)
    monkeypatch.setattr(builder, "_read", read_some)
    with pytest.raises(KeyboardInterrupt):
        staged.records.chain()
    again = Room(world.environment(path), "lobby", "zoe")
    assert again.environment.index.has("lobby", whole[3][1])
    assert [(place.number, place.oid) for place in again.records.chain().select()] == whole


def test_the_command_says_why_there_are_no_numbers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And has them counted by a process that nobody waits for; a program that asks for JSON waits for the numbers."""
    path = make_room(world, "told", lengthy.MOST_COUNTED + 10)
    shown = world.chat("log", "-n", "1", cwd=path, check=True)
    assert "#" not in shown.stdout
    assert "counted for the first time" in shown.stderr
    (record,) = world.chat("log", "-n", "1", "--json", cwd=path, check=True).stdout.splitlines()
    assert json.loads(record)["id"] == lengthy.MOST_COUNTED + 10
    world.chat("count", cwd=path, check=True)
    assert f"#{lengthy.MOST_COUNTED + 10}" in world.chat("log", "-n", "1", cwd=path, check=True).stdout
