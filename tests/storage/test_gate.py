"""The write lock's intent. Proves docs/format.md section 7."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid, RefName
from gitchat.storage import gate
from gitchat.storage.gate import Intent
from gitchat.storage.lockfile import REFTABLE_LOCK, LockFile

REF = RefName("refs/chatroom/rooms/lobby/log")
NEW = Oid("d" * 40)
DEAD = Intent(REF, NEW, 4242)


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"refs/x", b"refs/x abc\n", b"refs/x abc 12", b"refs/x abc pid\n", b"\xff\xff \n", b"\0" * 64]
)
def test_what_is_not_one_whole_intent_is_none(line: bytes) -> None:
    """A torn or foreign content of the file breaks nobody's lock."""
    assert Intent.decode(line) is None


def test_an_intent_survives_its_holder(tmp_path: Path) -> None:
    """The next holder reads what the last one was about to do, and not when it had finished."""
    with gate.hold(tmp_path / "chatroom") as held:
        held.intend(REF, NEW)
    with gate.hold(tmp_path / "chatroom") as held:
        assert held.read() == Intent(REF, NEW, os.getpid())
        held.clear()
    with gate.hold(tmp_path / "chatroom") as held:
        assert held.read() is None


@pytest.mark.parametrize(
    ("content", "is_removed"), [(f"{NEW}\n", True), ("", True), ("e" * 40 + "\n", False), (NEW[:20], False)]
)
def test_the_content_tells_whose_lock_it_is(tmp_path: Path, content: str, is_removed: bool) -> None:
    """The dead holder's commit or nothing: removed. Any other value: a living git's, left alone."""
    lock = tmp_path / "log.lock"
    lock.write_text(content)
    with gate.hold(tmp_path / "chatroom") as held:
        (tmp_path / "chatroom" / "write.lock").write_bytes(DEAD.encode())
        held.bury(lambda _: lock)
        assert held.read() is None
    assert lock.exists() is not is_removed


def test_an_empty_lock_that_changes_is_a_living_gits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is still writing the lock while it is watched keeps it."""
    lock = tmp_path / "log.lock"
    lock.touch()
    seen: list[LockFile | None] = []
    look = LockFile.look

    def look_and_write(path: Path) -> LockFile | None:
        seen.append(look(path))
        if len(seen) == 3:
            lock.write_text("e" * 40)
        return seen[-1]

    monkeypatch.setattr(LockFile, "look", look_and_write)
    with gate.hold(tmp_path / "chatroom") as held:
        (tmp_path / "chatroom" / "write.lock").write_bytes(DEAD.encode())
        held.bury(lambda _: lock)
    assert lock.read_text() == "e" * 40


@pytest.fixture
def reftable_lock(tmp_path: Path) -> Path:
    """Where the lock of all refs would be."""
    (tmp_path / "reftable").mkdir()
    return tmp_path / REFTABLE_LOCK


@pytest.mark.parametrize("content", ["", "0x000000000001-0x000000000002-79b65a0e.ref\n"])
def test_a_lock_of_all_refs_goes_when_nobody_has_it_open(reftable_lock: Path, content: str) -> None:
    """What it holds tells nothing; that it is closed and stays as it is does."""
    reftable_lock.write_text(content)
    with gate.hold(reftable_lock.parent) as held:
        held.intend(REF, NEW)
        held.bury(lambda _: reftable_lock)
    assert not reftable_lock.exists()


@pytest.mark.parametrize("content", ["", "0x000000000001-0x000000000002-79b65a0e.ref\n"])
def test_a_lock_of_all_refs_that_somebody_has_open_is_never_removed(reftable_lock: Path, content: str) -> None:
    """Neither after a dead intent nor for its age: its holder would put an unfinished list of refs into place."""
    with reftable_lock.open("w") as lock, gate.hold(reftable_lock.parent) as held:
        lock.write(content)
        lock.flush()
        os.utime(reftable_lock, (1, 1))
        held.intend(REF, NEW)
        held.bury(lambda _: reftable_lock)
        found = LockFile.look(reftable_lock)
        assert found is not None
        assert not held.is_old(found)


def test_a_git_that_is_still_being_killed_is_waited_for(reftable_lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may free its write lock before it closes the lock of all refs."""
    dying = reftable_lock.open("w")
    monkeypatch.setattr("gitchat.storage.lockfile.time.sleep", lambda _: dying.close())
    with gate.hold(reftable_lock.parent) as held:
        held.intend(REF, NEW)
        held.bury(lambda _: reftable_lock)
    assert not reftable_lock.exists()


