"""Writers that are on their way at once, each on the others' records. Proves docs/format.md sections 6.5 and 7.52.

Nothing acknowledged is lost, doubled or renumbered: whoever is killed, whatever moves the log meanwhile.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitchat.model.refs import log_ref
from gitchat.quick import append, booted, flight, message, noted, swap, turn
from gitchat.quick.unusual import Unusual
from gitchat.rooms.aftermath import settle
from gitchat.storage import gate
from gitchat.storage.store import Store
from tests.crash.writers import ROOM, be_killed_at_call, fork, new_uid, records, say, wait_for
from tests.world import World, open_store

LOG = log_ref(ROOM)


@pytest.fixture
def store(world: World) -> Store:
    """One of a room with a record."""
    common_dir = world.repository() / ".git"
    say(open_store(common_dir), "first")
    return open_store(common_dir)


def said(store: Store) -> list[tuple[int | None, str]]:
    """All that is in the room."""
    return [(one.number, one.record.body) for one in records(store.common_dir)]


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """With the write lock held."""
    lock, _ = turn.take(f"{store.common_dir}/chatroom/write.lock", 10)
    try:
        yield
    finally:
        turn.give_back(lock)


def board(store: Store, text: str) -> flight.Boarded:
    """A record of a writer that takes its place, and goes no further yet."""

    def make(end: append.End) -> tuple[bytes, int]:
        who, now = ("bob", "bob@example.com"), 1_800_000_000
        block = message.trailers("message", new_uid(), end.count + 1, origin="agent")
        return message.commit(end.tip, who, (now, 0), who, max(now, end.seconds), text, block), max(now, end.seconds)

    clone = store._as_clone()
    with locked(store):
        tip = swap.tip(f"{store.common_dir}/{LOG}")
        return flight.board(clone, tip, flight.Chain(clone, ROOM), ROOM, make)


def land(store: Store, boarded: flight.Boarded) -> bool:
    """Whether its writer has its record in the log then."""
    try:
        flight.land(store._as_clone(), LOG, ROOM, boarded)
    except Unusual:
        return False
    return True


def always_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every writer had had to wait for its turn."""
    boarded = append._boarded

    def waited(*given: object, has_waited: bool) -> object:
        return boarded(*given, has_waited=True)  # type: ignore[arg-type]

    monkeypatch.setattr(append, "_boarded", waited)


def test_who_comes_lands_those_before_it(store: Store, world: World) -> None:
    """In whatever order they land each has its number; a chain that nobody ended is followed by the next writer."""
    one, two, three = (board(store, text) for text in ("one", "two", "three"))
    assert [boarded.end.count + 1 for boarded in (one, two, three)] == [2, 3, 4]
    assert said(store) == [(1, "first")]
    assert land(store, two)
    assert said(store) == [(1, "first"), (2, "one"), (3, "two")]
    assert say(open_store(store.common_dir), "four").entry.number == 5
    world.git("pack-refs", "--all", cwd=store.common_dir)
    assert [land(store, boarded) for boarded in (one, three)] == [True, True]
    assert say(open_store(store.common_dir), "five").entry.number == 6  # the long way, which makes the ref a file again
    board(store, "of one that was killed")
    assert say(open_store(store.common_dir), "after it").entry.number == 8
    assert [text for _, text in said(store)][1:] == [
        "one",
        "two",
        "three",
        "four",
        "five",
        "of one that was killed",
        "after it",
    ]
    assert not list(store.directory.glob("flight-*"))
    world.git("fsck", "--strict", "--no-dangling", cwd=store.common_dir)


def test_what_moves_the_log_meanwhile_ends_the_chain(store: Store, world: World) -> None:
    """Nobody lands then: by a git that knows nothing of us, and by a writer that goes the long way."""
    body = b"theirs\n\nChat-Kind: message\nChat-Uid: 0000000000000000\n"
    for number in range(2):
        waiting = [board(store, "one"), board(store, "two")]
        tip = store.room_tip(ROOM)
        if number:
            store.move(LOG, lambda tip: open_commit(store, str(tip)), "by the long way")
        else:
            words = ("commit-tree", store.empty_tree(), "-p", str(tip))
            theirs = world.git(*words, cwd=store.common_dir, stdin=body).stdout.strip()
            world.git("update-ref", LOG, theirs, cwd=store.common_dir)
        assert [land(store, boarded) for boarded in waiting] == [False, False]
        assert say(open_store(store.common_dir), f"then {number}").entry.number == 3 + 2 * number
    assert [text for _, text in said(store)] == ["first", "theirs", "then 0", "long", "then 1"]


def open_commit(store: Store, tip: str):  # type: ignore[no-untyped-def]
    """A record that is written without the chain."""
    who = ("bob", "bob@example.com")
    block = message.trailers("message", new_uid(), 1, origin="agent")
    return store.write_commit(message.commit(tip, who, (1_800_000_000, 0), who, 1_800_000_000, "long", block))


