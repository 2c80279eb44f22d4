"""Attachments beside prunes, packers and kills: they are kept as commits are. Proves section 7.4."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from gitchat.model.attachment import File
from gitchat.model.names import Oid
from gitchat.model.query import Query
from gitchat.model.record import Draft
from gitchat.storage import git, packing
from gitchat.storage.backend import Backend
from gitchat.storage.store import Store
from tests.contract import repositories
from tests.crash.test_kills import assert_clean, die
from tests.crash.writers import fork, identity, records, room_of, say, wait_for, writer_of
from tests.world import World, open_store

KINDS = ["plain", "worktree", "sha256"]
FILES = (File("a.bin", bytes(range(256))), File("b.txt", b"b"))


def attach(store: Store, text: str = "look", files: tuple[File, ...] = FILES) -> None:
    """Send one message with two files: a commit, two blobs, two trees."""
    writer_of(store).send(Draft(body=text, files=files), identity("writer"))


def contents(common_dir: Path) -> list[bytes]:
    """The content of every attachment of the room, oldest first."""
    store = open_store(common_dir)
    carried = [store.attachments(entry.tree) for entry in records(common_dir) if entry.tree is not None]
    return [store.read_blob(one.oid) for attachments in carried for one in attachments]


def journaled(common_dir: Path) -> list[Oid]:
    """What our journal has, oldest first."""
    journal = open_store(common_dir)._journal
    assert journal is not None
    return [saved.oid for saved in journal.entries()]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_prune_took_is_written_again(world: World, kind: str) -> None:
    """Blobs and trees as well as commits, by whoever looks next; fsck and gc are content."""
    common_dir = repositories.make(kind, world)
    attach(open_store(common_dir))
    oids = journaled(common_dir)
    assert len(oids) == 6  # and the genesis
    for oid in oids:
        packing.loose_path(common_dir, oid).unlink()
    assert contents(common_dir) == [file.content for file in FILES]
    assert_clean(world, common_dir)
    world.git("gc", "-q", "--prune=now", cwd=common_dir)


@pytest.mark.parametrize("number", range(6))
def test_one_lost_object_is_missed_and_written_again(world: World, number: int) -> None:
    """A store that looked a moment ago still finds it when it reads."""
    common_dir = world.repository() / ".git"
    attach(open_store(common_dir))
    store = open_store(common_dir)
    store.heal()
    packing.loose_path(common_dir, journaled(common_dir)[number]).unlink()
    (entry,) = room_of(store).listing(Query()).entries
    assert [one.size_bytes for one in entry.attachments] == [256, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_packing_takes_attachments_along(world: World, kind: str) -> None:
    """All that a message is made of leaves the journal for the pack, and is read from there."""
    common_dir = repositories.make(kind, world)
    attach(open_store(common_dir))
    oids = journaled(common_dir)
    assert open_store(common_dir).pack(git.scrub(world.variables)) == len(oids) == 6
    assert journaled(common_dir) == []
    assert not any(packing.is_loose(common_dir, oid) for oid in oids)
    assert contents(common_dir) == [file.content for file in FILES]
    assert_clean(world, common_dir)


class MortalBackend:
    """A backend whose process is killed after so many writes."""

    def __init__(self, backend: Backend, writes: int) -> None:
        self._backend = backend
        self._writes = writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def write_object(self, kind: str, content: bytes) -> Oid:
        """Write, or die."""
        if self._writes == 0:
            die()
        self._writes -= 1
        return self._backend.write_object(kind, content)  # type: ignore[arg-type]


@pytest.mark.parametrize("writes", range(7))
def test_a_kill_between_the_objects_of_a_message_leaves_no_half_of_it(world: World, writes: int) -> None:
    """The ref moves last: nothing was sent, fsck is clean, and the next send has the next number."""
    common_dir = world.repository() / ".git"
    say(open_store(common_dir), "before")

    def write_and_die() -> None:
        store = open_store(common_dir)
        store.backend = MortalBackend(store.backend, writes)  # type: ignore[assignment]
        attach(store)

    assert wait_for([fork(write_and_die)]) == [-signal.SIGKILL]
    assert [entry.record.body for entry in records(common_dir)] == ["before"]
    attach(open_store(common_dir), "after")
    assert [(entry.number, entry.record.body) for entry in records(common_dir)] == [(1, "before"), (2, "after")]
    assert contents(common_dir) == [file.content for file in FILES]
    assert_clean(world, common_dir)


def packers_started(common_dir: Path, messages: int) -> int:
    """How many packers so many messages with two new files of 300 bytes each start."""
    started: list[int] = []
    backend = open_store(common_dir, fsync=False).backend
    store = Store(backend, common_dir / "chatroom", maintain=lambda: started.append(1))
    for turn in range(messages):
        attach(store, files=(File("a", b"%300d" % turn), File("b", b"%-300d" % turn)))
    return len(started)


def test_messages_of_many_objects_start_the_packer_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever steps the count of objects goes in, it starts one packer in so many objects."""
    monkeypatch.setattr("gitchat.storage.written.PACK_OBJECTS", 20)
    monkeypatch.setattr("gitchat.storage.written.PACK_RETRY", 10)
    monkeypatch.setattr("gitchat.storage.written.PACK_AGAIN_SECONDS", 0.0)
    # Five objects each, after the genesis: the marks at 20, 30 and 40 are passed at 21, 31 and 41.
    assert packers_started(world.repository() / ".git", 8) == 3


def test_large_attachments_start_the_packer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command reads the journal, so bytes count as well as objects."""
    monkeypatch.setattr("gitchat.storage.written.PACK_BYTES", 2000)
    monkeypatch.setattr("gitchat.storage.written.PACK_AGAIN_SECONDS", 0.0)
    assert packers_started(world.repository() / ".git", 8) >= 4
