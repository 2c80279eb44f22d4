"""The order in which a clone learned of the records of all its rooms. Proves docs/format.md section 7.11."""

from __future__ import annotations

import random
import sqlite3

import pytest

from gitchat.index.arrivals import Arrived
from gitchat.index.database import Index
from gitchat.model.names import Oid, RoomName, uid_from_random
from gitchat.rooms.numbering import rule
from tests.clones.conftest import Hub
from tests.shelf import Shelf
from tests.world import World

ROOMS = ("den", "lobby")


@pytest.fixture
def shelf(world: World) -> Shelf:
    """A repository without a log, and its index."""
    return Shelf(world)


class Line:
    """A room whose numbers an authority gives, and what a clone has of it."""

    def __init__(self, shelf: Shelf, name: str) -> None:
        self.name = name
        self._shelf = shelf
        self.tip: Oid = shelf.commit(shelf.genesis(), uid=self._uid())
        """The authority's."""
        self.local: Oid = self.tip
        self.said: list[str] = [self._last]
        """The uids of all records, of which ``local`` or ``tip`` reaches each."""
        self.pending: list[str] = []

    def _uid(self) -> str:
        self._last = uid_from_random(random.randbytes(10))
        return self._last

    def say(self) -> None:
        """Something is said here, and has no number yet."""
        self.local = self._shelf.commit(self.local, uid=self._uid())
        self.said.append(self._last)
        self.pending.append(self._last)

    def hear(self) -> None:
        """The authority numbers what another clone said."""
        self.tip = self._shelf.commit(self.tip, author="alice", uid=self._uid())
        self.said.append(self._last)

    def number_a_copy(self) -> None:
        """The authority has what is pending here from another clone, in a commit of its own."""
        if self.pending:
            self.tip = self._shelf.commit(self.tip, uid=self.pending.pop(0))

    def push(self) -> None:
        """The authority takes all that was said here."""
        self.tip = self._shelf.commit(self.tip, self.local, kind="merge")
        self.local, self.pending = self.tip, []

    def look(self, index: Index, *, with_pending: bool) -> None:
        """Somebody reads the room."""
        index.chain(self.name, self.tip, rule, self.local if with_pending else None)


class Follower:
    """Who follows all rooms."""

    def __init__(self) -> None:
        self.epoch: str | None = None
        self.upto = 0
        self.heard: list[tuple[str, Oid]] = []

    def read(self, index: Index, limit: int | None = None) -> Arrived:
        """The next records."""
        arrived = index.arrived(self.upto, self.epoch, limit)
        numbers = [self.upto, *(one.number for one in arrived.records), arrived.upto]
        assert numbers == sorted(numbers)
        assert len(arrived.records) in range(limit + 1 if limit is not None else 10**9)
        self.epoch, self.upto = arrived.epoch, arrived.upto
        self.heard += [(one.room, one.place.oid) for one in arrived.records]
        return arrived


@pytest.mark.parametrize("seed", range(4))
def test_each_record_arrives_once_whatever_becomes_of_it(shelf: Shelf, seed: int) -> None:
    """Pending, numbered, numbered as a copy, looked at with and without what is pending, read in parts, reopened."""
    chance = random.Random(seed)
    random.seed(seed)
    lines = [Line(shelf, name) for name in ROOMS]
    slow, quick = Follower(), Follower()
    index = shelf.index
    for _ in range(120):
        line = chance.choice(lines)
        chance.choice([line.say, line.say, line.hear, line.number_a_copy, line.push])()
        if chance.random() < 0.7:
            line.look(index, with_pending=chance.random() < 0.8)
            quick.read(index)
        if chance.random() < 0.2:
            slow.read(index, limit=chance.randrange(1, 6))
        if chance.random() < 0.05:
            index.close()
            index = shelf.reopen()
    for line in lines:
        line.look(index, with_pending=True)
    quick.read(index)
    while slow.read(index, limit=7).records:
        pass
    for follower in (quick, slow):
        uids = [(room, shelf.store.read(oid).value("Chat-Uid")) for room, oid in follower.heard]
        assert len(set(uids)) == len(uids)
        assert sorted(uids) == sorted((line.name, uid) for line in lines for uid in line.said)
    index.close()


def test_rooms_stand_in_the_order_in_which_they_became_known(shelf: Shelf) -> None:
    """And not by their dates or names; summaries are of no room."""
    den, lobby = (Line(shelf, name) for name in ROOMS)
    lobby.look(shelf.index, with_pending=True)
    den.look(shelf.index, with_pending=True)
    shelf.index.chain("lobby/summaries", den.tip, rule)
    lobby.hear()
    lobby.look(shelf.index, with_pending=True)
    arrived = shelf.index.arrived()
    assert [(one.room, one.place.number) for one in arrived.records] == [("lobby", 1), ("den", 1), ("lobby", 2)]
    assert shelf.index.arrived(arrived.records[1].number).records == arrived.records[2:]
    assert shelf.index.arrived(limit=0) == (arrived.epoch, arrived.newest, 0, [])
    assert shelf.index.arrived(arrived.upto) == (arrived.epoch, arrived.newest, arrived.newest, [])


