"""Writers that are killed: nothing acknowledged is lost, and nobody waits for the dead."""

from __future__ import annotations

import itertools
import os
import random
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.storage import gate, git, packing
from gitchat.storage.lockfile import LockFile
from gitchat.storage.store import Store
from tests.contract import repositories
from tests.crash.writers import ROOM, be_killed_at_call, die, fork, records, say, wait_for
from tests.needed import need
from tests.world import World, open_store

LOG = log_ref(ROOM)
DEAD_PID = 999_999

PATIENCE_SECONDS = 20.0
"""More than the second for which a dead writer's lock is looked at; less than the 60 of a stranger's."""


@pytest.fixture
def common_dir(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the kind that the test's parameter names."""
    if "reftable" in request.param:
        world.use_newer_git()
        monkeypatch.setenv("PATH", world.variables["PATH"])
    return repositories.make(request.param, world)


class Errand:
    """What a writer does when it is killed."""

    least_calls = 15

    def __init__(self, world: World, common_dir: Path) -> None:
        self._world = world
        self._common_dir = common_dir

    def room(self, turn: int) -> RoomName:
        """The room to write to in this turn."""
        return ROOM

    def prepare(self, turn: int) -> list[str]:
        """Bring about what the errand needs, in another process; return what stands in the room then."""
        return [entry.record.body for entry in records(self._common_dir)]

    def run(self, store: Store, turn: int) -> None:
        """Do it, to the end if nobody kills it."""
        say(store, f"killed {turn}", room=self.room(turn))

    def check(self, turn: int) -> None:
        """What holds afterwards, beside what holds for every errand."""


class Append(Errand):
    """A message for a room that exists."""


class Create(Errand):
    """The first message of a room."""

    def room(self, turn: int) -> RoomName:
        return RoomName(f"room-{turn}")

    def prepare(self, turn: int) -> list[str]:
        return []


class Heal(Errand):
    """A message for a room of whose records git has lost five."""

    least_calls = 20

    def prepare(self, turn: int) -> list[str]:
        for number in range(5 if turn == 1 else 0):
            say(open_store(self._common_dir), f"prepared {number}")
        entries = records(self._common_dir)
        for entry in entries[:5]:
            packing.loose_path(self._common_dir, entry.oid).unlink()
        return [entry.record.body for entry in entries]


class Pack(Errand):
    """Packing, with small packs to take in."""

    least_calls = 20

    def prepare(self, turn: int) -> list[str]:
        store = open_store(self._common_dir)
        for number in range(3):
            say(store, f"prepared {turn} {number}")
        return super().prepare(turn)

    def run(self, store: Store, turn: int) -> None:
        store.pack(git.scrub(self._world.variables))

    def check(self, turn: int) -> None:
        open_store(self._common_dir).pack(git.scrub(self._world.variables))
        assert not any(packing.is_loose(self._common_dir, entry.oid) for entry in records(self._common_dir))


ERRANDS = (Append, Create, Heal, Pack)
CASES = [
    *(("plain", errand) for errand in ERRANDS),
    *(pytest.param("reftable", errand, marks=pytest.mark.slow) for errand in (Append, Create)),
    # Journal and packs are no refs.
    *(pytest.param("reftable", errand, marks=pytest.mark.soak) for errand in (Heal, Pack)),
    *(pytest.param("sha256", errand, marks=pytest.mark.soak) for errand in ERRANDS),
]


@pytest.mark.parametrize(("common_dir", "errand_type"), CASES, indirect=["common_dir"])
def test_kill_before_each_call_leaves_a_room_that_works(
    world: World, common_dir: Path, errand_type: type[Errand]
) -> None:
    """Wherever a writer dies, the next send succeeds, all acknowledged records stand, and fsck is clean."""
    errand = errand_type(world, common_dir)
    for turn in range(1, 500):
        before = errand.prepare(turn)

        def run(turn: int = turn) -> None:
            store = open_store(common_dir)
            be_killed_at_call(turn)
            errand.run(store, turn)

        status = wait_for([fork(run)])
        assert_room_works(common_dir, errand.room(turn), before, turn)
        errand.check(turn)
        assert_clean(world, common_dir)
        if status == [0]:
            break
        assert status == [-signal.SIGKILL]
    assert turn > errand.least_calls


def assert_room_works(common_dir: Path, room: RoomName, before: list[str], turn: int) -> None:
    """The room takes a message at once, after what stood there ``before`` and at most one record of the dead."""
    # Whoever had to wait for the dead as for a stranger would be refused.
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS)
    sent = say(store, f"after {turn}", room=room)
    bodies = [entry.record.body for entry in records(common_dir, room)]
    assert bodies[: len(before)] == before
    assert bodies[len(before) :] in ([f"after {turn}"], [f"killed {turn}", f"after {turn}"])
    assert sent.entry.number == len(bodies)


