"""Many who come to a long log at once: one of them takes it in. Proves docs/format.md section 7.11."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.index import building, bulk
from gitchat.index.files import VERSION
from gitchat.model.errors import ConflictError
from gitchat.storage import gate
from gitchat.verbs.room import Room
from tests.crash.writers import fork, wait_for
from tests.soak.history import make_room
from tests.world import World

AGENTS = 8


def at_once(count: int, work: Callable[[int], object]) -> list[str]:
    """What each of so many processes that begin together says, in the order in which they end."""
    read, write = os.pipe()
    begin_read, begin_write = os.pipe()

    def process(number: int) -> Callable[[], None]:
        def run() -> None:
            os.close(begin_write)
            os.read(begin_read, 1)
            os.write(write, f"{json.dumps(work(number))}\n".encode())

        return run

    pids = [fork(process(number)) for number in range(count)]
    os.close(begin_write)
    assert wait_for(pids) == [0] * count
    os.close(write)
    os.close(begin_read)
    with open(read) as pipe:
        return pipe.read().splitlines()


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(20_000, marks=pytest.mark.slow),
        pytest.param(100_000, marks=pytest.mark.soak),
        pytest.param(1_000_000, marks=pytest.mark.soak),
    ],
)
def test_eight_come_to_a_fresh_clone_and_one_index_is_built(world: World, records: int) -> None:
    """Each has an answer, by the file or in words; each record was taken in once, and nothing is left of the way."""
    path = make_room(world, "big", records)

    def look(number: int) -> object:
        taken = 0
        take = bulk.take

        def counted(*arguments: object) -> int:
            nonlocal taken
            taken += len(arguments[2])  # type: ignore[arg-type]
            return take(*arguments)  # type: ignore[arg-type]

        bulk.take = counted  # type: ignore[assignment]  # in a process of its own
        room = Room(world.environment(path), "lobby", f"bot{number}")
        room.environment.index.builder.patience_seconds = 3.0
        begin = time.monotonic()
        try:
            answer: int | str = room.unread(limit=5).left
        except ConflictError as error:
            answer = error.code
        return {"answer": answer, "taken": taken, "seconds": time.monotonic() - begin}

    told = [json.loads(line) for line in at_once(AGENTS, look)]
    print(records, told)
    assert {one["answer"] for one in told} <= {records - 5, "still-counting"}
    with gate.hold(path / ".git/chatroom", 600, building.TURN):
        pass  # whoever is at it has ended
    room = Room(world.environment(path), "lobby", "zoe")
    assert room.records.chain().total == records
    files = list((path / ".git/chatroom").glob("index.*.db"))
    assert [file.name for file in files] == [f"index.v{VERSION}.2.db"]
    (entries,) = sqlite3.connect(files[0]).execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
    assert entries == records + 1, "rows are made once"
    assert sum(one["taken"] for one in told) in (0, records + 1), "by one of them, or aside"
    log = Path(f"{files[0]}-wal")
    assert not log.exists() or log.stat().st_size <= 4 * 1024 * 1024


def test_who_finds_another_at_work_is_told_and_builds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With little patience it says so; then it is there. Nothing was made in memory."""
    monkeypatch.setattr(building, "SHORT", 3)
    path = make_room(world, "busy", 10)
    environment = world.environment(path)
    environment.index.builder.patience_seconds = 0.05
    with gate.hold(environment.store.directory, 0, building.TURN), pytest.raises(ConflictError) as caught:
        environment.numbering(Room(environment, "lobby").name).chain()
    assert caught.value.code == "still-counting"
    assert "git chat log" in (caught.value.hint or "")
    # The look that gave up is still in the kernel's line, and has its turn for a moment before it goes.
    with gate.hold(environment.store.directory, 60, building.TURN):
        assert "#10" in world.chat("log", cwd=path, check=True).stdout
    assert environment.index._path is not None
    later = world.environment(path)
    assert later.numbering(Room(later, "lobby").name).chain().total == 10


def test_who_has_little_time_leaves_a_long_log_to_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hands the turn on to a process of its own, which takes all of it in, and ends."""
    monkeypatch.setattr(building, "SHORT", 3)
    monkeypatch.setattr(building, "MINUTES", 5)
    path = make_room(world, "aside", 10)
    environment = world.environment(path)
    environment.index.builder.patience_seconds = 60
    assert environment.numbering(Room(environment, "lobby").name).chain().total == 10
    monkeypatch.setattr(bulk, "take", lambda *_: pytest.fail("it does it itself"))
    with gate.hold(environment.store.directory, 60, building.TURN):
        assert Room(world.environment(path), "lobby", "zoe").records.count() == 10
