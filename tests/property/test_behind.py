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
from tests.seeds import seeds
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
        # Of what is numbered alone an older view knows already who answered later.
        [place.oid for place in chain.select(unanswered())] if chain.local is not None else None,
        [chain.count_of(Condition("author = ?", (name,))) for name in NAMES],
        [chain.count_of(visible_to([name])) for name in NAMES],
        chain.newest_by_author(),
        [chain.upto(oid) for oid in chain.tips],
    )


@pytest.mark.parametrize("seed", seeds(1, 4, 40))
def test_a_view_that_was_overtaken_is_told_as_it_was(world: World, seed: int) -> None:
    """And nothing of the index changes for it: neither its file, nor what arrived, nor what the newest view says."""
    shelf, chance = Shelf(world), random.Random(seed)
    talk = Talk(shelf, seed)
    index = Index(shelf.store.directory, shelf.store.read, lambda count: None)
    before, numbered, views = shelf.genesis(), shelf.genesis(), list[Seen]()
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
            elif chance.random() < 0.5:  # both are joined here, of which those who looked saw one before the other
                local = shelf.commit(numbered, local, kind="merge")
                views.append((before, local))
        before = numbered
        newest = index.chain("lobby", numbered, rule, local)
        now = (told(newest), index.arrived())
        for place, view in enumerate(chance.sample(views, min(3, len(views)))):
            alone = Index(shelf.store.directory / f"alone-{turn}-{place}", shelf.store.read, lambda count: None)
            expected = told(alone.chain("lobby", view[0], rule, view[1]))
            alone.close()
            assert told(index.chain("lobby", view[0], rule, view[1])) == expected
            assert (told(newest), index.arrived()) == now
            overtaken += view[0] != numbered and view[1] is not None
    assert overtaken > 10
    assert [path.name for path in shelf.store.directory.glob("index.*.db")] == [files.after(None)], "it was built anew"


def test_an_answer_is_of_one_state_of_the_file(world: World) -> None:
    """Also when another process takes in what came between two looks at the rows."""
    shelf = Shelf(world)
    talk = Talk(shelf, 1)
    ours, theirs = (Index(shelf.store.directory, shelf.store.read, lambda count: None) for _ in range(2))
    numbered = talk.add(shelf.genesis())
    pending, later = talk.add(numbered), talk.add(talk.add(numbered))
    chain = ours.chain("lobby", numbered, rule, pending)

    def overtaken(database: sqlite3.Connection, extent: Extent) -> list[tuple[int, str]]:
        theirs.chain("lobby", later, rule, shelf.commit(later, pending, kind="merge"))
        sql = "SELECT number, lower(hex(oid)) FROM entry WHERE chain = ? AND number <= ? ORDER BY number"
        return database.execute(sql, (extent.chain, extent.total)).fetchall()

    expected = [(1, numbered), (2, pending)]
    assert ours.rows(View("lobby", numbered, pending), rule, overtaken) == expected
    assert [(place.number, place.oid) for place in chain.select()] == expected


def test_who_is_overtaken_before_it_writes_builds_no_index_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looked, and somebody had the turn to write before it: its view is told as that of who comes late."""
    shelf, really = Shelf(world), Stages.is_one
    talk, other = Talk(shelf, 1), shelf.reopen()
    numbered = talk.add(shelf.genesis())
    pending, newer = talk.add(talk.add(numbered)), talk.add(numbered)
    shelf.index.chain("lobby", numbered, rule)

    def is_one(stages: Stages, most: int) -> bool:
        monkeypatch.setattr(Stages, "is_one", really)
        other.chain("lobby", newer, rule)
        return really(stages, most)

    monkeypatch.setattr(Stages, "is_one", is_one)
    chain = shelf.index.chain("lobby", numbered, rule, pending)
    assert [(place.number, place.is_pending) for place in chain.select()] == [(1, False), (2, True), (3, True)]
    assert [path.name for path in shelf.store.directory.glob("index.*.db")] == [files.after(None)]
