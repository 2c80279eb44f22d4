"""What is counted as it comes against a look at each record. Proves docs/format.md section 10.5 for many at once."""

from __future__ import annotations

import os

import pytest

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, Spoken, authored_by, spoken_in, urgent_of, visible_to, without
from gitchat.index.database import Index
from gitchat.index.files import VERSION
from gitchat.index.places import Voice
from gitchat.model import codec
from gitchat.model.names import Oid, RoomName
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line
from tests.property.hostile import EMPTY_TREE, HostileRooms
from tests.property.usual import Commits
from tests.world import World, open_store

NAMES = [["ann"], ["bob"], ["nobody"], ["ann", "role:dev"], ["role:dev"], []]


def own_of(chain: Chain, name: str, through: int) -> tuple[Condition, list[Spoken]]:
    """What ``name`` wrote outside of clone 1, or there up to a number; in both ways of saying so."""
    elsewhere = "1" * 16
    said = Condition.any_of([spoken_in([elsewhere]).denied(), Condition("number <= ?", (through,))])
    voices = chain.voices(name)
    spoken = [Spoken(name, voice, through if voice.clone == elsewhere else None) for voice in voices]
    return Condition.all_of([authored_by(name), said]), spoken


def differences(chain: Chain, afters: list[int]) -> list[tuple[object, ...]]:
    """Where the two ways of counting differ."""
    found: list[tuple[object, ...]] = []
    for names in NAMES:
        for own in ("ann", "bob"):
            reaching = visible_to(names)
            conditions = [reaching, visible_to(names, own), without(reaching, *own_of(chain, own, afters[-1]))]
            for condition in [*conditions, *map(urgent_of, conditions)]:
                assert condition.tally is not None
                for after in afters:
                    told = chain.count_of(condition, after=after)
                    looked = chain.count_of(condition._replace(tally=None), after=after)
                    found += [(names, own, condition.tally, after, told, looked)] if told != looked else []
    return found


@pytest.mark.parametrize("seed", range(2))
def test_both_ways_of_counting_agree(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Every kind, names and roles, urgent ones, seats, copies, merges; what is pending comes, goes, and is numbered."""
    monkeypatch.setattr("gitchat.index.building.SHORT", 20)
    monkeypatch.setattr("gitchat.index.bulk.COMMITS", 9)
    git_dir = world.repository() / ".git"
    commits, rooms = Commits(seed), HostileRooms(git_dir, seed)
    line = [rooms.add("commit", codec.encode_genesis(RoomName("lobby"), Oid(EMPTY_TREE)))]
    store = open_store(git_dir)
    index = Index(store.directory, store.read, lambda count: None, Line(git_dir, git.scrub(os.environ)))
    told = 0
    for length in (40, 5, 30):
        for _ in range(length):
            line.append(rooms.add("commit", commits.usual(line[-1:])))
        local = [line[-4]]
        for _ in range(4):
            local.append(rooms.add("commit", commits.usual(local[-1:])))
            chain = index.chain("lobby", Oid(line[-1]), rule, Oid(local[-1]))
            assert differences(chain, [0, chain.count // 2, chain.total - 1]) == []
            told += chain.count_of(visible_to(["ann"]))
        older = index.chain("lobby", Oid(line[len(line) // 2]), rule)
        assert differences(older, [0, older.count // 3]) == []
        if length != 5:  # else it is taken back
            line.append(rooms.add("commit", commits.usual([line[-1], local[-1]])))
    assert told > 100, "nothing was counted"
    assert [path.name for path in store.directory.glob("index.*.db")] == [f"index.v{VERSION}.1.db"], (
        "it was built anew on the way"
    )


def test_an_author_without_a_name_is_counted_once(world: World) -> None:
    """The word for whoever wrote it is no name."""
    git_dir = world.repository() / ".git"
    commits, rooms = Commits(0), HostileRooms(git_dir, 0)
    line = [rooms.add("commit", codec.encode_genesis(RoomName("lobby"), Oid(EMPTY_TREE)))]
    raw = commits.usual(line)
    block = b"Chat-Kind: message\nChat-Uid: 0000000000000000\n"
    head = b"\n".join(raw.split(b"\n")[:2])
    raw = head + b"\nauthor  <> 5 +0000\ncommitter  <> 5 +0000\n\nhello\n\n" + block
    line.append(rooms.add("commit", raw))
    store = open_store(git_dir)
    chain = Index(store.directory, store.read, lambda count: None).chain("lobby", Oid(line[-1]), rule)
    assert chain.voices("") == [Voice(None, None)]
    assert chain.count_of(visible_to(["ann"])) == 1
