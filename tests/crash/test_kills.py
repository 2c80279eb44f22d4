"""Writers that are killed: nothing acknowledged is lost, and nobody waits for the dead."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat import gate
from gitchat.backend import Backend
from gitchat.errors import ConflictError
from gitchat.names import Oid, RefName, log_ref
from gitchat.store import Store
from tests.contract import repositories
from tests.crash.writers import ROOM, fork, records, say, wait_for
from tests.world import World, open_store

LOG = log_ref(ROOM)
DEAD_PID = 999_999


def die() -> None:
    """End this process as the kernel's out-of-memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingBackend:
    """A backend whose process is killed at one step of an append."""

    def __init__(self, backend: Backend, step: str) -> None:
        self._backend = backend
        self._step = step

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def write_object(self, kind: str, content: bytes) -> Oid:
        if self._step == f"before {kind}":
            die()
        oid = self._backend.write_object(kind, content)  # type: ignore[arg-type]
        if self._step == f"after {kind}":
            die()
        return oid

    def swap_ref(self, ref: RefName, old: Oid | None, new: Oid, reason: str, **options: Any) -> None:
        lock = self._backend.lock_path(ref)
        if self._step == "after intent":
            die()
        if self._step in ("ref locked", "ref lock written"):
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.write_text(f"{new}\n" if self._step == "ref lock written" else "")
            die()
        self._backend.swap_ref(ref, old, new, reason, **options)
        if self._step == "after swap":
            die()


STEPS = ["before tree", "before commit", "after commit", "after intent", "ref locked", "ref lock written", "after swap"]


@pytest.mark.parametrize("is_first", [True, False], ids=["creating", "appending"])
@pytest.mark.parametrize("step", STEPS)
def test_kill_at_each_step_leaves_a_room_that_works(world: World, step: str, is_first: bool) -> None:
    """After a kill at any step the next send succeeds, with the next number, and fsck is clean."""
    common_dir = world.repository() / ".git"
    if not is_first:
        say(open_store(common_dir), "before")

    def write_and_die() -> None:
        store = open_store(common_dir)
        store.backend = DyingBackend(store.backend, step)  # type: ignore[assignment]
        say(store, "killed")

    assert wait_for([fork(write_and_die)]) == [-signal.SIGKILL]
    # A wait of 2 s: whoever had to wait longer for the dead would be refused.
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=2.0)
    sent = say(store, "after")
    bodies = [entry.record.body for entry in records(common_dir)]
    assert bodies == [*([] if is_first else ["before"]), *(["killed"] if step == "after swap" else []), "after"]
    assert sent.entry.number == len(bodies)
    assert_clean(world, common_dir)


def assert_clean(world: World, common_dir: Path) -> None:
    """git fsck finds nothing but objects that nothing points to."""
    checked = world.git("fsck", "--strict", cwd=common_dir)
    assert [line for line in checked.stdout.splitlines() if not line.startswith("dangling")] == []
    assert [line for line in checked.stderr.splitlines() if not line.startswith("notice")] == []


class BusyWriter:
    """A process that sends without pause and tells of each acknowledgement."""

    def __init__(self, common_dir: Path, name: str) -> None:
        self._read, write = os.pipe()
        self._pending = b""

        def work() -> None:
            store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=2.0)
            while True:
                text = f"{name}-{os.getpid()}-{time.monotonic_ns()}"
                number = say(store, text, name).entry.number
                os.write(write, f"{number} {text}\n".encode())

        self._pid = fork(work)
        os.close(write)

    def kill(self) -> None:
        """SIGKILL, now. Fails the test when the writer had ended by itself, refused."""
        os.kill(self._pid, signal.SIGKILL)
        assert wait_for([self._pid]) == [-signal.SIGKILL]

    def acknowledged(self) -> list[tuple[int, str]]:
        """(number, text) of all that was acknowledged; to be called after the end."""
        with os.fdopen(self._read, "rb") as pipe:
            lines = pipe.read().decode().splitlines(keepends=True)
        return [(int(number), text.strip()) for number, text in (line.split(" ") for line in lines if line[-1] == "\n")]

    def wait_for_one(self) -> None:
        """Return when at least one acknowledgement waits to be read."""
        assert select.select([self._read], [], [], 30)[0]


