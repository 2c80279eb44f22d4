"""What the index says of a view that somebody else has overtaken, against one that was made for it alone."""

from __future__ import annotations

import random
import sqlite3

import pytest

from gitchat.index import files
from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, unanswered, visible_to
from gitchat.index.database import Index
from gitchat.index.stages import Stages
from gitchat.index.view import Extent, View
from gitchat.model.names import Oid
from gitchat.rooms.numbering import rule
from tests.property.test_asked import NAMES, Talk
from tests.shelf import Shelf
from tests.world import World

Seen = tuple[Oid, Oid | None]
"""Up to where records have numbers, and what else is seen."""


def told(chain: Chain) -> object:
    """All that is asked of a chain."""
    return (
        chain.count,
        chain.total,
        [(place.number, place.oid, place.is_pending) for place in chain.select()],
        [place.oid for place in chain.select(unanswered())],
        [chain.count_of(Condition("author = ?", (name,))) for name in NAMES],
        [chain.count_of(visible_to([name])) for name in NAMES],
        chain.newest_by_author(),
        [chain.upto(oid) for oid in chain.tips],
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_view_that_was_overtaken_is_told_as_it_was(world: World, seed: int) -> None:
    """And nothing of the index changes for it: neither its file, nor what arrived, nor what the newest view says."""
    shelf, chance = Shelf(world), random.Random(seed)
    talk = Talk(shelf, seed)
    index = Index(shelf.store.directory, shelf.store.read, lambda count: None)
    numbered, views = shelf.genesis(), list[Seen]()
    overtaken = 0
    for turn in range(14):
        local = numbered
        for _ in range(chance.randrange(1, 4)):
            local = talk.add(local)
            views.append((numbered, local))
        if chance.random() < 0.3:
            views.append((numbered, None))
        if chance.random() < 0.4:  # all that was pending is accepted as it is
            numbered = local
        else:  # others were quicker: what is pending here comes in by a merge, or stays pending
            for _ in range(chance.randrange(1, 4)):
                numbered = talk.add(numbered)
            if chance.random() < 0.6:
                numbered = shelf.commit(numbered, local, kind="merge")
        newest = index.chain("lobby", numbered, rule, local)
        before = (told(newest), index.arrived())
        for place, view in enumerate(chance.sample(views, min(3, len(views)))):
            alone = Index(shelf.store.directory / f"alone-{turn}-{place}", shelf.store.read, lambda count: None)
            expected = told(alone.chain("lobby", view[0], rule, view[1]))
            alone.close()
            assert told(index.chain("lobby", view[0], rule, view[1])) == expected
            assert (told(newest), index.arrived()) == before
            overtaken += view[0] != numbered and view[1] is not None
    assert overtaken > 10
    assert [path.name for path in shelf.store.directory.glob("index.*.db")] == [files.after(None)], "it was built anew"


class Pending:
    """Two records that wait for their numbers behind one that has it, and who moves that on from another process."""

    def __init__(self, world: World) -> None:
        self.shelf = Shelf(world)
        talk = Talk(self.shelf, 1)
        self.numbered = talk.add(self.shelf.genesis())
        self.local = talk.add(talk.add(self.numbered))
        self._newer = talk.add(self.numbered)
        self._other = self.shelf.reopen()
        self.shelf.index.chain("lobby", self.numbered, rule)

    def overtake(self) -> None:
        """Somebody else takes in what others said meanwhile."""
        self._other.chain("lobby", self._newer, rule)

    def is_one_index(self) -> bool:
        """Whether none was built anew."""
        return [path.name for path in self.shelf.store.directory.glob("index.*.db")] == [files.after(None)]


def test_who_is_overtaken_before_it_writes_builds_no_index_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looked, and somebody had the turn to write before it: its view is told as that of who comes late."""
    room, really = Pending(world), Stages.is_one

    def is_one(stages: Stages, most: int) -> bool:
        monkeypatch.setattr(Stages, "is_one", really)
        room.overtake()
        return really(stages, most)

    monkeypatch.setattr(Stages, "is_one", is_one)
    chain = room.shelf.index.chain("lobby", room.numbered, rule, room.local)
    assert [(place.number, place.is_pending) for place in chain.select()] == [(1, False), (2, True), (3, True)]
    assert room.is_one_index()


def test_who_is_overtaken_before_it_asks_asks_again(world: World) -> None:
    """What is pending goes, or has another place, in the moment between how far a view goes and what is in it."""
    room, asked = Pending(world), list[int]()

    def ask(database: sqlite3.Connection, extent: Extent) -> list[int]:
        asked.append(extent.total)
        if len(asked) == 1:
            room.overtake()
        sql = "SELECT number FROM entry WHERE number <= ? ORDER BY number"
        return [number for (number,) in database.execute(sql, (extent.total,))]

    view = View("lobby", room.numbered, room.local)
    assert room.shelf.index.rows(view, rule, ask) == [1, 2, 3]
    assert asked == [3, 3]
    assert room.is_one_index()
