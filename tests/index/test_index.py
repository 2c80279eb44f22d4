"""The index: it says what the order rule says, whatever happens to its file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.index.condition import (
    LISTED,
    Condition,
    about_commits,
    about_file,
    of_type,
    statuses_for_nobody,
    visible_to,
)
from gitchat.index.database import Index
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Draft, Identity
from gitchat.rooms.numbering import Numbering, rule
from tests.shelf import Shelf, branched
from tests.world import World, open_log, open_store, open_writer


@pytest.fixture
def shelf(world: World) -> Shelf:
    """An empty log and its index."""
    return Shelf(world)


def test_numbers_are_those_of_the_order_rule_however_it_catches_up(shelf: Shelf) -> None:
    """Tip by tip, at once, and seen from an older tip, the index numbers as format.md section 5 says."""
    tips = branched(shelf)
    for tip in tips:
        assert shelf.told(tip) == shelf.truth(tip)
    for tip in tips:
        assert shelf.told(tip) == shelf.truth(tip), "an older tip, asked of an index that is further"
    other = Index(shelf.store.directory / "elsewhere", shelf.store.read, lambda count: None)
    assert shelf.told(tips[-1], other) == shelf.truth(tips[-1])


def test_commit_on_the_first_parent_chain_reaches_exactly_the_first_records(shelf: Shelf) -> None:
    """``upto`` of every such commit is the length of its own order, and only such commits have one."""
    tips = branched(shelf)
    chain = shelf.chain(tips[-1])
    here: Oid | None = tips[-1]
    main = set()
    while here is not None:
        main.add(here)
        assert chain.upto(here) == len(shelf.truth(here))
        here = next(iter(shelf.store.read(here).parents), None)
    assert all((chain.upto(oid) is not None) == (oid in main) for oid in shelf.truth(tips[-1]))


def test_a_long_log_with_merges_is_counted_by_the_index(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worked out in memory is bounded, and what the index says of it is the same."""
    tips = [shelf.commit(branched(shelf)[-1], kind="meta", extra=(("Chat-State", "closed"),))]
    tips.append(shelf.commit(tips[-1], kind="meta", extra=(("Chat-Title", "Plans"), ("Chat-State", "open"))))
    numbering = Numbering(shelf.store, RoomName("lobby"), index=lambda: shelf.index, tracking=lambda: None)
    in_memory = [numbering.survey(tip) for tip in tips]
    assert [position.is_closed for position, _ in in_memory] == [True, False]
    monkeypatch.setattr("gitchat.rooms.numbering.MOST_IN_MEMORY", 4)
    monkeypatch.setattr("gitchat.model.order.drop_repeated", lambda *_: pytest.fail("it is kept in memory"))
    assert [numbering.survey(tip) for tip in tips] == in_memory


def test_what_is_known_is_not_read_again(shelf: Shelf) -> None:
    """A catch-up reads each new commit once, and nothing at all when there is none."""
    tip = shelf.commit(shelf.genesis())
    shelf.chain(tip)
    for _ in range(20):
        tip = shelf.commit(tip)
    shelf.reads = 0
    shelf.chain(tip)
    assert shelf.reads == 20
    shelf.chain(tip, shelf.reopen())
    assert shelf.reads == 20


def test_log_in_another_order_makes_it_build_anew(shelf: Shelf) -> None:
    """A tip whose first-parent chain leaves out the old one changes numbers, and the index follows."""
    line = shelf.commit(shelf.genesis())
    ours, theirs = shelf.commit(line), shelf.commit(line, author="bob")
    for tip in (shelf.commit(ours, theirs, kind="merge"), shelf.commit(theirs, ours, kind="merge")):
        assert shelf.told(tip) == shelf.truth(tip)


def _truncate(path: Path) -> None:
    os.truncate(path, 5000)


