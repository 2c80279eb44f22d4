"""What stands in the place of one of our files is left alone. Proves docs/format.md section 7."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitchat.index import files
from gitchat.model.errors import StorageError
from gitchat.storage import gate
from gitchat.storage.ownfiles import Misplaced, OwnFile, entries
from tests.clones.conftest import Hub
from tests.world import World

LIMIT_SECONDS = 60
"""None of this waits for anything; a machine that needs longer is stuck."""


@pytest.fixture
def room(world: World, hub: Hub) -> Path:
    """A clone in which everything was done that leaves a file in ``chatroom/``; where that is."""
    clone = hub.clone("clone").path
    agent = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s1", "CLAUDE_CODE_ENTRYPOINT": "cli"}
    hooked = b'{"session_id": "s1", "hook_event_name": "PostToolUse"}'
    world.chat("send", "hello", cwd=clone, check=True)
    world.chat("search", "hello", cwd=clone, check=True)
    world.chat("sync", cwd=clone, check=True)
    world.chat("join", "--role", "dev", cwd=clone, check=True, **agent)
    for word in ("one", "two"):
        world.run("git-chat-hook", "claude", "work", cwd=clone, stdin=hooked, **agent)
        world.chat("send", word, "--as", "bob", cwd=clone, check=True)
    world.chat("wait", "--rewake", "--timeout", "0.01", cwd=clone, **agent)
    world.chat("read", cwd=clone, check=True)
    world.chat("pack", cwd=clone, check=True)
    world.chat("sync", cwd=clone, check=True)
    for name in ("trouble-origin", "pace-origin", "stood-origin", "hurry-origin", "rings"):
        OwnFile(clone / ".git" / "chatroom", name).replace(b"{}\n")  # they come with time, or when a remote is unheard
    return clone / ".git" / "chatroom"


def files_of(directory: Path) -> list[str]:
    """All that is in there, files and directories, by its name below ``directory``."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    """What hangs in here is interrupted, and fails."""

    def stop(*_: object) -> None:
        raise AssertionError(f"it hangs: {seconds} s are over")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_full_run_leaves_the_files_that_are_tried(room: Path) -> None:
    """The table below is made of what is there; these kinds must be among it."""
    found = set(files_of(room))
    assert found >= {
        "authorities", "checkpoints/lobby", "clone", "ends/lobby", "gate", files.after(None), "journal", "live",
        "live.lock", "names", "packs", "seats", "sync.lock", "told/claude-clone", "write.lock",
    }  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["link", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("database", "pipe", "directory"))]
)
def test_what_stands_in_a_files_place_is_neither_changed_nor_waited_for(world: World, room: Path, kind: str) -> None:
    """For each name that we use: a command says what is in the way and how to remove it, or works without it."""
    clone, precious = room.parents[1], world.root / "precious"
    for name in files_of(room):
        before = lay(room / name, kind, precious)
        with no_longer_than(LIMIT_SECONDS):
            done = [
                world.chat(*words, cwd=clone)
                for words in (("send", "--as", "bob", "x"), ("search", "hello"), ("doctor", "--fix"))
            ]
        assert contents(precious) == before, name
        for one in done:
            assert one.returncode in (0, 1, 4), (name, one)
            assert "Traceback" not in one.stderr, (name, one)
        if done[0].returncode != 0:
            assert str(room / name) in done[0].stderr, (name, done[0])
            hint = done[0].stderr.split("hint: ")[1].splitlines()[0].split(": ", 1)[1]
            world.run("sh", "-c", hint, cwd=clone)
            assert not os.path.lexists(room / name), name
            again = world.chat("send", "--as", "bob", "x", cwd=clone)
            assert again.returncode == 0, (name, again)
        take_away(room / name, kind)


def lay(path: Path, kind: str, precious: Path) -> dict[str, bytes]:
    """Put what is ``kind`` in the place of ``path``; what is precious then."""
    is_directory = path.is_dir() and not path.is_symlink()
    take_away(path, "any")
    shutil.rmtree(precious, ignore_errors=True)
    precious.mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in ("file", "lobby", "bob", "claude-s1-work"):
        (precious / name).write_bytes(b"precious\n" * 20)
        os.utime(precious / name, (0, 0))
    match kind:
        case "link":
            path.symlink_to(precious if is_directory else precious / "file")
        case "database":
            with sqlite3.connect(precious / "file.db") as database:
                database.execute("CREATE TABLE mine (word TEXT)")
            path.symlink_to(precious / "file.db")
        case "pipe":
            os.mkfifo(path)
        case "directory":
            if is_directory:
                path.write_bytes(b"")  # the other way round
            else:
                (path / "mine").mkdir(parents=True)
    return contents(precious)


def take_away(path: Path, kind: str) -> None:
    """Remove what stands there, if it still does."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def contents(directory: Path) -> dict[str, bytes]:
    """Each file in there, and what it holds."""
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_a_linked_chatroom_is_refused_and_the_hint_helps(world: World) -> None:
    """``chatroom -> elsewhere`` would have us write into a directory of somebody's choice."""
    repository, elsewhere = world.repository(), world.root / "elsewhere"
    elsewhere.mkdir()
    (repository / ".git" / "chatroom").symlink_to(elsewhere)
    refused = world.chat("send", "x", cwd=repository)
    assert refused.returncode == 1
    assert "a symbolic link" in refused.stderr
    assert world.chat("log", cwd=repository).returncode in (0, 1)
    assert not list(elsewhere.iterdir())
    world.run("sh", "-c", refused.stderr.split("hint: ")[1].split(": ", 1)[1], cwd=repository)
    assert world.chat("send", "x", cwd=repository).returncode == 0


def test_a_writer_is_told_what_is_in_the_way(tmp_path: Path) -> None:
    """The write lock is never truncated through a link."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "chatroom").mkdir()
    (tmp_path / "chatroom" / "write.lock").symlink_to(precious)
    with pytest.raises(StorageError, match="symbolic link") as refused, gate.hold(tmp_path / "chatroom"):
        pass
    assert refused.value.code == "misplaced"
    assert precious.read_text() == "precious"


def test_a_draft_of_somebody_else_is_not_written_through(tmp_path: Path) -> None:
    """What is replaced at once has a draft, whose name can be guessed."""
    precious, file = tmp_path / "precious", OwnFile(tmp_path / "chatroom", "seats")
    precious.write_text("precious")
    file.replace(b"one")
    (tmp_path / "chatroom" / "seats.new").symlink_to(precious)
    file.replace(b"two")
    assert (file.read(), precious.read_text()) == (b"two", "precious")


def test_a_directory_below_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    """Neither to write, nor to list what is then removed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lobby").write_text("precious")
    (tmp_path / "chatroom").mkdir()
    (tmp_path / "chatroom" / "checkpoints").symlink_to(elsewhere)
    file = OwnFile(tmp_path / "chatroom", "checkpoints/lobby")
    for act in (file.read, file.remove, lambda: file.open(os.O_RDWR | os.O_CREAT), lambda: file.replace(b"x")):
        with pytest.raises(Misplaced):
            act()
    assert entries(tmp_path / "chatroom", "checkpoints") == []
    assert (elsewhere / "lobby").read_text() == "precious"
