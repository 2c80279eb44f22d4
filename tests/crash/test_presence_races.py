"""Names of processes that race for them and are killed under them. Proves docs/format.md section 7."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gitchat.model.errors import StorageError, UserError
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder
from gitchat.presence.namelock import NAME_LOCK, FlockLock, NameLock, OpenFileLock
from gitchat.presence.roll import Roll
from tests.crash.writers import StartLine, fork, wait_for

LOBBY = RoomName("lobby")
CODEX = Name("codex")
LOCKS = pytest.mark.parametrize("lock", [OpenFileLock(), FlockLock()], ids=["open file description", "flock"])


def here() -> Holder:
    """This process, also after a fork."""
    return Holder(pid=os.getpid(), host="box", worktree="/work")


class Child:
    """A forked process that runs ``work`` and then waits; ``work`` is done when this is made."""

    def __init__(self, work: Callable[[], None]) -> None:
        done_read, done_write = os.pipe()
        self._done = done_read

        def run() -> None:
            os.close(done_read)
            work()
            os.write(done_write, b".")
            while True:
                signal.pause()

        self.pid = fork(run)
        os.close(done_write)
        assert os.read(done_read, 1) == b".", "the child did not do its work"

    def kill(self) -> None:
        """End it as nothing can prevent, and wait for that."""
        os.close(self._done)
        os.kill(self.pid, signal.SIGKILL)
        assert wait_for([self.pid]) == [-signal.SIGKILL]


class Looker:
    """A process that asks all the time who is here."""

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._looks_read, self._looks_write = os.pipe()
        os.set_blocking(self._looks_read, False)
        os.set_blocking(self._looks_write, False)
        self._count = 0
        self._pid = fork(self._look)
        assert select.select([self._looks_read], [], [], 60)[0], "nobody looks"

    def _look(self) -> None:
        while True:
            self._roll.known(LOBBY)
            self._roll.participants(LOBBY)
            self._roll.find(CODEX)
            with suppress(BlockingIOError):  # the pipe is full: nobody counts
                os.write(self._looks_write, b".")

    def count(self) -> int:
        """How often it looked at everybody so far, at least."""
        with suppress(BlockingIOError):
            self._count += len(os.read(self._looks_read, 65536))
        return self._count

    def stop(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)
        wait_for([self._pid])
        os.close(self._looks_read)
        os.close(self._looks_write)


@contextmanager
def looking(roll: Roll) -> Iterator[Looker]:
    """Somebody looks all the time."""
    looker = Looker(roll)
    try:
        yield looker
    finally:
        looker.stop()


def refusals_beside(looker: Looker, roll: Roll) -> int:
    """How many of 2,000 joins of a free name are refused, or of more, until the looker looked 500 times."""
    joins = refusals = 0
    while joins < 2000 or looker.count() < 500:
        joins += 1
        refusals += is_refused(roll, CODEX)
    return refusals


def is_refused(roll: Roll, name: Name) -> bool:
    """Whether a name that nobody holds is refused."""
    try:
        roll.hold(name, here(), 1).release()
    except UserError:
        return True
    return False


# --- races -------------------------------------------------------------------


@contextmanager
def joined_at_once(roll: Roll, name: Name) -> Iterator[bytes]:
    """Two processes that try at once to join under one name: what each says, ``1`` for joined; they live meanwhile."""
    line = StartLine(2)
    (answers, answer), (end, ended) = os.pipe(), os.pipe()

    def join() -> None:
        os.close(ended)
        line.wait()
        try:
            held = roll.hold(name, here(), 1)
        except UserError:
            os.write(answer, b"0")
        else:
            held.join(LOBBY, role="", now=1)
            os.write(answer, b"1")
        os.read(end, 1)

    pids = [fork(join), fork(join)]
    os.close(answer)
    line.start()
    try:
        yield os.read(answers, 1) + os.read(answers, 1)
    finally:
        os.close(ended)
        statuses = wait_for(pids)
        os.close(answers)
        os.close(end)
    assert statuses == [0, 0]


@pytest.mark.parametrize("turns", [50, pytest.param(200, marks=pytest.mark.soak)])
def test_of_two_that_join_at_once_one_wins(tmp_path: Path, turns: int) -> None:
    """Never none and never both, while somebody looks who is here; nobody tries twice."""
    roll = Roll(tmp_path / "chatroom", wait_seconds=0)
    with looking(roll):
        for turn in range(turns):
            name = Name(f"name-{turn % 5}")
            with joined_at_once(roll, name) as answers:
                assert sorted(answers) == sorted(b"01"), f"turn {turn}: {answers!r}"
                assert [present.name for present in roll.participants(LOBBY)] == [name]


def test_looking_refuses_nobody_a_free_name(tmp_path: Path) -> None:
    """2,000 joins that try once, while another process looks all the time."""
    assert isinstance(NAME_LOCK, OpenFileLock)
    roll = Roll(tmp_path / "chatroom", wait_seconds=0)
    with looking(roll) as looker:
        assert refusals_beside(looker, roll) == 0


def test_a_look_that_takes_the_lock_would(tmp_path: Path) -> None:
    """The test above can fail: with probes by ``flock`` a join that tries once meets one of them."""
    roll = Roll(tmp_path / "chatroom", lock=FlockLock(), wait_seconds=0)
    end = time.monotonic() + 60
    with looking(roll):
        while not is_refused(roll, CODEX):
            assert time.monotonic() < end, "no join met a probe"


def test_with_flock_a_join_tries_again(tmp_path: Path) -> None:
    """What a system without open-file-description locks does instead."""
    roll = Roll(tmp_path / "chatroom", lock=FlockLock(), wait_seconds=60)
    with looking(roll) as looker:
        assert refusals_beside(looker, roll) == 0


def test_registering_and_touching_refuse_nobody_a_free_name(tmp_path: Path) -> None:
    """Who only writes never looks like somebody who lives."""
    roll = Roll(tmp_path / "chatroom", wait_seconds=0)
    roll.register(CODEX, LOBBY, role="", holder=here(), now=1)

    def write() -> None:
        for now in range(1_000_000):
            roll.touch(CODEX, LOBBY, now)
            roll.leave(Name("bob"), LOBBY, now)
            roll.register(Name("bob"), LOBBY, role="", holder=here(), now=now)

    pid = fork(write)
    try:
        assert sum(is_refused(roll, CODEX) or is_refused(roll, Name("alice")) for _ in range(1000)) == 0
        assert all(not known.is_living for known in roll.known(LOBBY))
    finally:
        os.kill(pid, signal.SIGKILL)
        wait_for([pid])


def test_many_that_write_one_file_lose_nothing(tmp_path: Path) -> None:
    """Eight processes register one name in 20 rooms each; all 160 memberships are there."""
    roll, line = Roll(tmp_path / "chatroom"), StartLine(8)

    def register(writer: int) -> None:
        line.wait()
        for turn in range(20):
            roll.register(CODEX, RoomName(f"r{writer}-{turn}"), role="", holder=here(), now=1)

    pids = [fork(lambda writer=writer: register(writer)) for writer in range(8)]  # type: ignore[misc]
    line.start()
    assert wait_for(pids) == [0] * 8
    found = roll.find(CODEX)
    assert found is not None
    assert len(found.rooms) == 160


# --- kills -------------------------------------------------------------------


@LOCKS
def test_killed_holder_frees_its_name_at_once(tmp_path: Path, lock: NameLock) -> None:
    """The next call gets it, and until then it is known but not here."""
    roll = Roll(tmp_path / "chatroom", lock=lock, wait_seconds=0)

    def join() -> None:
        roll.hold(CODEX, here(), 1).join(LOBBY, role="general", now=2)

    child = Child(join)
    (living,) = roll.participants(LOBBY)
    assert (living.is_living, living.holder and living.holder.pid) == (True, child.pid)
    with pytest.raises(UserError, match="already active") as caught:
        roll.hold(CODEX, here(), 3)
    assert f"process {child.pid} on host box" in caught.value.hint
    child.kill()
    assert roll.participants(LOBBY) == []
    assert [(known.is_living, known.last_seen) for known in roll.known(LOBBY)] == [(False, 2)]
    roll.hold(CODEX, here(), 4).release()
    roll.register(CODEX, LOBBY, role="", holder=here(), now=5)
    assert roll.leave(CODEX, LOBBY, 6)


@LOCKS
def test_children_do_not_keep_a_dead_parents_name(tmp_path: Path, lock: NameLock) -> None:
    """Neither a program that it started, whatever that inherits, nor its fork."""
    roll = Roll(tmp_path / "chatroom", lock=lock, wait_seconds=0)
    children = tmp_path / "children"

    def join_and_start() -> None:
        roll.hold(CODEX, here(), 1)
        program = subprocess.Popen(["sleep", "600"], close_fds=False)
        copy = Child(lambda: None)
        children.write_text(f"{program.pid} {copy.pid}")

    child = Child(join_and_start)
    child.kill()
    pids = [int(pid) for pid in children.read_text().split()]
    try:
        for pid in pids:
            os.kill(pid, 0)  # both live
        roll.hold(CODEX, here(), 2).release()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def test_writers_killed_at_any_moment_block_nobody(tmp_path: Path) -> None:
    """After each of 50 kills the name can be taken and the others are unharmed."""
    roll = Roll(tmp_path / "chatroom", wait_seconds=0)
    roll.register(Name("zoe"), LOBBY, role="review", holder=here(), now=1)

    def write() -> None:
        for now in range(1_000_000):
            with roll.hold(CODEX, here(), now) as held:
                held.join(LOBBY, role="x" * (now % 60), now=now)
            roll.register(CODEX, LOBBY, role="", holder=here(), now=now)

    for turn in range(50):
        pid = fork(write)
        end = time.monotonic() + 60
        while (found := roll.find(CODEX)) is None or found.holder is None or found.holder.pid != pid:
            assert time.monotonic() < end, "the writer does not write"
        os.kill(pid, signal.SIGKILL)
        wait_for([pid])
        with roll.hold(CODEX, here(), turn) as held:
            held.join(LOBBY, role="next", now=turn)
            assert [here.role for here in roll.participants(LOBBY)] == ["next", "review"]


# --- the disk ----------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_full_disk_is_an_error_and_holds_nothing(small_disk: Path) -> None:
    """Who was here stays, and with space again the name can be taken."""
    roll = Roll(small_disk / "chatroom", wait_seconds=0)
    roll.register(Name("zoe"), LOBBY, role="review", holder=here(), now=1)
    filling = small_disk / "filling"
    filling.write_bytes(b"x" * shutil.disk_usage(small_disk).free)
    for refused in (
        lambda: roll.hold(CODEX, here(), 2),
        lambda: roll.register(CODEX, LOBBY, role="", holder=here(), now=2),
    ):
        with pytest.raises(StorageError) as caught:
            refused()
        assert caught.value.code == "disk-full"
    assert [known.name for known in roll.known(LOBBY)] == ["zoe"]
    filling.unlink()
    roll.hold(CODEX, here(), 3).release()


def test_read_only_disk_can_be_read(small_disk: Path) -> None:
    """The registered are here and nobody lives; who joins or leaves is told why not."""
    roll = Roll(small_disk / "chatroom", wait_seconds=0)
    roll.register(Name("zoe"), LOBBY, role="review", holder=here(), now=1)
    (small_disk / "chatroom" / "live" / "torn").write_bytes(b"{")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    roll.touch(Name("zoe"), LOBBY, 9)
    roll.assign(Name("zoe"), here(), 9)
    assert [(known.name, known.is_living, known.last_seen) for known in roll.participants(LOBBY)] == [("zoe", False, 1)]
    empty = Roll(small_disk / "elsewhere")
    assert empty.participants(LOBBY) == []
    for refused in (
        lambda: roll.hold(CODEX, here(), 2),
        lambda: roll.leave(Name("zoe"), LOBBY, 2),
        lambda: empty.register(CODEX, LOBBY, role="", holder=here(), now=2),
    ):
        with pytest.raises(StorageError) as caught:
            refused()
        assert caught.value.code == "read-only"
