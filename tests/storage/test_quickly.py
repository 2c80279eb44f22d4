"""How positions move: by the quick way where all is plain, and otherwise as every ref."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.model.errors import ConflictError
from gitchat.model.names import Name, Oid, RefName
from gitchat.model.refs import cursor_ref, log_ref, seat_ref, summaries_ref
from gitchat.storage import gate
from gitchat.storage.store import Store
from tests.crash.writers import ROOM, say
from tests.world import World, open_store

BOB = Name("bob")
CURSOR = cursor_ref(ROOM, BOB)


class Moved:
    """A store in a repository with two records, and what libgit2 is told to move there."""

    def __init__(self, common_dir: Path, monkeypatch: pytest.MonkeyPatch, *, fsync: bool = False) -> None:
        first = open_store(common_dir, fsync=False)
        self.old, self.new = say(first, "1").entry.oid, say(first, "2").entry.oid
        opened = open_store(common_dir, fsync=fsync)
        self.store = Store(opened.backend, common_dir / "chatroom", wait_seconds=0.05)
        self.store.is_settled = True
        self.told: list[RefName] = []
        swap = self.store.backend.swap_ref

        def counted(ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None) -> None:
            self.told.append(ref)
            swap(ref, old, new, reason, lease=lease)

        monkeypatch.setattr(self.store.backend, "swap_ref", counted)

    def move(self, ref: RefName) -> None:
        """From the first record to the second."""
        self.store.point(ref, self.old, "begin")
        self.told.clear()
        self.store.point(ref, self.new, "go on")
        assert self.store.tip(ref) == self.new


@pytest.mark.parametrize("fsync", [False, True])
def test_positions_move_quickly_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch, fsync: bool) -> None:
    """A cursor and a seat need no libgit2; of what is acknowledged the name is synced, too, and the log is one."""
    moved = Moved(world.repository() / ".git", monkeypatch, fsync=fsync)
    for ref in (CURSOR, seat_ref(ROOM, BOB)):
        moved.move(ref)
        assert moved.told == []
    moved.move(summaries_ref(ROOM))
    assert moved.told == [summaries_ref(ROOM)]
    assert gate.Intent.decode((moved.store.directory / "write.lock").read_bytes()) is None
    assert world.git("fsck", "--strict", cwd=moved.store.common_dir).returncode == 0


def test_a_position_that_git_has_locked_or_packed_moves_the_long_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who meets a living lock waits for it and says so; a packed ref moves, and is loose then."""
    moved = Moved(world.repository() / ".git", monkeypatch)
    moved.move(CURSOR)
    lock = moved.store.common_dir / f"{CURSOR}.lock"
    lock.write_bytes(b"")
    with pytest.raises(ConflictError, match="has held"):
        moved.store.point(CURSOR, moved.old, "no")
    assert moved.store.tip(CURSOR) == moved.new
    lock.unlink()
    world.git("pack-refs", "--all", cwd=moved.store.common_dir)
    moved.store.point(CURSOR, moved.old, "back")
    assert moved.store.tip(CURSOR) == moved.old
    assert (moved.store.common_dir / CURSOR).exists()
    assert moved.store.tip(log_ref(ROOM)) == moved.new


def test_who_moved_a_position_meanwhile_is_built_upon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is compared under git's own lock, so that a foreign move is met, and asked again what follows it."""
    moved = Moved(world.repository() / ".git", monkeypatch)
    moved.store.point(CURSOR, moved.old, "begin")
    third = say(open_store(moved.store.common_dir, fsync=False), "3").entry.oid
    seen: list[Oid | None] = []

    def build(old: Oid | None) -> Oid:
        if not seen:
            world.git("update-ref", CURSOR, moved.new, cwd=moved.store.common_dir)
        seen.append(old)
        return third

    assert moved.store.move(CURSOR, build, "go on") == third
    assert seen == [moved.old, moved.new]
    assert moved.store.tip(CURSOR) == third


STEPS_ASIDE: dict[str, Callable[[World, Moved], object]] = {
    "it moved": lambda world, moved: world.git("update-ref", CURSOR, moved.new, cwd=moved.store.common_dir),
    "git has locked it": lambda world, moved: (moved.store.common_dir / f"{CURSOR}.lock").write_bytes(b""),
    "it is packed": lambda world, moved: world.git("pack-refs", "--all", cwd=moved.store.common_dir),
    "somebody died": lambda world, moved: (moved.store.directory / "write.lock").write_bytes(
        f"{log_ref(ROOM)} {moved.new} 1\n".encode()
    ),
    "nobody ever wrote": lambda world, moved: (moved.store.directory / "write.lock").unlink(),
}
"""What is for the long way."""


@pytest.mark.parametrize("what", [None, *STEPS_ASIDE])
def test_a_position_is_shifted_or_stays(world: World, monkeypatch: pytest.MonkeyPatch, what: str | None) -> None:
    """In few calls where all is plain; else it stays, and the long way finds all in order."""
    moved = Moved(world.repository() / ".git", monkeypatch)
    moved.store.point(CURSOR, moved.old, "begin")
    moved.told.clear()
    if what is not None:
        STEPS_ASIDE[what](world, moved)
    before = moved.store.tip(CURSOR)
    assert moved.store.shift(CURSOR, moved.old, moved.new) is (what is None)
    assert moved.store.tip(CURSOR) == (moved.new if what is None else before)
    assert moved.told == []
    if what == "git has locked it":
        (moved.store.common_dir / f"{CURSOR}.lock").unlink()
    moved.store.point(CURSOR, moved.new, "go on")
    assert moved.store.tip(CURSOR) == moved.new
    moved.store.point(CURSOR, moved.old, "and back")
    assert (moved.store.directory / "write.lock").read_bytes() == b""


def test_who_writes_has_the_turn_before_a_position_is_shifted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits at the same lock as every writer, and no longer than that."""
    moved = Moved(world.repository() / ".git", monkeypatch)
    moved.store.point(CURSOR, moved.old, "begin")
    with gate.hold(moved.store.directory):
        assert not moved.store.shift(CURSOR, moved.old, moved.new)
    assert moved.store.tip(CURSOR) == moved.old
    assert moved.store.shift(CURSOR, moved.old, moved.new)