def assert_clean(world: World, common_dir: Path) -> None:
    """git fsck finds nothing but objects that nothing points to."""
    checked = world.git("fsck", "--strict", cwd=common_dir)
    assert [line for line in checked.stdout.splitlines() if not line.startswith("dangling")] == []
    assert [line for line in checked.stderr.splitlines() if not line.startswith("notice")] == []


class BusyWriter:
    """A process group that sends without pause, tells of each acknowledgement, and packs now and then."""

    def __init__(self, common_dir: Path, name: str) -> None:
        self._read, write = os.pipe()

        def work() -> None:
            os.setpgid(0, 0)
            os.close(self._read)  # so that it ends with the test, unable to tell
            store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS)
            for turn in itertools.count(1):
                text = f"{name}-{turn}"
                number = say(store, text, name).entry.number
                os.write(write, f"{number} {text}\n".encode())
                if turn % 16 == 0:
                    store.pack(git.scrub(os.environ))

        self._pid = fork(work)
        os.close(write)

    def kill(self, *, with_its_git: bool) -> list[tuple[int, str]]:
        """SIGKILL, now; (number, text) of all that it told of. Fails when it had ended by itself, refused."""
        (os.killpg if with_its_git else os.kill)(self._pid, signal.SIGKILL)
        assert wait_for([self._pid]) == [-signal.SIGKILL]
        with os.fdopen(self._read, "rb") as pipe:
            lines = pipe.read().decode().splitlines(keepends=True)
        return [(int(number), text.strip()) for number, text in (line.split(" ") for line in lines if line[-1] == "\n")]

    def wait_for_one(self) -> None:
        """Return when at least one acknowledgement waits to be read."""
        assert select.select([self._read], [], [], 60)[0]


KILLS = int(os.environ.get("GITCHAT_TEST_KILLS", "60"))
"""How often a random moment is tried in each kind of repository; more by hand, for a longer run."""


@pytest.mark.slow
@pytest.mark.parametrize("common_dir", ["plain", "sha256", "reftable"], indirect=True)
def test_random_kills_of_two_busy_writers(world: World, common_dir: Path) -> None:
    """Every acknowledged record is there, once, with its number; nobody waits in vain for the dead."""
    chance = random.Random(KILLS)
    acknowledged: list[tuple[int, str]] = []
    writers = [BusyWriter(common_dir, name) for name in ("one", "two")]
    for turn in range(KILLS):
        victim = turn % 2
        writers[victim].wait_for_one()
        # Not a wait for anything: a random moment in the life of a writer, which is what is tested.
        select.select([], [], [], chance.uniform(0, 0.04))
        acknowledged += writers[victim].kill(with_its_git=chance.random() < 0.5)
        writers[victim] = BusyWriter(common_dir, f"{('one', 'two')[victim]}-{turn}")
    for writer in writers:
        writer.wait_for_one()
        acknowledged += writer.kill(with_its_git=True)
    found = {entry.number: entry.record.body for entry in records(common_dir)}
    assert len(acknowledged) > KILLS
    assert len(set(found.values())) == len(found)
    assert [(number, text) for number, text in acknowledged if found.get(number) != text] == []
    say(Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS), "after all")
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


@pytest.mark.parametrize(
    ("common_dir", "age_seconds"),
    [("plain", 0), ("reftable", 0), ("reftable", gate.FOREIGN_SECONDS + 5)],
    indirect=["common_dir"],
)
def test_a_dead_intent_never_breaks_the_lock_of_a_living_git(
    world: World, common_dir: Path, age_seconds: float
) -> None:
    """A writer was killed between intent and lock, and a git holds the lock: that git keeps it and wins."""
    store = open_store(common_dir)
    first, second = say(store, "first").entry, say(store, "second").entry
    branches = world.git("for-each-ref", "refs/heads", cwd=common_dir).stdout
    leave_intent(common_dir, Oid("d" * 40))
    living = LivingGit(world, common_dir, first.oid, second.oid)
    lock = store.backend.lock_path(LOG)
    if (ref := common_dir / LOG).exists():  # not of one tick of the clock with it
        os.utime(ref, (lock.stat().st_mtime - 0.1, lock.stat().st_mtime - 0.1))
    past = lock.stat().st_mtime - age_seconds
    os.utime(lock, (past, past))
    seen = LockFile.look(lock)
    impatient = Store(store.backend, store.directory, wait_seconds=1.5)
    with pytest.raises(ConflictError) as caught:
        say(impatient, "refused")
    assert caught.value.code == "ref-locked"
    assert LockFile.look(lock) == seen
    living.commit()
    assert store.tip(LOG) == first.oid
    assert world.git("for-each-ref", "refs/heads", cwd=common_dir).stdout == branches
    assert say(store, "third").entry.number == 2