def test_where_the_kernel_does_not_tell_a_lock_of_all_refs_is_left_to_a_person(
    reftable_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without leases nobody knows whether a living git holds it, however old it is."""
    monkeypatch.delattr("fcntl.F_SETLEASE")
    reftable_lock.touch()
    os.utime(reftable_lock, (1, 1))
    with gate.hold(reftable_lock.parent) as held:
        held.intend(REF, NEW)
        held.bury(lambda _: reftable_lock)
        found = LockFile.look(reftable_lock)
        assert found is not None
        assert found.is_closed() is None
        assert not held.is_old(found)


def test_an_empty_lock_that_somebody_has_open_is_a_living_gits(tmp_path: Path) -> None:
    """A git that was stopped between making its lock and filling it keeps it."""
    path = tmp_path / "log.lock"
    with path.open("w"), gate.hold(tmp_path / "chatroom") as held:
        held.intend(REF, NEW)
        held.bury(lambda _: path)
    assert path.exists()


def test_who_asks_whether_a_lock_is_open_does_no_harm(tmp_path: Path) -> None:
    """It can be opened for writing at once, and nobody is sent a signal that ends it."""
    path = tmp_path / "log.lock"
    path.touch()
    found = LockFile.look(path)
    assert found is not None
    assert found.is_closed() is True
    with path.open("w") as file:
        assert found.is_closed() is False
        file.write("x")
    path.rename(tmp_path / "log")
    assert found.is_closed() is None


def test_an_intent_without_a_lock_is_just_forgotten(tmp_path: Path) -> None:
    """The writer died before it took the ref's lock, or after it gave it back."""
    with gate.hold(tmp_path / "chatroom") as held:
        (tmp_path / "chatroom" / "write.lock").write_bytes(DEAD.encode())
        held.bury(lambda _: tmp_path / "nothing" / "log.lock")
        assert held.read() is None


def test_the_age_of_a_lock_does_not_depend_on_the_clock(tmp_path: Path) -> None:
    """It is measured against a file that the same file system dates now."""
    lock = tmp_path / "log.lock"
    lock.touch()
    with gate.hold(tmp_path / "chatroom") as held:
        found = LockFile.look(lock)
        assert found is not None
        assert held.seconds_since(found) >= 0
        os.utime(lock, (found.modified - 100, found.modified - 100))
        older = LockFile.look(lock)
        assert older is not None
        assert held.seconds_since(older) >= 100


def test_a_fork_beside_a_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    """A pool of processes that is forked while another thread sends lives on, and the lock is free after the send."""
    directory = tmp_path / "chatroom"
    told, tell = os.pipe()
    with gate.hold(directory):
        child = os.fork()
        if child == 0:
            os.close(tell)
            os.read(told, 1)  # until the test is over
            os._exit(0)
    with gate.hold(directory, wait_seconds=0):
        pass
    os.close(tell)
    os.waitpid(child, 0)
    os.close(told)


def test_a_fork_of_a_holder_that_is_killed_does_not_keep_the_lock(tmp_path: Path) -> None:
    """What the kernel frees with a dead process it frees also when its children live."""
    directory = tmp_path / "chatroom"
    told, tell = os.pipe()
    holder = os.fork()
    if holder == 0:
        with gate.hold(directory):
            if os.fork() == 0:
                os.close(tell)
                os.read(told, 1)
                os._exit(0)
            os._exit(9)  # without letting go
    os.waitpid(holder, 0)
    with gate.hold(directory, wait_seconds=5):
        pass
    os.close(tell)
    os.close(told)


def test_a_fork_inside_leaves_without_closing_what_is_anothers(tmp_path: Path) -> None:
    """A child that goes on in the block where its parent holds the lock ends it as if it had never been there."""
    child = -1
    try:
        with gate.hold(tmp_path / "chatroom") as held:
            child = os.fork()
            if child == 0:
                os.dup2(os.open(os.devnull, os.O_RDONLY), held.descriptor)
        if child == 0:
            os.fstat(held.descriptor)
            os._exit(0)
    finally:
        if child == 0:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_who_got_the_lock_goes_on_holding_it(tmp_path: Path) -> None:
    """A lock that was handed on stays with the process that got it, until that ends."""
    directory = tmp_path / "chatroom"
    told, tell = os.pipe()
    with gate.hold(directory) as held:
        keeper = subprocess.Popen(["cat"], stdin=told, pass_fds=[held.hand_on()])
    with pytest.raises(ConflictError), gate.hold(directory, wait_seconds=0):
        pass
    os.close(tell)
    os.close(told)
    keeper.wait()
    with gate.hold(directory, wait_seconds=0):
        pass
