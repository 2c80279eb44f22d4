"""The quick way into the index against the slow one. Proves docs/format.md sections 3 to 5 for a bulk reading."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from gitchat.index import texts
from gitchat.index.database import Index
from gitchat.index.fields import Fields, Usual, of_commit
from gitchat.index.files import VERSION
from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RoomName
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line
from tests.property.hostile import EMPTY_TREE, HostileRooms
from tests.property.usual import Commits
from tests.world import World, open_store

COMMITS = 6000
"""How many commits are read both ways: most of them with one fault."""


def fields_of(oid: Oid, raw: bytes) -> Fields:
    """What the index keeps of a commit that is parsed."""
    commit = codec.parse_commit(oid, raw)
    return of_commit(oid, commit, rule(oid, commit))


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_not_parsed_would_be_read_the_same(seed: int) -> None:
    """Usual commits, and such with one fault: the patterns pass them on, or say what the parser says."""
    commits, usual, oid = Commits(seed), Usual(), Oid("a" * 40)
    told = 0
    for number in range(COMMITS // 2):
        raw = commits.usual(["b" * 40])
        raw = raw if number % 5 == 0 else commits.faulty(raw)
        found = usual.fields(raw)
        if found is not None:
            told += 1
            assert found == fields_of(oid, raw), raw
    assert told > COMMITS // 20, "the patterns fit nothing"


def tables(directory: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that an index says, but for the word that tells it from others."""
    (path,) = directory.glob("index.*.db")
    database = sqlite3.connect(path, isolation_level=None)
    try:
        names = ["anchor", "chain", "entry", "voice"]
        told = {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
        vocabulary = "CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, text, instance)"
        database.execute(vocabulary)
        texts.file_all(database)
        return told | {"words": sorted(database.execute("SELECT * FROM words"), key=repr)}
    finally:
        database.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_room_is_the_same_row_by_row(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Rooms with merges, repeated records, faults and damage, in small stages: the rows of both ways are equal."""
    monkeypatch.setattr("gitchat.index.building.SHORT", 0)
    monkeypatch.setattr("gitchat.index.bulk.COMMITS", 9)
    git_dir = world.repository() / ".git"
    commits, rooms = Commits(seed), HostileRooms(git_dir, seed)
    chance = commits.random.random
    root = rooms.add("commit", codec.encode_genesis(RoomName("lobby"), Oid(EMPTY_TREE)))
    line = [root]
    for _ in range(90):
        others = [commits.random.choice(line)] if chance() < 0.03 else []
        side = rooms.add("commit", commits.usual(others)) if others else None
        raw = commits.usual([line[-1], *([side] if side else [])])
        raw = commits.faulty(raw) if chance() < 0.1 and side is None else raw
        if _continues(raw, line[-1]):
            line.append(rooms.add("commit", raw))
    store = open_store(git_dir)
    for place, tip in enumerate((line[50], line[-1])):
        line_of = Line(git_dir, git.scrub(os.environ))
        for name, reader in (("slow", None), ("quick", line_of), ("apart", line_of)):
            monkeypatch.setattr("gitchat.index.building.MINUTES", 20 if name == "apart" else 20_000)
            (store.directory / name).mkdir(parents=True, exist_ok=True)
            index = Index(store.directory / name, store.read, lambda count: None, reader)
            assert index.chain("lobby", Oid(tip), rule).total > 20
            index.close()
        for name in ("quick", "apart"):
            assert tables(store.directory / name) == tables(store.directory / "slow"), f"look {place}, {name}"
    assert [path.name for path in (store.directory / "apart").glob("index*.db")] == [f"index.v{VERSION}.2.db"]


def _continues(raw: bytes, before: str) -> bool:
    """Whether a commit can be told from damage, and stands behind ``before`` alone, or first."""
    try:
        return before in codec.parse_commit(Oid("a" * 40), raw).parents[:1]
    except FormatError:
        return False


def test_a_room_that_git_cannot_give_is_read_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said as ever; and an object that is not what its name says is not taken in."""
    monkeypatch.setattr("gitchat.index.building.SHORT", 0)
    git_dir = world.repository() / ".git"
    commits, rooms = Commits(1), HostileRooms(git_dir, 1)
    line = [rooms.add("commit", codec.encode_genesis(RoomName("lobby"), Oid(EMPTY_TREE)))]
    for _ in range(5):
        line.append(rooms.add("commit", commits.usual(line[-1:])))
    store = open_store(git_dir)
    reader = Line(git_dir, git.scrub(os.environ))
    forged, honest = (git_dir / "objects" / line[place][:2] / line[place][2:] for place in (2, 3))
    kept = forged.read_bytes()
    forged.chmod(0o600)
    forged.write_bytes(honest.read_bytes())
    for code in ("damaged-object", "missing-object"):
        index = Index(store.directory, store.read, lambda count: None, reader)
        with pytest.raises(FormatError) as caught:
            index.chain("lobby", Oid(line[-1]), rule)
        assert caught.value.code == code
        forged.unlink(missing_ok=True)
    forged.write_bytes(kept)
    assert index.chain("lobby", Oid(line[-1]), rule).total > 0
