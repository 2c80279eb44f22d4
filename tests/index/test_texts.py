"""Texts that wait to be filed by their words: whoever searches finds them all the same."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from gitchat.index import texts
from gitchat.index.chain import Chain
from gitchat.index.condition import ANY
from gitchat.index.database import Index
from gitchat.index.texts import MOST
from gitchat.model.names import Oid, uid_from_random
from gitchat.rooms.numbering import rule
from tests.shelf import Shelf
from tests.world import World


class Said:
    """A room in which something is said, and two who look there."""

    def __init__(self, world: World) -> None:
        self.shelf = Shelf(world)
        self.tip = self.shelf.commit(self.shelf.genesis(), uid=self._uid(), body="the first word")
        self.index = self.another()
        self.look()

    def _uid(self) -> str:
        return uid_from_random(os.urandom(10))

    def another(self) -> Index:
        """Another process's view, which takes in what is few from its bytes."""
        store = self.shelf.store
        return Index(store.directory, store.read, lambda count: None, None, store.raw_commit)

    def say(self, body: str) -> Oid:
        """A record more."""
        self.tip = self.shelf.commit(self.tip, uid=self._uid(), body=body)
        return self.tip

    def look(self, index: Index | None = None) -> Chain:
        """Take in what is new."""
        return (index or self.index).chain("lobby", self.tip, rule)

    def waiting(self) -> int:
        """How many texts are not filed."""
        (path,) = self.shelf.store.directory.glob("index.*.db")
        database = sqlite3.connect(path)
        try:
            found: int = database.execute("SELECT count(*) FROM unfiled").fetchone()[0]
            return found
        finally:
            database.close()


@pytest.fixture
def said(world: World) -> Said:
    """A room with one record."""
    return Said(world)


def found(chain: Chain, word: str) -> list[tuple[int, float]]:
    """The numbers of what is found, with the rank of each."""
    return [(hit.place.number, round(hit.rank, 9)) for hit in chain.search(word, ANY, None)]


def test_what_was_just_said_is_found_and_ranked_as_in_an_index_that_is_built_anew(said: Said, tmp_path: Path) -> None:
    """Taken in one by one, nothing is filed; another who searches files all, and finds what anybody would."""
    for number in range(20):
        said.say(f"the {'rare ' * (number % 3)}word {number}")
        said.look()
    assert said.waiting() == 21
    assert said.look().count == 21
    told = found(said.look(said.another()), "rare")
    assert said.waiting() == 0
    store = said.shelf.store
    anew = Index(tmp_path, store.read, lambda count: None)
    assert told == found(anew.chain("lobby", said.tip, rule), "rare")
    assert len(told) == 13
    assert found(said.look(), "rare") == told
    said.say("a rare end")
    assert [number for number, _ in found(said.look(), "end")] == [22]


def test_what_nobody_searches_is_filed_when_it_is_much(said: Said) -> None:
    """So a search has few to file, whenever it comes."""
    most = 0
    for number in range(MOST // 50 + 2):
        for _ in range(50):
            said.say(f"text {number}")
        said.look()
        most = max(most, said.waiting())
    assert 0 < most <= MOST
    assert said.waiting() < most


def test_a_search_that_is_cut_off_files_all_or_nothing(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between filing and forgetting, what waited waits, and stands in no list twice."""
    said.say("another word")
    said.look()

    def cut_off(database: sqlite3.Connection) -> None:
        database.execute("INSERT INTO text (rowid, body) SELECT id, body FROM unfiled ORDER BY id")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(texts, "_file", cut_off)
        with pytest.raises(KeyboardInterrupt):
            said.look().search("word", ANY, None)
    assert said.waiting() == 2
    assert sorted(number for number, _ in found(said.look(), "word")) == [1, 2]


def test_a_view_that_somebody_overtook_finds_what_waits(said: Said) -> None:
    """It is shown for one question alone: what is taken in for that is filed for that, and is found each time."""
    said.say("a word")
    behind = said.tip
    mine = said.shelf.commit(behind, uid=uid_from_random(b"0123456789"), body="my word")
    said.say("a later word")
    said.look()
    assert said.waiting() == 3
    chain = said.another().chain("lobby", behind, rule, mine)
    for _ in range(2):
        assert sorted(number for number, _ in found(chain, "word")) == [1, 2, 3]
        assert [number for number, _ in found(chain, "my")] == [3]
        assert said.waiting() == 0
    assert [number for number, _ in found(said.look(), "later")] == [3]
    assert found(said.look(), "my") == []


def test_what_is_pending_waits_once(said: Said) -> None:
    """However often what stands before it changes, and it becomes another row: no text is left of one that is gone."""
    local = said.shelf.commit(said.tip, uid=uid_from_random(b"0123456789"), body="my word")
    for number in range(3):
        said.index.chain("lobby", said.tip, rule, local)
        assert said.waiting() == 2 + number
        said.say("somebody was quicker")
    chain = said.index.chain("lobby", said.tip, rule, local)
    assert [number for number, _ in found(chain, "my")] == [5]