def test_who_comes_with_the_number_of_another_index_is_told_so(shelf: Shelf) -> None:
    """Built anew, it begins another epoch, and gives nothing for a number of the old one."""
    line = Line(shelf, "lobby")
    line.look(shelf.index, with_pending=True)
    before = shelf.index.arrived()
    shelf.index.close()
    for path in shelf.store.directory.glob("index.*.db*"):
        path.unlink()
    index = shelf.reopen()
    line.look(index, with_pending=True)
    after = index.arrived(0, before.epoch)
    assert after.epoch != before.epoch
    assert after.records == []
    assert [one.place.oid for one in index.arrived(0, after.epoch).records] == [line.tip]
    index.close()


def test_what_came_is_found_without_a_walk(shelf: Shelf) -> None:
    """SQLite goes by a key, in both parts of the question, however many records there are."""
    Line(shelf, "lobby").look(shelf.index, with_pending=True)
    asked: list[str] = []
    shelf.index.arrived()
    database = shelf.index._database
    assert database is not None
    database.set_trace_callback(asked.append)
    shelf.index.arrived(5)
    database.set_trace_callback(None)
    plans = [
        " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in asked if "CROSS" in sql
    ]
    assert len(plans) == 2
    assert "SEARCH entry USING INTEGER PRIMARY KEY (rowid>?)" in plans[0]
    assert "SEARCH entry USING INDEX entry_arrival (arrival>?)" in plans[1]
    assert not any("TEMP B-TREE" in plan or "SCAN entry" in plan for plan in plans)


def test_two_processes_give_the_same_numbers(shelf: Shelf) -> None:
    """They stand in the file: whoever takes a log in, all who read it see the same."""
    line = Line(shelf, "lobby")
    line.look(shelf.index, with_pending=True)
    other = shelf.reopen()
    line.say()
    line.look(other, with_pending=True)
    assert shelf.index.arrived() == other.arrived()
    other.close()


def test_index_of_another_version_is_built_anew(shelf: Shelf) -> None:
    """One of before has no arrivals."""
    line = Line(shelf, "lobby")
    line.look(shelf.index, with_pending=True)
    shelf.index.close()
    (path,) = shelf.store.directory.glob("index.*.db")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 6")
    database.close()
    index = shelf.reopen()
    line.look(index, with_pending=True)
    assert [one.place.oid for one in index.arrived().records] == [line.tip]
    index.close()


def test_what_is_said_and_fetched_arrives_once(hub: Hub) -> None:
    """With real clones: it keeps its number when it gets one of the room."""
    ann, bea = (hub.clone(name) for name in ("ann", "bea"))
    ann.say("one")
    ann.sync()
    bea.sync()
    environment = ann.world.environment(ann.path)
    rooms = [RoomName(name) for name in ROOMS]
    first = environment.arrived(rooms=rooms)
    ann.say("two")
    pending = environment.arrived(first.upto, first.epoch, rooms=rooms)
    assert [one.place.is_pending for one in pending.records] == [True]
    bea.say("from afar")
    bea.chat("send", "--room", "den", "and elsewhere", check=True)
    bea.sync()
    ann.sync()
    last = environment.arrived(pending.upto, pending.epoch, rooms=rooms)
    bodies = [environment.store.read(one.place.oid).body.strip() for one in last.records]
    assert sorted(bodies) == ["and elsewhere", "from afar"]
    again = environment.arrived()
    assert [one.room for one in again.records][:2] == [RoomName("lobby"), RoomName("lobby")]
    (two,) = [one for one in again.records if environment.store.read(one.place.oid).body.strip() == "two"]
    assert (two.number, two.place.is_pending) == (pending.records[0].number, False)
    ann.say("three")
    assert environment.numbering(RoomName("lobby")).chain().total == 4
    (handle,) = [one["handle"] for one in ann.records() if one["content"] == "three"]
    ann.chat("unsend", handle, check=True)
    assert environment.arrived(again.upto, again.epoch, rooms=rooms).records == []


def test_a_record_is_taken_in_without_a_walk(shelf: Shelf) -> None:
    """What is pending, and what questions it answers, is found by keys: in a long room as quickly as in a short one."""
    line = Line(shelf, "lobby")
    line.look(shelf.index, with_pending=True)
    database, asked = shelf.index._database, list[str]()
    assert database is not None
    database.set_trace_callback(asked.append)
    line.hear()
    line.look(shelf.index, with_pending=True)
    database.set_trace_callback(None)
    plans = [
        [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}")]
        for sql in asked
        if "is_pending = 1" in sql or "SET is_open = 0" in sql
    ]
    keys = {step.partition(" USING ")[2] for plan in plans for step in plan if step.startswith("SEARCH")}
    assert len(plans) >= 4
    assert keys == {
        "INDEX entry_pending (chain=?)",
        "INDEX entry_uid (chain=? AND uid=?)",
        "INDEX entry_reply (chain=? AND reply=?)",
        "INTEGER PRIMARY KEY (rowid=?)",
        "INTEGER PRIMARY KEY (rowid>?)",
    }
