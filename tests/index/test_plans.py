"""How SQLite looks rows up: no question goes through a table, and no index is kept up that no question asks."""

from __future__ import annotations

import inspect
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from gitchat.index import condition, opening
from gitchat.index.arrivals import arrived
from gitchat.index.chain import Chain
from gitchat.index.condition import ANY, Condition
from gitchat.index.database import Index
from gitchat.model.names import Oid, Uid, uid_from_random
from gitchat.quick import known
from gitchat.quick.place import Place
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line
from tests.shelf import Shelf
from tests.world import World

ASKED = uid_from_random(b"0123456789")
COMMIT = "c" * 40

CONDITIONS: dict[str, Callable[[], Condition]] = {
    "of_kinds": lambda: condition.of_kinds(["status"]),
    "of_claims": condition.of_claims,
    "statuses_for_nobody": condition.statuses_for_nobody,
    "of_type": lambda: condition.of_type("note"),
    "about_file": lambda: condition.about_file(["a.py"], "src"),
    "about_commits": lambda: condition.about_commits([COMMIT]),
    "answering": lambda: condition.answering([ASKED]),
    "with_oid": lambda: condition.with_oid(Oid("a" * 40)),
    "authored_by": lambda: condition.authored_by("alice"),
    "narrowed": lambda: condition.narrowed("alice", "note"),
    "unanswered": condition.unanswered,
    "spoken_in": lambda: Condition.all_of([condition.authored_by("alice"), condition.spoken_in([ASKED])]),
    "signed_by": lambda: condition.signed_by(["a@example.com"]),
    "among": lambda: condition.among([Oid("a" * 40)]),
    "addressed_to": lambda: condition.addressed_to("bob"),
    "visible_to": lambda: condition.visible_to(["bob", "role:r"], "bob"),
    "without": lambda: condition.without(ANY, condition.authored_by("bob"), None),
    "urgent_of": lambda: condition.urgent_of(condition.visible_to(["bob"], "bob")),
}
"""One for each function that makes one."""

WALKS = {"addressed_to", "among", "signed_by", "urgent_of", "visible_to", "without"}
"""Of these it is told by a look at each record between two numbers, or at each urgent one."""


class Noted(opening.Connection):
    """Notes what is asked, and with which values."""

    asked: dict[str, object]

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        self.asked[sql] = values
        return super().execute(sql, values)

    def executemany(self, sql: str, values: Iterable[Any]) -> sqlite3.Cursor:
        rows = list(values)
        if rows:
            self.asked[sql] = rows[0]
        return super().executemany(sql, rows)


def filled(shelf: Shelf, index: Index, monkeypatch: pytest.MonkeyPatch) -> tuple[Oid, Oid]:
    """A room that was taken in by each way that there is, and what is pending behind its end."""
    tip = shelf.genesis()
    for number in range(30):
        extra = [("Chat-Type", "question")] if number == 7 else [("Chat-Reply", ASKED)] if number % 5 == 0 else []
        tip = shelf.commit(tip, uid=ASKED if number == 7 else uid_from_random(os.urandom(10)), extra=tuple(extra))
    monkeypatch.setattr("gitchat.index.building.SHORT", 5)
    monkeypatch.setattr("gitchat.index.building.MINUTES", 20)
    index.chain("lobby", tip, rule)  # apart
    for _ in range(8):
        tip = shelf.commit(tip, uid=uid_from_random(os.urandom(10)), extra=(("Chat-At", "src/a.py"),))
    index.chain("lobby", tip, rule)  # by line
    for kind in ("message", "status", "claim", "redact"):
        tip = shelf.commit(tip, kind=kind, uid=uid_from_random(os.urandom(10)), extra=(("Chat-Reply", ASKED),))
    index.chain("lobby", tip, rule)  # few
    tip = shelf.commit(tip, shelf.commit(tip, uid=uid_from_random(os.urandom(10))), kind="merge")
    index.chain("lobby", tip, rule)  # one by one
    local = shelf.commit(tip, uid=uid_from_random(os.urandom(10)), extra=(("Chat-Reply", ASKED),))
    index.chain("lobby", tip, rule, local)
    before, tip = tip, shelf.commit(tip, uid=uid_from_random(os.urandom(10)))
    index.chain("lobby", tip, rule, shelf.commit(local, uid=uid_from_random(os.urandom(10))))
    assert index.chain("lobby", before, rule, local).select(), "overtaken"
    return tip, local


def ask_everything(chain: Chain, index: Index) -> None:
    """Every question of a chain, and of the index beside."""
    oids = [place.oid for place in chain.select()]
    for one in (ANY, *(make() for make in CONDITIONS.values())):
        chain.count_of(one), chain.search("text", one, 3), chain.search("text", one, None)
    chain.count_without(["status", "meta"]), chain.oid_of(3), chain.upto(oids[2]), chain.commit_upto(3)
    chain.is_plain(), chain.rows_of(oids), chain.copies(oids), chain.redactions([ASKED]), chain.with_uid("a")
    chain.thread(Uid(ASKED)), chain.numbered([ASKED]), chain.anchored(), chain.newest_by_author()
    chain.voices("alice"), chain.taken(oids[0], index._read), chain.last_voices("alice", 0)
    index.has("lobby", oids[0]), index.told(oids[0])
    arrived(index._opened(), 0, None, 3)


