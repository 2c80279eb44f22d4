"""A long log that is taken in apart: into a file that counts when it is whole. Proves docs/format.md section 7.11."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from gitchat.index import anew, building, bulk, schema
from gitchat.index.database import Index
from gitchat.index.files import VERSION
from gitchat.index.opening import opened
from gitchat.index.retiring import retire
from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Broken, Commits, Line
from gitchat.storage.store import Store
from tests.crash.writers import fork, wait_for
from tests.property.test_bulk import tables
from tests.soak.history import make_room
from tests.world import World, open_store

RECORDS = 50
STAGE = 10


@pytest.fixture
def store(world: World, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A repository with a log that counts as long."""
    monkeypatch.setattr(building, "SHORT", 3)
    monkeypatch.setattr(building, "MINUTES", 20)
    monkeypatch.setattr(bulk, "COMMITS", STAGE)
    return open_store(make_room(world, "long", RECORDS) / ".git")


def index_of(store: Store) -> Index:
    """Its index, as a process of its own has it."""
    line = Line(store.common_dir, git.scrub(os.environ))
    return Index(store.directory, store.read, lambda count: None, line)


def total(store: Store, index: Index | None = None) -> int:
    """How many records the index counts."""
    return (index or index_of(store)).chain("lobby", store.room_tip("lobby"), rule).total


def files(store: Store) -> list[str]:
    """What is there of the index, but for locks."""
    return sorted(path.name for path in store.directory.glob("index*.db*"))


def rows_in_place(store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[object, ...]]]:
    """The tables as they are where the log is taken in by the file that counts."""
    elsewhere = store.directory / "in-place"
    elsewhere.mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(building, "MINUTES", RECORDS * 2)
        line = Line(store.common_dir, git.scrub(os.environ))
        index = Index(elsewhere, store.read, lambda count: None, line)
        assert total(store, index) == RECORDS
        index.close()
    return tables(elsewhere)


@pytest.mark.parametrize("stages", [0, 1, 3, 6])
def test_who_is_killed_on_the_way_goes_on_after_its_last_stage(
    store: Store, monkeypatch: pytest.MonkeyPatch, stages: int
) -> None:
    """Also between the last of its rows and what looks them up: nothing is taken in twice, the rows are the same."""
    kept, made = bulk.take, schema.make_lookups
    taken: list[int] = []

    def work() -> None:
        def take(*given: object) -> int:
            if len(taken) == stages:
                os._exit(0)
            taken.append(1)
            return kept(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(bulk, "take", take)
        monkeypatch.setattr(schema, "make_lookups", lambda _: os._exit(0))
        total(store)

    assert wait_for([fork(work)]) == [0]
    assert anew.so_far(store.directory, "lobby") == max(0, min(stages * STAGE - 1, RECORDS))
    assert schema.make_lookups is made

    def counted(*given: object) -> int:
        taken.append(len(given[2]))  # type: ignore[arg-type]
        return kept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk, "take", counted)
    assert total(store) == RECORDS
    assert sum(taken) == RECORDS + 1 - min(stages * STAGE, RECORDS + 1)
    assert [name for name in files(store) if name.endswith(".db")] == [f"index.v{VERSION}.2.db"]
    assert tables(store.directory) == rows_in_place(store, monkeypatch)


def of_another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {-VERSION - 1}")


def no_database(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def of_another_log(path: Path) -> None:
    with closing(schema.begun(opened(path.parent, path.name, 1))) as database:
        database.execute("INSERT INTO chain VALUES (1, 'lobby', ?, 7, NULL, 7)", (b"x" * 20,))


@pytest.mark.parametrize("left", [of_another_version, no_database, of_another_log])
def test_what_is_left_of_another_one_is_not_trusted(store: Store, left: Callable[[Path], None]) -> None:
    """It is built anew, apart or in the file that counts, and nothing of the other stays."""
    store.directory.mkdir(exist_ok=True)
    left(store.directory / "indexing.db")
    assert total(store) == RECORDS
    assert total(store) == RECORDS
    assert "indexing.db" not in files(store)


def test_what_was_to_go_meanwhile_does_not_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is purged while the log is taken in: the file that has it goes, and another one is built."""
    kept, calls = bulk.take, 0

    def take(*given: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            retire(store.directory)
            assert files(store) == []
        return kept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk, "take", take)
    assert total(store) == RECORDS
    assert "indexing.db" not in files(store)
    assert total(store) == RECORDS


def test_other_rooms_are_answered_meanwhile_and_are_there_afterwards(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that counts has them until the new one does; who had it open asks that one then."""
    kept, told = bulk.take, []
    beside = index_of(store)
    short = store.step(store.step(store.room_tip("lobby") or Oid("")).parents[0]).parents[0]

    def chain_of_few(index: Index) -> int:
        monkeypatch.setattr(building, "SHORT", RECORDS * 2)
        try:
            return index.chain("plans", short, rule).total
        finally:
            monkeypatch.setattr(building, "SHORT", 3)

    def take(*given: object) -> int:
        told.append(chain_of_few(beside))
        return kept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk, "take", take)
    assert total(store) == RECORDS
    assert set(told) == {RECORDS - 2}
    assert chain_of_few(beside) == RECORDS - 2
    assert total(store, beside) == RECORDS
    assert [name for name in files(store) if name.endswith(".db")] == [f"index.v{VERSION}.2.db"]


def test_where_it_cannot_be_made_the_file_that_counts_has_to_do(store: Store) -> None:
    """Something of somebody's stands in its place."""
    store.directory.mkdir(exist_ok=True)
    (store.directory / "indexing.db").mkdir()
    assert total(store) == RECORDS
    assert [name for name in files(store) if name.startswith("index.") and name.endswith(".db")] == [
        f"index.v{VERSION}.1.db"
    ]


def test_a_damaged_log_leaves_nothing_of_it(store: Store) -> None:
    """The damage is said as ever."""
    reader = Line(store.common_dir, git.scrub(os.environ))
    with reader.commits(store.room_tip("lobby") or Oid(""), None, store.common_dir) as commits:
        damaged = Oid(commits.oids[RECORDS // 2].hex())

    def read(oid: Oid) -> codec.Commit:
        if oid == damaged:
            raise FormatError("damaged", hint="", code="damaged-object")
        return store.read(oid)

    class Torn(Line):
        def commits(self, tip: Oid, after: Oid | None, directory: Path) -> AbstractContextManager[Commits]:
            return super().commits(tip, after, directory / "nowhere")  # so git is asked for what they are

        def contents(self, oids: Sequence[bytes]) -> Iterator[bytes]:
            if bytes.fromhex(damaged) in oids:
                raise Broken
            return super().contents(oids)

    index = Index(store.directory, read, lambda count: None, Torn(store.common_dir, git.scrub(os.environ)))
    with pytest.raises(FormatError) as caught:
        total(store, index)
    assert caught.value.code == "damaged-object"
    assert "indexing.db" not in files(store)
