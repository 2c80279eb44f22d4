"""The few commits that are new, taken in at once: the rows of the slow way, each read once, and no stale answer."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.index.database import Index
from gitchat.index.extent import known_extent
from gitchat.index.few import MOST
from gitchat.index.view import Extent, View
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.refs import log_ref
from gitchat.rooms.numbering import rule
from gitchat.storage.packing import loose_path
from gitchat.storage.store import Store
from gitchat.verbs.room import Room
from tests.crash.writers import ROOM, say
from tests.property.test_bulk import tables
from tests.property.usual import Commits
from tests.rooms.test_log import CountingBackend
from tests.world import World, open_store

SHAPES: dict[str, Callable[[Store, Commits, list[Oid]], Oid]] = {
    "a line": lambda store, commits, line: store.write_commit(commits.usual([line[-1]])),
    "now and then a merge": lambda store, commits, line: store.write_commit(
        commits.usual([line[-1], *commits.random.choices([commits.random.choice(line)], k=commits.random.randrange(2))])
    ),
    "now and then begun anew": lambda store, commits, line: store.write_commit(
        commits.usual([line[-1]] if commits.random.randrange(9) else [])
    ),
}
"""What comes next in a log: after the commits of it so far."""


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_taken_in_by_few_is_what_the_slow_way_takes_in(world: World, tmp_path: Path, shape: str) -> None:
    """Some at a time, now and then more than are few: the same rows, and the same answers on the way."""
    store = open_store(world.repository() / ".git", fsync=False)
    commits, chance = Commits(7), random.Random(7)
    line = [say(store, "first").entry.oid]
    (tmp_path / "few").mkdir(), (tmp_path / "slow").mkdir()
    read: list[Oid] = []

    def read_raw(oid: Oid) -> bytes:
        read.append(oid)
        return store.raw_commit(oid)

    few = Index(tmp_path / "few", store.read, lambda count: None, None, read_raw)
    slow = Index(tmp_path / "slow", store.read, lambda count: None)
    for _ in range(8):
        for _ in range(chance.choice([1, 3, 10, MOST, MOST + 1])):
            line.append(SHAPES[shape](store, commits, line))
        told = [(chain.count, chain.select(), chain.is_plain()) for chain in
                (index.chain(ROOM, line[-1], rule) for index in (few, slow))]  # fmt: skip
        assert told[0] == told[1]
    assert tables(tmp_path / "few") == tables(tmp_path / "slow")
    assert read, "nothing was taken in by few"
    few.close(), slow.close()


def ten_unread(world: World) -> tuple[Room, Store, CountingBackend]:
    """Bob, who has read all but ten; who else writes; and what counts the objects that bob reads."""
    environment = world.environment(world.repository())
    store = open_store(environment.repository.location.common_dir, fsync=False)
    say(store, "first")
    bob = Room(environment, None, "bob")
    bob.read()
    for number in range(10):
        say(store, str(number))
    counting = CountingBackend(environment.store.backend)
    environment.store.backend = counting  # type: ignore[assignment]
    return bob, store, counting


def test_what_is_read_to_be_taken_in_is_shown_and_read_once(world: World) -> None:
    """Ten objects for ten records; who looks again reads them again, and is told of what was damaged meanwhile."""
    bob, store, counting = ten_unread(world)
    assert [entry.record.body for entry in bob.unread().entries] == [str(number) for number in range(10)]
    assert counting.reads == 10
    assert len(bob.unread().entries) == 10
    assert counting.reads == 20
    newest = store.tip(log_ref(ROOM))
    assert newest is not None
    (store.directory / "journal").unlink()
    path = loose_path(store.common_dir, newest)
    path.chmod(0o600)
    path.write_bytes(b"damaged")
    with pytest.raises(FormatError):
        bob.unread()


def test_how_far_the_index_goes_is_asked_again_when_somebody_wrote_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer asks many times and looks once; what another process changes in the file is seen at the next."""
    bob, store, _ = ten_unread(world)
    asked: list[object] = []

    def counted(database: sqlite3.Connection, view: View) -> Extent | None:
        asked.append(view)
        return known_extent(database, view)

    monkeypatch.setattr("gitchat.index.database.known_extent", counted)
    chain = bob.records.chain()
    assert asked
    asked.clear()
    assert [chain.count_of(), len(chain.select()), chain.total] == [11, 11, 11]
    assert not asked
    (path,) = store.directory.glob("index.*.db")
    other = sqlite3.connect(path)
    other.execute("UPDATE entry SET kind = 'status' WHERE number = 3")
    other.commit()
    assert chain.count_without(["status"]) == 10
    assert asked
    # What counts is what others see of it: rows that are gone are taken in anew, and not believed to be there.
    other.executescript("DELETE FROM entry; DELETE FROM chain; DELETE FROM tally; DELETE FROM word;")
    other.close()
    assert bob.records.chain().total == 11
    assert len(bob.records.chain().select()) == 11


def test_nothing_is_left_to_take_in_where_another_process_was_quicker(world: World, tmp_path: Path) -> None:
    """Between the look that found news and the one that reads them somebody else took them in."""
    store = open_store(world.repository() / ".git", fsync=False)
    tip = say(store, "first").entry.oid
    index = Index(tmp_path, store.read, lambda count: None, None, store.raw_commit)
    assert index.chain(ROOM, tip, rule).total == 1
    known = index.builder._few(index._opened(), View(ROOM, tip, None), rule)
    assert known is not None
    assert known.total == 1