def have_git_disturbed(world: World, monkeypatch: pytest.MonkeyPatch, disturbance: str) -> None:
    """The next ``git update-ref`` of this process meets ``disturbance`` (strace's words) when it renames a file."""
    need("strace")
    real = shutil.which("git", path=world.variables["PATH"])
    directory, once = world.root / "disturbed", world.root / "once"
    directory.mkdir()
    once.touch()
    strace = f"strace -qq -o /dev/null -e trace=/^rename -e inject=/^rename:{disturbance}"
    (directory / "git").write_text(
        f"""#!/bin/sh
case " $* " in *" update-ref "*) rm '{once}' 2>/dev/null && exec {strace} '{real}' "$@";; esac
exec '{real}' "$@"
"""
    )
    (directory / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{world.variables['PATH']}")


@pytest.mark.parametrize("common_dir", ["sha256"], indirect=True)
def test_who_comes_after_the_dead_waits_for_its_living_git(
    world: World, common_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer is killed while its git works: that git finishes, with the write lock still held."""
    say(open_store(common_dir), "before")
    have_git_disturbed(world, monkeypatch, "delay_enter=1000000:when=1")
    store = open_store(common_dir)
    moved, tell_moved = os.pipe()

    def send_and_hang() -> None:
        swap = store.backend.swap_ref

        def swap_and_hang(*arguments: Any, **options: Any) -> None:
            swap(*arguments, **options)
            os.write(tell_moved, b".")
            signal.pause()

        store.backend.swap_ref = swap_and_hang  # type: ignore[method-assign]
        say(store, "killed")

    pid = fork(send_and_hang)
    lock = store.backend.lock_path(LOG)
    while not select.select([moved], [], [], 0.005)[0]:
        found = LockFile.look(lock)
        if found is not None and found.content:
            break
    os.kill(pid, signal.SIGKILL)
    assert wait_for([pid]) == [-signal.SIGKILL]
    os.close(moved)
    os.close(tell_moved)
    say(open_store(common_dir), "after")
    assert [entry.record.body for entry in records(common_dir)] == ["before", "killed", "after"]


KILLED_GITS = [("sha256", 1, 65), ("reftable", 1, 0), ("reftable", 2, 40)]
"""Kind of repository, the rename that the git does not live to make, the least size of the lock that it leaves."""


@pytest.mark.parametrize(("common_dir", "number", "lock_bytes"), KILLED_GITS, indirect=["common_dir"])
def test_the_lock_of_a_git_that_died_with_its_writer_goes(
    world: World, common_dir: Path, number: int, lock_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty or with the new list of tables in it, nobody waits for it longer than 2 s."""
    say(open_store(common_dir), "before")
    have_git_disturbed(world, monkeypatch, f"signal=KILL:when={number}")

    def die_with_git() -> None:
        store = open_store(common_dir)
        monkeypatch.setattr(store, "_after_refusal", lambda *_: die())
        say(store, "killed")

    assert wait_for([fork(die_with_git)]) == [-signal.SIGKILL]
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS)
    lock = store.backend.lock_path(LOG)
    assert lock.stat().st_size >= lock_bytes
    assert say(store, "after").entry.number == 2
    assert not lock.exists()
    assert_clean(world, common_dir)


@pytest.mark.parametrize(("common_dir", "number", "lock_bytes"), KILLED_GITS, indirect=["common_dir"])
def test_a_writer_whose_git_was_killed_sends_all_the_same(
    world: World, common_dir: Path, number: int, lock_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It removes the lock of its own git, and is not refused for it."""
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS)
    say(store, "before")
    have_git_disturbed(world, monkeypatch, f"signal=KILL:when={number}")
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=PATIENCE_SECONDS)
    assert say(store, "after").entry.number == 2
    assert not (world.root / "once").exists()
    assert_clean(world, common_dir)


def test_without_bury_nobody_could_write_after_a_kill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above can fail: without it a dead writer's lock stands in the way of the next."""
    common_dir = world.repository() / ".git"
    monkeypatch.setattr(gate.Gate, "bury", lambda held, _: held.clear())
    leave_intent(common_dir, Oid("d" * 40))
    store = Store(open_store(common_dir).backend, common_dir / "chatroom", wait_seconds=0.2)
    lock = store.backend.lock_path(LOG)
    lock.parent.mkdir(parents=True)
    lock.write_text("d" * 40 + "\n")
    with pytest.raises(ConflictError):
        say(store, "refused")


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
