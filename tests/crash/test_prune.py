"""git gc and prune beside writers, and our own packing: nothing acknowledged is lost. Proves section 7.4."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.errors import FormatError, StorageError
from gitchat.model.names import Oid, RefName
from gitchat.storage import git, looks, packing, written
from gitchat.storage.store import Store
from tests.contract import repositories
from tests.crash.test_kills import assert_clean
from tests.crash.writers import ROOM, fork, records, say
from tests.world import World, open_store

KINDS = ["plain", "worktree", "sha256"]


def lose_everything_loose(common_dir: Path) -> int:
    """What a prune at the worst moment does: all our loose objects are gone."""
    lost = [entry.oid for entry in records(common_dir) if packing.is_loose(common_dir, entry.oid)]
    for oid in lost:
        packing.loose_path(common_dir, oid).unlink()
    return len(lost)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_prune_took_is_written_again(world: World, kind: str) -> None:
    """After the next look at the room every record is back, and fsck and gc are content."""
    common_dir = repositories.make(kind, world)
    store = open_store(common_dir)
    for turn in range(10):
        say(store, str(turn))
    assert lose_everything_loose(common_dir) == 10
    assert open_store(common_dir).heal() >= 10
    assert [entry.number for entry in records(common_dir)] == list(range(1, 11))
    assert_clean(world, common_dir)
    world.git("gc", "-q", "--prune=now", cwd=common_dir)


def test_without_the_journal_a_prune_loses_records(world: World) -> None:
    """The test above can fail."""
    common_dir = world.repository() / ".git"
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", has_journal=False)
    say(store, "lost")
    assert lose_everything_loose(common_dir) == 1
    assert open_store(common_dir).heal() == 0
    assert world.git("fsck", cwd=common_dir, check=False).returncode != 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_that_is_pruned_before_its_ref_moves_is_written_again(world: World, kind: str) -> None:
    """The writer itself does it, also when git refuses to move a ref to what is not there."""
    common_dir = repositories.make(kind, world)
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=2.0)
    swap, pruned = store.backend.swap_ref, []

    def swap_after_prune(ref: RefName, old: Oid | None, new: Oid, reason: str, **options: Any) -> None:
        if not pruned:
            pruned.append(new)
            packing.loose_path(common_dir, new).unlink()
        swap(ref, old, new, reason, **options)

    store.backend.swap_ref = swap_after_prune  # type: ignore[method-assign]
    assert say(store, "pruned").entry.number == 1
    assert [entry.oid for entry in records(common_dir)] == pruned
    assert_clean(world, common_dir)


def test_a_send_heals_before_it_builds(world: World) -> None:
    """A writer whose predecessor's commit was pruned builds on it all the same."""
    common_dir = world.repository() / ".git"
    say(open_store(common_dir), "first")
    lose_everything_loose(common_dir)
    assert say(open_store(common_dir), "second").entry.number == 2
    assert_clean(world, common_dir)


def test_a_record_after_a_pause_looks_at_a_few_objects_and_in_turn_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a record pays for a look does not grow with what is not packed yet; what is lost is found in some turns."""
    monkeypatch.setattr(looks, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(looks, "AT_ONCE", 5)
    common_dir = world.repository() / ".git"
    store, looked = open_store(common_dir), []
    look = written.not_loose

    def counted(where: Path, oids: Iterable[Oid]) -> list[Oid]:
        looked.append(list(oids))
        return look(where, looked[-1])

    monkeypatch.setattr(written, "not_loose", counted)
    for turn in range(12):
        say(store, str(turn))
    lost = [entry.oid for entry in records(common_dir)][:8]
    for oid in lost:
        packing.loose_path(common_dir, oid).unlink()
    looked.clear()
    for turn in range(4):
        say(store, f"after {turn}")
    assert len(looked) == 4
    assert max(map(len, looked)) == 5
    assert {*lost} <= {oid for oids in looked for oid in oids}
    assert_clean(world, common_dir)
    assert store.heal(is_forced=True) == 0


# --- packing ---------------------------------------------------------------------


def pack(world: World, common_dir: Path) -> int:
    """Pack what the room wrote."""
    return open_store(common_dir).pack(git.scrub(world.variables))


@pytest.mark.parametrize("kind", KINDS)
def test_packing_takes_our_objects_and_no_others(world: World, kind: str) -> None:
    """The user's loose objects, unreachable ones too, stay loose; ours are packed and read as before."""
    common_dir = repositories.make(kind, world)
    theirs = Oid(world.git("hash-object", "-w", "--stdin", cwd=common_dir, stdin=b"unreachable").stdout.strip())
    loose_before = set((common_dir / "objects").glob("??/*"))
    store = open_store(common_dir)
    for turn in range(20):
        say(store, f"message {turn}")
    before = records(common_dir)
    assert pack(world, common_dir) == 21
    assert not any(packing.is_loose(common_dir, entry.oid) for entry in before)
    assert packing.is_loose(common_dir, theirs)
    assert loose_before <= set((common_dir / "objects").glob("??/*"))
    assert records(common_dir) == before
    assert say(open_store(common_dir), "after").entry.number == 21
    assert_clean_but(world, common_dir, theirs)


