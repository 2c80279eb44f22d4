"""A room that gets another name: nothing acknowledged is lost, wherever its process is killed."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.model.record import Draft
from gitchat.model.refs import cursor_ref, log_ref, room_prefix, seat_ref
from gitchat.rooms import leaving
from gitchat.storage.store import Store
from tests.crash.writers import be_killed_at_call, fork, identity, records, say, wait_for, writer_of
from tests.world import World, open_store

OLD, NEW = RoomName("lobbby"), RoomName("plans")
ALICE = Name("alice")


@pytest.fixture
def begun(world: World) -> Path:
    """A repository with a room of three records, read up to the second, by a seat as well."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir)
    for text in ("one", "two", "three"):
        say(store, text, room=OLD)
        if text == "two":
            tip = store.room_tip(OLD)
            assert tip is not None
            store.point(cursor_ref(OLD, ALICE), tip, "test")
            store.point(seat_ref(OLD, ALICE), tip, "test")
    return common_dir


def bodies(common_dir: Path, room: RoomName) -> list[tuple[int | None, str]]:
    """The numbers and texts of a room's records."""
    return [(entry.number, entry.record.body) for entry in records(common_dir, room)]


THREE = [(1, "one"), (2, "two"), (3, "three")]


def assert_moved(common_dir: Path) -> None:
    """The room has the new name alone: its records, numbers and uids, and the positions where they were."""
    store = open_store(common_dir)
    assert store.rooms() == [NEW]
    assert bodies(common_dir, NEW)[:3] == THREE
    second = records(common_dir, NEW)[1]
    assert store.tip(cursor_ref(NEW, ALICE)) == store.tip(seat_ref(NEW, ALICE)) == second.oid
    assert store.backend.list_refs(room_prefix(OLD)) == []
    assert store.tip(seat_ref(OLD, ALICE)) is None
    assert not store.is_lost(OLD)


def test_a_room_goes_with_all_that_is_known_of_it(world: World, begun: Path) -> None:
    """Under the new name and its own genesis; the old name is free, and begins anew with number 1."""
    uids = [entry.record.uid for entry in records(begun, OLD)]
    store = open_store(begun)
    leaving.rename(store, OLD, NEW)
    assert_moved(begun)
    assert [entry.record.uid for entry in records(begun, NEW)] == uids
    root = world.git("rev-list", "--max-parents=0", log_ref(NEW), cwd=begun).stdout.strip()
    assert "Chat-Room: plans" in world.git("cat-file", "commit", root, cwd=begun).stdout
    assert say(open_store(begun), "again", room=OLD).entry.number == 1
    assert say(open_store(begun), "four", room=NEW).entry.number == 4
    assert world.git("fsck", "--strict", cwd=begun).returncode == 0


def test_another_room_of_that_name_stays_as_it_is(begun: Path) -> None:
    """Its log and its cursors, and so does the room that should have got the name."""
    store = open_store(begun)
    say(store, "mine", room=NEW)
    before = store.tips()
    with pytest.raises(Exception, match="there is a room 'plans' already"):
        leaving.rename(store, OLD, NEW)
    assert open_store(begun).tips() == before


def test_a_record_that_comes_meanwhile_comes_along(begun: Path) -> None:
    """Between the positions and the log somebody else writes: it stands in the new room, or begins the old one anew."""

    class Late(Store):
        """In which somebody speaks just before the log is handed over."""

        def forget_positions(self, room: RoomName) -> None:
            super().forget_positions(room)
            writer_of(open_store(begun), room).send(Draft(body="late"), identity("writer"))

    plain = open_store(begun)
    leaving.rename(Late(plain.backend, plain.directory), OLD, NEW)
    assert bodies(begun, NEW) == [*THREE, (4, "late")]
    assert open_store(begun).rooms() == [NEW]


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.soak)])
def test_a_kill_at_any_call_loses_nothing(world: World, begun: Path, step: int) -> None:
    """One of the two names has all records with their numbers, and the same command once more brings it to its end."""
    for turn in range(1, 1000, step):
        common_dir = world.root / f"turn-{turn}"
        shutil.copytree(begun, common_dir, symlinks=True)

        def run(common_dir: Path = common_dir, turn: int = turn) -> None:
            store = open_store(common_dir)
            be_killed_at_call(turn)
            leaving.rename(store, OLD, NEW)

        status = wait_for([fork(run)])
        rooms = open_store(common_dir).rooms()
        assert any(bodies(common_dir, room) == THREE for room in rooms), turn
        if OLD in rooms:
            leaving.rename(open_store(common_dir), OLD, NEW)
        assert_moved(common_dir)
        shutil.rmtree(common_dir)
        if status == [0]:
            break
        assert status == [-signal.SIGKILL]
    assert turn > 30