def ask_quickly(shelf: Shelf, oid: Oid, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the quick way asks."""
    really, place = known._asked, Place.__new__(Place)

    def noted(place: Place, sql: str, *values: str | int | bytes) -> list[object]:
        Noted.asked[sql] = values
        return really(place, sql, *values)

    monkeypatch.setattr(known, "_asked", noted)
    place.common_dir = str(shelf.store.common_dir)
    here = known.Known(place, "lobby", "bob", "email != ?", "b@example.com")
    assert here.reaching(["bob"], 0, 5, 3)[1] == 5
    here.number_of(oid), here.has_claims(60)
    known.with_uid(place, "lobby", ASKED), known.known_voices(place, "lobby", "alice")
    here.refuse_other(known.Rest(place, "lobby").count)
    ask_rest(place, oid, monkeypatch)


def ask_rest(place: Place, oid: Oid, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the screen of status asks of the records that were read before."""
    really = known.Rest._asked

    def noted(rest: known.Rest, sql: str, *values: str | int | bytes) -> list[object]:
        Noted.asked[sql] = values
        return really(rest, sql, *values)

    monkeypatch.setattr(known.Rest, "_asked", noted)
    rest = known.Rest(place, "lobby")
    rest.refuse_pending(3), rest.speaks("bob", "email != ?", "b@example.com"), rest.number_of(oid)
    rest.unlisted(3), rest.messages(0, 3), rest.unread("bob", ["bob"], 0, 3), rest.urgent("bob", ["bob"], 0, 3)
    rest.questions("bob", ["bob"], 3), rest.newest(3, 5), rest.of_claims(0, 5), rest.of_conflicts(0, 5)
    rest.redacted_by(ASKED, 1)
    rest.close()


@pytest.fixture
def room(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Chain, Index]]:
    """A room with all that the index knows of, and a note of what was asked to take it in."""
    Noted.asked = {}
    monkeypatch.setattr("gitchat.index.opening.Connection", Noted)
    shelf = Shelf(world)
    line = Line(shelf.store.common_dir, git.scrub(os.environ))
    index = Index(shelf.store.directory, shelf.store.read, lambda count: None, line, shelf.store.raw_commit)
    tip, local = filled(shelf, index, monkeypatch)
    ask_quickly(shelf, tip, monkeypatch)
    yield index.chain("lobby", tip, rule, local), index
    index.close()


def plans_of(index: Index) -> dict[str, list[str]]:
    """How SQLite looks up what was asked, each statement's steps."""
    database = sqlite3.connect(index._path or "")
    is_plain = re.compile(r"(SELECT|WITH|UPDATE|DELETE|INSERT)\b").match
    try:
        return {
            sql: [str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in Noted.asked.items()
            if is_plain(sql)
        }
    finally:
        database.close()


WHOLE = re.compile(r"SCAN (entry|asked|reply|tally|word|anchor|voice)\b|\(chain=\?\)|\(chain=\? AND (number|uid)>\?\)")
"""A step that goes through a table, or through all that a chain has in an index."""

FEW = re.compile("entry_(pending|side|repeated|open) |word_1|SCAN asked USING INDEX entry_open")
"""Or through one in which few are."""


def test_no_question_goes_through_a_table_or_a_room(room: tuple[Chain, Index]) -> None:
    """What is asked is looked up by a key, or is between two numbers, or among few that have an index of their own."""
    ask_everything(*room)
    for sql, plan in plans_of(room[1]).items():
        is_for_marks = sql.startswith("SELECT uid, author FROM entry WHERE chain = (")  # of one that is being built
        is_the_least = "SELECT min(author)" in sql
        through = [step for step in plan if WHOLE.search(step) and not FEW.search(step)]
        assert not through or is_for_marks or is_the_least, (through, sql)


def test_what_is_rare_is_looked_up(room: tuple[Chain, Index]) -> None:
    """Selected and counted by a key of its own: not by a look at every record of a room."""
    for name in sorted(CONDITIONS.keys() - WALKS):
        Noted.asked.clear()
        chain, one = room[0], CONDITIONS[name]()
        chain.select(one, limit=3), chain.select(one, newest=True, after=2), chain.count_of(one)
        plans = [plan for sql, plan in plans_of(room[1]).items() if "entry" in sql]
        assert len(plans) >= 3
        assert not [step for plan in plans for step in plan if "entry_number" in step], name


def test_each_index_is_asked(room: tuple[Chain, Index]) -> None:
    """None is kept up, at each record that is taken in, that no question is answered by."""
    ask_everything(*room)
    for make in CONDITIONS.values():
        room[0].select(make())
    used = {name for plan in plans_of(room[1]).values() for step in plan for name in re.findall(r"INDEX (\w+)", step)}
    database = sqlite3.connect(room[1]._path or "")
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    database.close()
    assert there
    assert there - used == set()


def test_all_questions_are_looked_at_here(room: tuple[Chain, Index], monkeypatch: pytest.MonkeyPatch) -> None:
    """A new question of a chain, and a new condition, has to come into the lists above."""
    asked = set()

    def noted(name: str, really: Callable[..., object]) -> Callable[..., object]:
        return lambda *given, **named: (asked.add(name), really(*given, **named))[1]

    questions = {name for name, _ in inspect.getmembers(Chain, inspect.isfunction) if not name.startswith("_")}
    for name in questions:
        monkeypatch.setattr(Chain, name, noted(name, getattr(Chain, name)))
    ask_everything(*room)
    assert asked == questions
    made = {
        name
        for name, one in inspect.getmembers(condition, inspect.isfunction)
        if one.__module__ == condition.__name__ and not name.startswith("_") and name != "blob_of"
    }
    assert CONDITIONS.keys() == made