def assert_clean_but(world: World, common_dir: Path, theirs: Oid) -> None:
    """fsck finds the user's unreachable object and nothing else."""
    checked = world.git("fsck", "--strict", cwd=common_dir)
    assert checked.stdout.splitlines() == [f"dangling blob {theirs}"]


def test_packs_stay_few(world: World) -> None:
    """Small packs are packed again with the new ones; a pack that the user's gc took is forgotten."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir, fsync=False)
    for turn in range(40):
        say(store, str(turn))
        pack(world, common_dir)
    assert len(list((common_dir / "objects" / "pack").glob("*.pack"))) <= 7
    world.git("gc", "-q", cwd=common_dir)
    say(store, "after gc")
    pack(world, common_dir)
    assert [entry.number for entry in records(common_dir)] == list(range(1, 42))
    assert_clean(world, common_dir)


def damage_packs_when_made(common_dir: Path, monkeypatch: pytest.MonkeyPatch, *, is_verified: bool) -> None:
    """Have the disk flip a byte in each new pack; ``is_verified`` is False for a packer that does not look."""
    run = packing.Packs._git

    def run_and_damage(packs: packing.Packs, *arguments: str, stdin: bytes = b"") -> bytes:
        if arguments[0] == "verify-pack" and not is_verified:
            return b""
        output = run(packs, *arguments, stdin=stdin)
        if arguments[0] == "pack-objects":
            pack = common_dir / "objects" / "pack" / f"pack-{output.decode().strip()}.pack"
            content = bytearray(pack.read_bytes())
            content[len(content) // 2] ^= 0xFF
            pack.chmod(0o644)
            pack.write_bytes(content)
        return output

    monkeypatch.setattr(packing.Packs, "_git", run_and_damage)


def test_loose_copies_and_the_journal_stay_until_the_pack_is_verified(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pack that the disk damaged is an error, and nothing that it was to replace is gone."""
    common_dir = world.repository() / ".git"
    oids = [say(open_store(common_dir), str(turn)).entry.oid for turn in range(3)]
    journal = (common_dir / "chatroom" / "journal").read_bytes()
    damage_packs_when_made(common_dir, monkeypatch, is_verified=True)
    with pytest.raises(StorageError):
        pack(world, common_dir)
    assert all(packing.is_loose(common_dir, oid) for oid in oids)
    assert (common_dir / "chatroom" / "journal").read_bytes() == journal
    assert [entry.oid for entry in records(common_dir)] == oids