def test_who_cannot_land_takes_those_behind_it_along(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not sync, a git that holds the ref, a journal that was replaced: it is written anew, once."""
    sync = noted.sync

    def fails(descriptor: int) -> None:
        raise OSError("the disk is gone")

    before, one, two = board(store, "before"), board(store, "one"), board(store, "two")
    monkeypatch.setattr(noted, "sync", fails)
    assert not land(store, one)
    monkeypatch.setattr(noted, "sync", sync)
    assert [land(store, boarded) for boarded in (two, before)] == [False, True]
    assert said(store) == [(1, "first"), (2, "before")]
    lock = store.common_dir / f"{LOG}.lock"
    held, behind = board(store, "held"), board(store, "behind")
    lock.write_bytes(b"")
    assert not land(store, held)
    lock.unlink()
    assert not land(store, behind)
    packed = board(store, "packed")
    store.forget([])  # the journal is another file then
    assert not land(store, packed)
    assert [say(store, text).entry.number for text in ("one", "two")] == [3, 4]
    assert said(store) == [(1, "first"), (2, "before"), (3, "one"), (4, "two")]


def test_who_could_not_sync_and_was_landed_by_another_has_its_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not written anew, with the number of its copy; unless the disk refuses it once more."""
    sync, refusals = noted.sync, [2, 1]

    def refuses(descriptor: int) -> None:
        if refusals[-1]:
            refusals[-1] -= 1
            raise OSError("the disk is busy")
        sync(descriptor)

    for expected in (True, False):
        one, two = board(store, "one"), board(store, "two")
        assert land(store, two)
        monkeypatch.setattr(noted, "sync", refuses)
        assert land(store, one) == expected
        monkeypatch.setattr(noted, "sync", sync)
        assert refusals.pop() == 0
    assert [text for _, text in said(store)] == ["first", "one", "two", "one", "two"]


def test_a_start_of_the_system_ends_every_chain(store: Store) -> None:
    """What was on its way may be gone from the disk, and nothing is built upon it."""
    lost = board(store, "lost")
    lost.entry.close()
    objects = store.common_dir / "objects" / lost.oid[:2]
    (objects / lost.oid[2:]).unlink()
    journal = store.directory / "journal"
    journal.write_bytes(journal.read_bytes()[: -lost.entry.added_bytes])
    assert say(open_store(store.common_dir), "though it is gone").entry.number == 2
    board(store, "on its way").entry.close()
    (store.directory / booted.FILE).write_text("another start", encoding="ascii")
    later = open_store(store.common_dir)
    settle(later)
    assert not list(store.directory.glob("flight-*"))
    number = say(later, "after it").entry.number
    assert [text for _, text in said(store)][1:] == ["though it is gone", "on its way", "after it"][4 - (number or 0) :]


def test_a_writer_that_is_killed_at_any_step_harms_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two of its calls: what was acknowledged is there with its number, and nothing is there twice."""
    always_beside(monkeypatch)
    common_dir = store.common_dir
    acknowledged = {1: "first"}
    for number in range(1, 60):

        def work(number: int = number) -> None:
            other = open_store(common_dir)
            other._as_clone()  # what loads code is not counted
            be_killed_at_call(number)
            say(other, f"killed {number}")
            sys.setprofile(None)

        statuses = wait_for([fork(work)])
        if statuses == [0]:
            break
        assert statuses == [-9]
        given = say(open_store(common_dir), f"then {number}").entry.number
        assert given is not None
        acknowledged[given] = f"then {number}"
    else:
        pytest.fail("no writer came to its end")
    assert number > 15
    found = dict(said(store))
    assert acknowledged.items() <= found.items()
    assert len(set(found.values())) == len(found) == max(acknowledged) + 1
    assert gate.Intent.decode((store.directory / "write.lock").read_bytes()) is None


@pytest.mark.parametrize(
    ("seed", "writers", "turns"), [(1, 5, 6), *(pytest.param(n, 8, 40, marks=pytest.mark.soak) for n in range(2, 12))]
)
def test_writers_at_once_and_kills(store: Store, tmp_path: Path, seed: int, writers: int, turns: int) -> None:
    """Each tells what was acknowledged to it; some are killed on the way; the journal is replaced now and then."""
    common_dir, told = store.common_dir, tmp_path / "told"

    def work(name: str, kill_at: int | None) -> None:
        other = open_store(common_dir)
        if kill_at is not None:
            be_killed_at_call(kill_at)
        for count in range(turns):
            text = f"{name} {count}"
            line = f"{say(other, text, name=name).entry.number} {text}\n"
            descriptor = os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line.encode())
            os.close(descriptor)
            if count % 3 == seed % 3:
                other.forget([])  # as a packer does

    chance = random.Random(seed)
    kills = [chance.randrange(40, 40 * turns) if number % 2 else None for number in range(writers)]
    pids = [fork(lambda number=number, at=at: work(f"w{number}", at)) for number, at in enumerate(kills)]  # type: ignore[misc]
    statuses = wait_for(pids)
    assert {status for status, at in zip(statuses, kills, strict=True) if at is None} == {0}
    assert set(statuses) <= {0, -9}
    acknowledged = [line.split(" ", 1) for line in told.read_text().splitlines()]
    found = said(store)
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert len({text for _, text in found}) == len(found)
    assert {(int(number), text) for number, text in acknowledged} <= set(found)
    assert say(open_store(common_dir), "after all").entry.number == len(found) + 1
