"""A plain log that is read from its end against the index of it: the same answers, whatever the records say."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gitchat.index.chain import Chain
from gitchat.index.condition import (
    ANY,
    Condition,
    authored_by,
    of_type,
    statuses_for_nobody,
    urgent_of,
    visible_to,
    without,
)
from gitchat.index.database import Index
from gitchat.model import codec
from gitchat.model.names import Oid, RoomName, uid_from_random
from gitchat.model.record import Moment, Record
from gitchat.model.signature import Signature
from gitchat.rooms.hints import LACKING, MOST, Hints
from gitchat.rooms.near import Near
from gitchat.rooms.numbering import rule
from gitchat.storage.checkpoint import Position
from gitchat.verbs.room import Room
from tests.property.hostile import EMPTY_TREE, HostileRooms
from tests.property.test_tallies import NAMES, own_of
from tests.property.usual import Commits
from tests.world import World, open_store

ROOM = RoomName("lobby")


class Plain:
    """A log without merges and repeated records that grows: usual commits, redactions, and what is no record."""

    def __init__(self, git_dir: Path, seed: int) -> None:
        self.store = open_store(git_dir)
        self._commits, self._rooms = Commits(seed), HostileRooms(git_dir, seed)
        self._random = random.Random(seed)
        self.line = [Oid(self._rooms.add("commit", codec.encode_genesis(ROOM, Oid(EMPTY_TREE))))]
        self.records: list[Record] = []

    def grow(self, count: int) -> Position:
        """``count`` commits more; where the log ends then."""
        known = {(one.uid, one.author) for one in self.records}
        while count:
            raw = self._redaction() if self._random.random() < 0.2 else self._commits.usual(self.line[-1:])
            commit = codec.parse_commit(Oid(""), raw)
            if codec.identity_key(Oid(""), commit) in known:
                continue
            count -= 1
            self.line.append(Oid(self._rooms.add("commit", raw)))
            if commit.takes_number:
                self.records.append(codec.record_of(self.line[-1], commit))
                known.add((self.records[-1].uid, self.records[-1].author))
        return Position(self.line[-1], len(self.records), is_plain=True)

    def _redaction(self) -> bytes:
        target = self._random.choice(self.records[-9:]).uid if self.records else None
        uid = uid_from_random(self._random.randbytes(10))
        record = Record(kind="redact", uid=uid, author="bob", email="b@c", written=Moment(5), body="", reply_to=target)
        who = Signature("bob", "b@c", Moment(5))
        return codec.encode_record(record, tree=Oid(EMPTY_TREE), parent=self.line[-1], committer=who)


def conditions(chain: Chain) -> list[Condition]:
    """What readings ask, and what only the index can tell."""
    found = [ANY, statuses_for_nobody(), of_type("question"), authored_by("ann")]
    for names in NAMES:
        reaching = visible_to(names)
        told = [reaching, visible_to(names, "ann"), without(reaching, *own_of(chain, "bob", chain.count - 3))]
        found += [*told, *map(urgent_of, told)]
    return found


def answers(chain: Chain, line: list[Oid], uids: list[str], asked: list[Condition]) -> dict[str, object]:
    """All that is asked of a chain, near its end, at its beginning, and in between."""
    afters = sorted({0, 1, *(max(0, chain.count - back) for back in (0, 1, 7, MOST - 1, MOST, MOST + 1))})
    looks = [(one, after) for one in asked for after in afters]
    return {
        "extent": (chain.count, chain.total, chain.tips),
        "upto": [chain.upto(oid) for oid in (*line, Oid("f" * 40))],
        "commit": [chain.commit_upto(number) for number in range(-1, chain.count + 2)],
        "selected": [chain.select(one, after=after) for one, after in looks],
        "first": [chain.select(one, after=after, limit=3) for one, after in looks],
        "last": [chain.select(one, after=after, limit=3, newest=True) for one, after in looks],
        "counted": [chain.count_of(one, after=after) for one, after in looks],
        "redacted": [chain.redactions(uids, after) for after in afters] + [chain.redactions(uids[-1:])],
        "numbered": [chain.numbered([uid]) for uid in {*uids} if uids.count(uid) == 1],
        "voices": [sorted(map(repr, chain.voices(name))) for name in ("ann", "bob", "nobody", "")],
    }


@pytest.mark.parametrize("seed", range(2))
def test_a_log_is_told_from_its_end_as_by_the_index(world: World, tmp_path: Path, seed: int) -> None:
    """Every kind of record, as the log grows a little and a lot, with what was seen before and without."""
    plain = Plain(world.repository() / ".git", seed)
    (tmp_path / "told").mkdir(), (tmp_path / "near").mkdir()
    told = Index(tmp_path / "told", plain.store.read, lambda count: None)
    beside = Index(tmp_path / "near", plain.store.read, lambda count: None, None, plain.store.raw_commit)
    hints, redacted = Hints(), 0
    for growth in (3, 5, 10, MOST, 1, MOST + 30, 12):
        position = plain.grow(growth)
        chain = told.chain(ROOM, position.tip, rule)
        asked, uids = conditions(chain), [one.uid for one in plain.records]
        wanted = answers(chain, plain.line, uids, asked)
        redacted += str(wanted["redacted"]).count("bob")
        for known in (Hints(), hints):
            near = Near(beside, rule, ROOM, position, plain.store.read, known)
            assert answers(near, plain.line, uids, asked) == wanted
    assert redacted, "nothing was redacted"
    told.close(), beside.close()


def test_what_is_near_needs_no_index(world: World, tmp_path: Path) -> None:
    """It is not opened for what a reading asks; nor are the voices of a name asked for again that has not spoken."""
    plain = Plain(world.repository() / ".git", 5)
    (tmp_path / "index").mkdir()
    index = Index(tmp_path / "index", plain.store.read, lambda count: None)
    hints, reaching = Hints(), visible_to(["carol"])
    plain.grow(30)
    first = Near(index, rule, ROOM, plain.grow(3), plain.store.read, hints)
    assert first.tip is not None
    voices, before = first.voices("carol"), first.count_of(reaching)
    index.close()
    for path in (tmp_path / "index").iterdir():
        path.unlink()
    near = Near(index, rule, ROOM, plain.grow(9), plain.store.read, hints)
    read = near.upto(first.tip)
    assert read == first.count
    assert len(near.select(reaching, after=read)) == near.count_of(reaching, after=read) > 0
    assert near.count_of(reaching) == before + near.count_of(reaching, after=read)
    assert near.voices("carol") == voices
    assert near.commit_upto(near.count) in plain.line
    assert list((tmp_path / "index").iterdir()) == []


def test_what_was_read_to_be_told_is_shown_once(world: World, tmp_path: Path) -> None:
    """Each commit is read once for a reading; who looks again reads what is there then."""
    plain = Plain(world.repository() / ".git", 1)
    position, read = plain.grow(8), list[Oid]()

    def counted(oid: Oid) -> codec.Commit:
        read.append(oid)
        return plain.store.read(oid)

    near = Near(Index(tmp_path, plain.store.read, lambda count: None), rule, ROOM, position, counted, Hints())
    places = near.select(visible_to(["ann"]), after=position.count - 5)
    assert places
    assert len(read) == len({*read}) >= 5
    for again in (0, 1):
        read.clear()
        shown = [near.taken(place.oid, counted)[0] for place in places]
        assert shown == [plain.store.read(place.oid) for place in places]
        assert read == [place.oid for place in places] * again


def test_the_index_keeps_up(world: World) -> None:
    """Now and then a reading takes in what came; so who searches has little to wait for."""
    environment = world.environment(world.repository())
    alice, bob = (Room(environment, None, name) for name in ("alice", "bob"))
    lacks = []
    for turn in range(12):
        for number in range(8):
            alice.send(f"turn{turn} {number}")
        assert len(bob.read().entries) == 8
        tip = environment.store.room_tip(bob.name)
        assert tip is not None
        lacks.append(not environment.index.has(bob.name, tip))
    assert lacks == ([False] + [True] * (LACKING // 8 - 1)) * 3
    assert len(bob.search("turn11")) == 8