def test_without_verifying_a_damaged_pack_loses_records(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    common_dir = world.repository() / ".git"
    for turn in range(3):
        say(open_store(common_dir), str(turn))
    damage_packs_when_made(common_dir, monkeypatch, is_verified=False)
    pack(world, common_dir)
    with pytest.raises(FormatError):
        records(common_dir)


def test_a_packer_does_not_forget_what_it_has_read_and_git_has_lost(world: World) -> None:
    """That an object could be read a moment ago does not count: it is written again, packed and only then forgotten."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir)
    lost = say(store, "lost").entry
    assert store.read(lost.oid)
    packing.loose_path(common_dir, lost.oid).unlink()
    store.pack(git.scrub(world.variables))
    assert [entry.oid for entry in records(common_dir)] == [lost.oid]
    assert_clean(world, common_dir)


def test_one_packer_at_a_time(world: World) -> None:
    """A second packer has nothing to do and says so."""
    common_dir = world.repository() / ".git"
    say(open_store(common_dir), "x")
    from gitchat.storage import gate

    with gate.hold(common_dir / "chatroom", 0, "sync.lock"):
        assert pack(world, common_dir) == 0
    assert pack(world, common_dir) == 2


def test_much_to_pack_is_packed_aside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 512 messages a process of its own packs them; the sender does not wait for it."""
    common_dir = world.repository() / ".git"
    started: list[int] = []
    store = Store(
        open_store(common_dir, fsync=False).backend, common_dir / "chatroom", maintain=lambda: started.append(1)
    )
    monkeypatch.setattr("gitchat.storage.written.PACK_OBJECTS", 64)
    monkeypatch.setattr("gitchat.storage.written.PACK_RETRY", 8)
    for turn in range(80):
        say(store, str(turn))
    assert len(started) == 1  # who has started one waits for it
    monkeypatch.setattr("gitchat.storage.written.PACK_AGAIN_SECONDS", 0.0)
    for turn in range(80):
        say(store, str(turn))
    assert 9 <= len(started) <= 11


def test_the_packer_runs_our_code_and_not_the_repositorys(world: World) -> None:
    """A package called gitchat in the work tree is not what is started; ours packs."""
    repository = world.repository()
    (repository / "gitchat").mkdir()
    (repository / "gitchat" / "__init__.py").write_text("open('../stolen', 'w')\n")
    environment = world.environment(repository)
    say(environment.store, "x")
    environment.start_aside("pack")
    journal = environment.store.directory / "journal"
    deadline = time.monotonic() + 60
    while journal.stat().st_size > 0:
        assert time.monotonic() < deadline, "nothing was packed"
        select.select([], [], [], 0.02)
    assert not (world.root / "stolen").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "sha256"])
def test_gc_in_a_loop_beside_four_writers(world: World, kind: str) -> None:
    """With gc --prune=now, prune and pack-refs without pause, all that was acknowledged is there in the end."""
    common_dir = repositories.make(kind, world)
    writers = [fork(writer(common_dir, f"w{number}", world.root)) for number in range(4)]
    alive = set(writers)
    while alive:
        for command in (("gc", "-q", "--prune=now"), ("prune", "--expire=now"), ("pack-refs", "--all")):
            world.git(*command, cwd=common_dir, check=False)
        pack(world, common_dir)
        alive -= {pid for pid in alive if os.waitpid(pid, os.WNOHANG)[0]}
    found = {entry.number: entry.record.body for entry in records(common_dir)}
    acknowledged = [
        line.split(" ", 1)
        for number in range(4)
        for line in (world.root / f"acknowledged-w{number}").read_text().splitlines()
    ]
    assert len(acknowledged) == 4 * WRITES
    assert [line for line in acknowledged if found.get(int(line[0])) != line[1]] == []
    assert len(found) == 4 * WRITES
    open_store(common_dir).heal()
    assert_clean(world, common_dir)
    # A git gc that dies of a commit that is missing for a moment leaves its own lock behind.
    (common_dir / "objects" / "info" / "commit-graph.lock").unlink(missing_ok=True)
    world.git("gc", "-q", "--prune=now", cwd=common_dir)


WRITES = int(os.environ.get("GITCHAT_TEST_WRITES", "150"))
"""How many messages each writer sends; more by hand, for a longer run."""


def writer(common_dir: Path, name: str, place: Path) -> Callable[[], None]:
    """A writer's work: many messages, each noted once it was acknowledged."""

    def work() -> None:
        store = open_store(common_dir, fsync=False)
        with (place / f"acknowledged-{name}").open("w", buffering=1) as note:
            for turn in range(WRITES):
                body = f"{name} {turn}"
                note.write(f"{say(store, body, name, ROOM).entry.number} {body}\n")

    return work