@pytest.mark.parametrize(
    ("kind", "kills"),
    [
        pytest.param("plain", 50, marks=pytest.mark.slow),
        pytest.param("sha256", 25, marks=pytest.mark.slow),
        pytest.param("reftable", 25, marks=pytest.mark.slow),
        pytest.param("plain", 150, marks=pytest.mark.soak),
        pytest.param("sha256", 100, marks=pytest.mark.soak),
        pytest.param("reftable", 100, marks=pytest.mark.soak),
    ],
)
def test_random_kills_of_two_busy_writers(world: World, kind: str, kills: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every acknowledged record is there, once, with its number; nobody is refused after 2 s of waiting."""
    if kind == "reftable":
        world.use_newer_git()
        monkeypatch.setenv("PATH", world.variables["PATH"])
    common_dir = repositories.make(kind, world)
    chance = random.Random(kills)
    acknowledged: list[tuple[int, str]] = []
    writers = [BusyWriter(common_dir, name) for name in ("one", "two")]
    for turn in range(kills):
        victim = turn % 2
        writers[victim].wait_for_one()
        # Not a wait for anything: a random moment in the life of a writer, which is what is tested.
        select.select([], [], [], chance.uniform(0, 0.04))
        writers[victim].kill()
        acknowledged += writers[victim].acknowledged()
        writers[victim] = BusyWriter(common_dir, f"{('one', 'two')[victim]}-{turn}")
    for writer in writers:
        writer.wait_for_one()
        writer.kill()
        acknowledged += writer.acknowledged()
    found = {entry.number: entry.record.body for entry in records(common_dir)}
    assert len(acknowledged) > kills
    assert len(set(found.values())) == len(found)
    assert [(number, text) for number, text in acknowledged if found.get(number) != text] == []
    say(open_store(common_dir), "after all")
    assert_clean(world, common_dir)


# --- a living git and a dead writer ----------------------------------------------


class LivingGit:
    """``git update-ref`` that has locked a ref and waits before it commits."""

    def __init__(self, world: World, common_dir: Path, new: Oid, old: Oid) -> None:
        command = ["git", f"--git-dir={common_dir}", "update-ref", "--stdin"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=world.variables
        )
        self._tell(f"start\nupdate {LOG} {new} {old}\nprepare\n", ["start: ok", "prepare: ok"])

    def commit(self) -> None:
        """Let it finish; it must report success."""
        self._tell("commit\n", ["commit: ok"])
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0

    def _tell(self, words: str, answers: list[str]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words)
        self._process.stdin.flush()
        assert [self._process.stdout.readline().strip() for _ in answers] == answers


def test_a_dead_intent_never_breaks_the_lock_of_a_living_git(world: World) -> None:
    """A writer was killed between intent and lock, and a git holds the lock: that git keeps it and wins."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir)
    first, second = say(store, "first").entry, say(store, "second").entry
    leave_intent(common_dir, Oid("d" * 40))
    git = LivingGit(world, common_dir, first.oid, second.oid)
    lock = store.backend.lock_path(LOG)
    seen = gate.LockFile.look(lock)
    impatient = Store(store.backend, store.directory, wait_seconds=1.5)
    with pytest.raises(ConflictError) as caught:
        say(impatient, "refused")
    assert caught.value.code == "ref-locked"
    assert gate.LockFile.look(lock) == seen
    git.commit()
    assert store.tip(LOG) == first.oid
    assert say(store, "third").entry.number == 2


def leave_intent(common_dir: Path, new: Oid) -> None:
    """What a writer leaves that was killed after it wrote its intent."""
    (common_dir / "chatroom").mkdir(exist_ok=True)
    (common_dir / "chatroom" / "write.lock").write_bytes(gate.Intent(LOG, new, DEAD_PID).encode())


@pytest.mark.parametrize("has_intent", [True, False])
def test_a_foreign_lock_is_broken_only_when_it_is_old(world: World, has_intent: bool) -> None:
    """A lock with a value that is not ours goes after 60 s of age, and not before."""
    common_dir = world.repository() / ".git"
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=0.2)
    say(store, "first")
    if has_intent:
        leave_intent(common_dir, Oid("d" * 40))
    lock = store.backend.lock_path(LOG)
    lock.write_text("e" * 40 + "\n")
    with pytest.raises(ConflictError):
        say(store, "refused")
    assert lock.exists()
    long_ago = time.time() - gate.FOREIGN_SECONDS - 5
    os.utime(lock, (long_ago, long_ago))
    assert say(store, "second").entry.number == 2
    assert not lock.exists()


def test_the_dead_writers_own_lock_goes_at_once(world: World) -> None:
    """A lock that holds the dead writer's commit can only be its own: there is nothing to wait for."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir)
    say(store, "first")
    leave_intent(common_dir, Oid("d" * 40))
    store.backend.lock_path(LOG).write_text("d" * 40 + "\n")
    impatient = Store(store.backend, store.directory, wait_seconds=0.0)
    assert say(impatient, "second").entry.number == 2


def test_a_writer_that_hangs_is_named(world: World) -> None:
    """Who waits in vain for its turn is told which process has it, and nothing is half done."""
    common_dir = world.repository() / ".git"
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=0.1)
    say(store, "first")
    hold_and_then(common_dir, lambda: expect_refusal(store))
    assert say(store, "second").entry.number == 2


def hold_and_then(common_dir: Path, act: Callable[[], None]) -> None:
    """Do something while another process holds the write lock with an intent."""
    ready, done = os.pipe(), os.pipe()

    def hold() -> None:
        with gate.hold(common_dir / "chatroom") as held:
            held.intend(LOG, Oid("d" * 40))
            os.write(ready[1], b".")
            os.read(done[0], 1)
            held.clear()

    pid = fork(hold)
    os.read(ready[0], 1)
    act()
    os.write(done[1], b".")
    assert wait_for([pid]) == [0]


def expect_refusal(store: Store) -> None:
    with pytest.raises(ConflictError, match=r"process \d+ has held") as caught:
        say(store, "refused")
    assert caught.value.code == "write-lock-held"


def test_waiting_writers_are_let_in_when_the_holder_ends(world: World) -> None:
    """A writer that found the lock taken gets its turn and its number."""
    common_dir = world.repository() / ".git"
    waiting: list[int] = []

    def send() -> None:
        say(open_store(common_dir), "x")

    hold_and_then(common_dir, lambda: waiting.append(fork(send)))
    assert wait_for(waiting) == [0]
    assert len(records(common_dir)) == 1