def _fill(path: Path) -> None:
    path.write_bytes(b"\xff" * 20_000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _wrong_version(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def _without_tables(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE entry")
    database.close()


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [_truncate, _fill, _empty, _wrong_version, _without_tables, _directory, Path.unlink])
def test_damaged_file_is_built_anew(shelf: Shelf, damage: Callable[[Path], None]) -> None:
    """Whatever happened to the file: the next reader gives the right numbers, and goes on to."""
    tips = branched(shelf)
    shelf.chain(tips[2])
    shelf.index.close()
    [path] = shelf.store.directory.glob("index.*.db")
    for leftover in shelf.store.directory.glob("index.*.db-*"):
        leftover.unlink()
    damage(path)
    for tip in tips[2:]:
        assert shelf.told(tip, shelf.reopen()) == shelf.truth(tip)


def test_damage_under_an_open_index_is_survived(shelf: Shelf) -> None:
    """A file that goes bad while it is open is left behind for a new one."""
    tips = branched(shelf)
    shelf.chain(tips[-1])
    for path in shelf.store.directory.glob("index.*.db*"):
        path.write_bytes(b"\0" * path.stat().st_size)
    fresh = shelf.reopen()
    assert shelf.told(tips[-1], fresh) == shelf.truth(tips[-1])
    assert shelf.told(tips[-1]) == shelf.truth(tips[-1])


def test_place_that_cannot_be_written_gives_an_index_in_memory(shelf: Shelf, tmp_path: Path) -> None:
    """Where no file can be made the answers are the same."""
    tips = branched(shelf)
    nowhere = tmp_path / "file"
    nowhere.write_text("no directory")
    index = Index(nowhere / "chatroom", shelf.store.read, lambda count: None)
    assert shelf.told(tips[-1], index) == shelf.truth(tips[-1])
    assert shelf.told(tips[0], index) == shelf.truth(tips[0])


def test_two_processes_take_in_the_same_log(shelf: Shelf) -> None:
    """Readers that catch up at once do not disturb each other."""
    tip = shelf.genesis()
    tips = [tip := shelf.commit(tip) for _ in range(60)]
    shelf.index.close()
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                index = shelf.reopen()
                status = int(any(len(shelf.told(each, index)) != place for place, each in enumerate(tips, 1)))
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    assert len(list(shelf.store.directory.glob("index.*.db"))) == 1


def test_visibility_is_who_is_addressed(world: World) -> None:
    """Messages to all, to a name, to a role; a status, claim or release only by name; never meta records."""
    store = open_store(world.repository() / ".git")
    log, writer = open_log(store), open_writer(store)
    alice = Identity(Name("alice"), "a@example.com", "Alice", "a@example.com", "agent")
    for draft in (
        Draft(body="1 all"),
        Draft(body="2 bob", to=("bob",)),
        Draft(body="3 bobby", to=("bobby",)),
        Draft(body="4 role", to=("role:review", "carol")),
        Draft(body="5 status", kind="status"),
        Draft(body="6 status for bob", kind="status", to=("bob",)),
        Draft(body="7 meta", kind="meta"),
        Draft(body="8 claim", kind="claim"),
        Draft(body="9 claim for bob", kind="claim", to=("bob",)),
        Draft(body="10 release", kind="release"),
        Draft(body="11 of a kind that nobody knows", kind="poll"),
    ):
        writer.send(draft, alice)
    chain = log.chain()

    def numbers(condition: Condition) -> list[int]:
        return [place.number for place in chain.select(condition)]

    assert numbers(visible_to(["bob"])) == [1, 2, 6, 9, 11]
    assert numbers(visible_to(["bob", "role:review"])) == [1, 2, 4, 6, 9, 11]
    assert numbers(visible_to(["dora"])) == [1, 11]
    assert numbers(visible_to(["dora"], with_status=True)) == [1, 5, 8, 10, 11]
    assert numbers(visible_to([])) == [1, 11]
    assert numbers(visible_to(["bob"], own="alice")) == []
    assert numbers(LISTED) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert numbers(statuses_for_nobody()) == [5]
    assert chain.count_of(visible_to(["bob"]), after=1) == 4
    assert [place.number for place in chain.select(limit=2)] == [1, 2]
    assert [place.number for place in chain.select(limit=2, newest=True)] == [10, 11]


ANCHORED: list[tuple[Condition, Callable[[Draft], bool]]] = [
    (about_file(["a.py"]), lambda draft: ("Chat-At", "a.py:1-2") in draft.extra),
    (about_file(["a.py", "src/b.py"]), lambda draft: bool(draft.extra) and "d/" not in str(draft.extra)),
    (about_file([], below="src"), lambda draft: "src/b.py" in str(draft.extra)),
    (about_file([], below="."), lambda draft: bool(draft.extra)),
    (about_file(["none"]), lambda draft: False),
    (about_commits(["a" * 40, "b" * 40]), lambda draft: draft.commit == "a" * 40),
    (Condition.all_of([about_file(["a.py"]), of_type("question")]), lambda draft: False),
]


@pytest.mark.parametrize("place", range(len(ANCHORED)))
def test_what_is_about_a_file_or_a_commit_is_found_without_a_look_at_others(world: World, place: int) -> None:
    """Selected, counted and after a number as a look at each would have it; and SQLite goes through no numbers."""
    condition, holds = ANCHORED[place]
    store = open_store(world.repository() / ".git")
    writer, me = open_writer(store), Identity(Name("ann"), "", "ann", "ann@example.com", "human")
    trailers = [
        (),
        (("Chat-At", "a.py:1-2"),),
        (),
        (("Chat-At", "src/b.py"), ("Chat-At", "src/b.py:1-1")),
        (("Chat-At", "d/c"),),
    ]
    drafts = [
        Draft(body="x", extra=trailers[number % 5], commit="a" * 40 if number % 3 == 0 else None)
        for number in range(30)
    ]
    for draft in drafts:
        writer.send(draft, me)
    expected = [number for number, draft in enumerate(drafts, 1) if holds(draft)]
    index = Index(store.directory, store.read, lambda count: None)
    chain = open_log(store).chain()
    assert [one.number for one in chain.select(condition)] == expected
    assert [one.number for one in chain.select(condition, limit=2, newest=True)] == expected[-2:]
    assert [one.number for one in chain.select(condition, after=9)] == [one for one in expected if one > 9]
    assert chain.count_of(condition, after=9) == len([one for one in expected if one > 9])
    assert chain.anchored() == ["a.py", "d/c", "src/b.py"]
    database, asked = index._opened(), list[str]()
    database.set_trace_callback(asked.append)
    looked = index.chain("lobby", chain.tip, chain._rule)
    looked.select(condition)
    looked.count_of(condition)
    database.set_trace_callback(None)
    plans = [database.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in asked if "few" in sql]
    steps = [row[3] for plan in plans for row in plan]
    assert len(plans) == 2
    assert not [one for one in steps if "entry_number" in one or one.startswith("SCAN entry")]


def test_another_file_of_the_same_name_is_not_taken_for_the_own(shelf: Shelf) -> None:
    """A repository that was deleted and made again while a process of ours was at work in it."""
    old = shelf.commit(shelf.genesis(), author="alice")
    assert shelf.index.chain("lobby", old, rule).count == 1
    (path,) = shelf.store.directory.glob("index.*.db")
    for file in shelf.store.directory.glob("index.*"):
        file.rename(shelf.store.directory / f"old-{file.name}")
    new = shelf.commit(shelf.genesis(), author="bob")
    other = shelf.reopen()
    assert other.chain("lobby", new, rule).count == 1
    assert shelf.index.chain("lobby", new, rule).count == 1
    assert [one.name for one in shelf.store.directory.glob("index.*.db")] == [path.name], "it was built anew"
