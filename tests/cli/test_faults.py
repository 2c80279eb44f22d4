"""Bad input and faults: one ``error:``, one ``hint:``, the right status, and nothing half done."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD
from typing import Any

import pytest

from gitchat import __version__
from gitchat.cli import COMMANDS
from gitchat.model.errors import ConflictError
from gitchat.model.record import Draft, Identity, Moment
from gitchat.storage.store import Store
from tests.cli.conftest import LOG, Chatroom, as_ordinary_user, read_only, refused
from tests.world import World, open_writer

MIRROR = "+refs/*:refs/*"


def refs(repository: Path) -> dict[Path, bytes]:
    """The bytes of all chat refs and of packed refs: what a room is, as far as it can change."""
    files = [*(repository / ".git" / "refs" / "chatroom").rglob("*"), repository / ".git" / "packed-refs"]
    return {path: path.read_bytes() for path in files if path.is_file()}


# --- the table ---------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """A command that cannot succeed in a room of three records, and what it says."""

    words: str
    """The command; it is split at white space."""
    error: str
    hint: str
    status: int = 1
    arrange: Callable[[Chatroom], object] = lambda room: None
    """What is wrong before the command runs."""
    variables: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    """What is on standard output all the same."""


def damage(room: Chatroom, number: int) -> None:
    """Overwrite the object of a record."""
    path = room.file_of_object(room.entries()[number - 1].oid)
    path.chmod(0o644)
    path.write_text("junk")


def remove(room: Chatroom, number: int) -> None:
    """Remove the object of a record."""
    room.lose(room.entries()[number - 1].oid)


def file_for_directory(room: Chatroom) -> None:
    """Put a file where the program keeps its own."""
    shutil.rmtree(room.path / ".git" / "chatroom")
    (room.path / ".git" / "chatroom").touch()


def newer_format(room: Chatroom) -> None:
    """Let a later version of gitchat have written to the room."""
    room.foreign(b"meta\n\nChat-Kind: meta\nChat-Format-Min: 3\n")


FAULTS = {
    # what was typed
    "unknown command": Fault("git chat sned hi", "there is no command 'sned'", "git chat send hi", 2),
    "unknown option": Fault("git chat send --loud hi", "has no option --loud", "git chat send -h", 2),
    "unknown choice": Fault("git chat send --priority high hi", "'high' is not one of", "git chat send -h", 2),
    "option without value": Fault("git chat log --room", "'--room' requires an argument", "git chat", 2),
    "no count": Fault("git chat log -n few", "'few' is not a valid integer", "git chat log -h", 2),
    "negative count": Fault("git chat log -n -1", "-1 is not in the range", "git chat log -h", 2),
    "half a pair": Fault("git chat log --between alice", "requires 2 arguments", "git chat", 2),
    "invalid room": Fault("git chat send --room a/b hi", "room 'a/b' is not a valid name", "'a-b'"),
    "invalid name": Fault("git chat send --as al:ice hi", "name 'al:ice' is not a valid name", "'al-ice'"),
    "invalid recipient": Fault("git chat send -t .. hi", "recipient '..' is not a valid name", "1 to 64 of a-z"),
    "unknown room": Fault("git chat log --room dev", "there is no room 'dev' here", "rooms: lobby"),
    "unknown number": Fault("git chat show 4", "no record #4 in room 'lobby'", "newest record is #3: git chat log"),
    "nothing to send": Fault("git chat send", "no text to send", 'git chat send "hello"'),
    "used key": Fault(
        "git chat send --uid k other", "#3 was sent with the same key", "git chat show '#3'", 3,
        lambda room: room.say("third", key="k"),
    ),
    # where it was typed
    "no repository": Fault(
        "git chat send hi", "is not inside a git repository", "git init",
        arrange=lambda room: shutil.rmtree(room.path / ".git"),
    ),
    "no repository to read": Fault(
        "git chat log", "is not inside a git repository", "git init",
        arrange=lambda room: shutil.rmtree(room.path / ".git"),
    ),
    "no repository to examine": Fault(
        "git chat doctor", "is not inside a git repository", "git init",
        arrange=lambda room: shutil.rmtree(room.path / ".git"),
        printed="ok     git: git version",
    ),
    "foreign owner": Fault(
        "git chat send hi", "belongs to another user", "git config --global --add safe.directory",
        variables={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"},
    ),
    "wrong GIT_DIR": Fault(
        "git chat send hi", "is not inside a git repository", "git init", variables={"GIT_DIR": "/nonexistent"}
    ),
    "unreadable setting": Fault(
        "git chat send hi", "chat.maxBody is 'big'", "git config --unset chat.maxBody",
        arrange=lambda room: room.git("config", "chat.maxBody", "big"),
    ),
    "mirror clone": Fault(
        "git chat send hi", "'git fetch origin' would overwrite the rooms", "git config remote.origin.fetch",
        arrange=lambda room: room.git("config", "remote.origin.fetch", MIRROR),
    ),
    # what is stored
    "missing newest": Fault("git chat log", "is missing", "git chat doctor", 4, lambda room: remove(room, 3)),
    "missing older": Fault(
        "git chat log", "is missing", "git chat doctor", 4, lambda room: remove(room, 1), printed="#2  alice"
    ),
    "damaged older": Fault(
        "git chat log --oneline", "is damaged", "git fsck", 4, lambda room: damage(room, 2), printed="#3 alice"
    ),
    "damaged, as JSON": Fault(
        "git chat log --json", "is damaged", "git fsck", 4, lambda room: damage(room, 2), printed='{"id": 3,'
    ),
    "show past damage": Fault("git chat show 1", "is damaged", "git fsck", 4, lambda room: damage(room, 2)),
    "send on damage": Fault("git chat send hi", "is damaged", "git fsck", 4, lambda room: damage(room, 3)),
    "damaged ref": Fault(
        "git chat send hi", f"the ref {LOG} is damaged", "git chat doctor", 4,
        lambda room: room.file_of().write_text("garbage\n"),
    ),
    "ref without a commit": Fault(
        "git chat send hi", "is missing", "git chat doctor", 4,
        lambda room: room.file_of().write_text("12345678" * 5 + "\n"),
    ),
    "newer format": Fault(
        "git chat send hi", "is written in format 3", "pipx install --force .", 4, newer_format
    ),
    "file where a directory belongs": Fault(
        "git chat send hi", "is in the way", "mv ",
        arrange=file_for_directory,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_is_one_error_and_one_hint(chatroom: Chatroom, fault: Fault) -> None:
    """A fault is told in two lines with its own status, and leaves the room as it was."""
    for text in ("first", "second"):
        chatroom.say(text)
    chatroom.say("third", key="k")
    fault.arrange(chatroom)
    before = refs(chatroom.path)
    done = chatroom.world.run(*fault.words.split(), cwd=chatroom.path, check=False, **fault.variables)
    if fault.printed:
        assert fault.printed in done.stdout
        done.stdout = ""
    refused(done, fault.error, fault.hint, fault.status)
    assert refs(chatroom.path) == before


def test_git_itself_is_missing(chatroom: Chatroom) -> None:
    """Without git in PATH the hint says which git to install."""
    program = shutil.which("git-chat", path=chatroom.world.variables["PATH"])
    assert program is not None
    refused(chatroom.world.run(program, "send", "hi", check=False, PATH="/nonexistent"), "git cannot be found", "2.31")


def test_no_certificates_are_needed(chatroom: Chatroom) -> None:
    """As in a slim container, or where SSL_CERT_FILE names what is gone."""
    gone = {"SSL_CERT_FILE": "/nowhere/file", "SSL_CERT_DIR": "/nowhere"}
    assert json.loads(chatroom.chat("send", "--json", "hello", check=True, **gone).stdout)["id"] == 1


def test_current_directory_is_gone(chatroom: Chatroom) -> None:
    """A directory that was removed under a shell is named as the cause."""
    done = chatroom.world.run("sh", "-c", 'mkdir gone && cd gone && rmdir "$PWD" && git-chat log', check=False)
    refused(done, "the current directory does not exist any more", "change to an existing directory")


def test_help_is_shown_without_a_command(chatroom: Chatroom) -> None:
    """``git chat`` alone is a question: the commands are the answer, in a repository or not."""
    for words in ([], ["-h"]):
        shown = chatroom.world.chat(*words, check=True).stdout
        assert re.findall(r"^  (\w+)  +[A-Z]", shown, re.MULTILINE) == list(COMMANDS)


def test_version_is_told(chatroom: Chatroom) -> None:
    """``--version`` names the program and its version."""
    assert chatroom.chat("--version", check=True).stdout == f"git-chat {__version__}\n"


# --- repositories of every shape ---------------------------------------------


def bare(room: Chatroom) -> Path:
    """A bare repository."""
    room.git("clone", "-q", "--bare", room.path, room.world.root / "bare.git")
    return room.world.root / "bare.git"


def submodule(room: Chatroom) -> Path:
    """A repository inside another."""
    outer = room.world.repository("outer")
    room.world.git("submodule", "--quiet", "add", room.path, "inner", cwd=outer)
    return outer / "inner"


@pytest.mark.parametrize("words", [("send", "hello"), ("log",), ("status",)], ids=" ".join)
def test_a_submodule_is_told_from_the_project_around_it(chatroom: Chatroom, words: tuple[str, ...]) -> None:
    """Where that has the room and the submodule has none it is said in a line, with the command that shows it, once."""
    inner = submodule(chatroom)
    world, outer = chatroom.world, inner.parent
    assert "submodule" not in world.chat(*words, "--room", "other", cwd=inner).stderr
    world.chat("send", "around", cwd=outer, check=True)
    (told,) = [line for line in world.chat(*words, cwd=inner).stderr.splitlines() if "submodule" in line]
    assert told.startswith(
        "this is the clone of the submodule 'inner', without a room 'lobby'; the project around it has"
    )
    assert "around" in world.run("sh", "-c", told.partition("has one: ")[2], cwd=inner, check=True).stdout
    world.chat("send", "of its own", cwd=inner, check=True)
    assert world.chat(*words, cwd=inner, check=True).stderr == ""


def subdirectory(room: Chatroom) -> Path:
    """A directory below the top of a work tree."""
    (room.path / "a" / "b").mkdir(parents=True)
    return room.path / "a" / "b"


def git_directory(room: Chatroom) -> Path:
    """The git directory itself."""
    return room.path / ".git"


def unborn(room: Chatroom) -> Path:
    """A repository without a commit."""
    room.git("init", "-q", room.world.root / "unborn")
    return room.world.root / "unborn"


def odd_path(room: Chatroom) -> Path:
    """A path that begs to be misread."""
    return room.world.repository('it\'s a "path" $(x) é 日本')


def reftable(room: Chatroom) -> Path:
    """Refs in a reftable, which only a newer git knows."""
    room.world.use_newer_git()
    return room.world.repository("reftable", "--ref-format=reftable")


SHAPES = [bare, submodule, subdirectory, git_directory, unborn, odd_path, reftable]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_room_works_in(chatroom: Chatroom, shape: Callable[[Chatroom], Path]) -> None:
    """Sending, reading and the doctor work in a repository of any shape."""
    cwd = shape(chatroom)
    assert chatroom.world.chat("send", "hello", cwd=cwd, check=True).stdout == "#1\n"
    assert chatroom.world.chat("log", "--oneline", cwd=cwd, check=True).stdout == "#1 alice: hello\n"
    assert "WRONG" not in chatroom.world.chat("doctor", cwd=cwd, check=True).stdout


def test_linked_worktrees_share_the_room(chatroom: Chatroom) -> None:
    """What one worktree sends, the other shows, under one sequence of numbers."""
    tree = chatroom.world.root / "tree"
    chatroom.git("worktree", "add", "-q", tree)
    assert chatroom.chat("send", "from the repository").stdout == "#1\n"
    assert chatroom.world.chat("send", "from the worktree", cwd=tree).stdout == "#2\n"
    listings = [chatroom.world.chat("log", "--json", cwd=cwd).stdout for cwd in (chatroom.path, tree)]
    assert listings[0] == listings[1]
    assert listings[0].count("\n") == 2


def test_git_dir_and_work_tree_are_obeyed(chatroom: Chatroom) -> None:
    """GIT_DIR and ``--git-dir`` choose the repository, as for every git command and in every hook."""
    elsewhere = chatroom.world.repository("elsewhere")
    git_dir = str(chatroom.path / ".git")
    assert chatroom.world.chat("send", "one", cwd=elsewhere, GIT_DIR=git_dir).stdout == "#1\n"
    assert chatroom.world.git("--git-dir", git_dir, "chat", "send", "two", cwd=elsewhere).stdout == "#2\n"
    assert chatroom.world.git("-C", chatroom.path, "chat", "send", "three").stdout == "#3\n"
    assert [entry.record.body for entry in chatroom.entries()] == ["one", "two", "three"]


def test_mirror_clone_can_be_read_and_not_written(chatroom: Chatroom) -> None:
    """In a mirror clone the next fetch would delete what is sent, so only reading works there."""
    chatroom.say()
    mirror = chatroom.world.root / "mirror.git"
    chatroom.git("clone", "-q", "--mirror", chatroom.path, mirror)
    refused(chatroom.world.chat("send", "hi", cwd=mirror), "'git fetch origin' would overwrite", "ordinary clone")
    assert chatroom.world.chat("log", "--oneline", cwd=mirror, check=True).stdout == "#1 alice: hello\n"


def test_sha256_repository_works(world: World) -> None:
    """Where libgit2 cannot go, git's own plumbing does the same, and doctor finds nothing wrong."""
    repository = world.repository("sha256", "--object-format=sha256")
    for number in (1, 2):
        assert world.chat("send", f"message {number}", cwd=repository).stdout == f"#{number}\n"
    assert world.chat("log", "--oneline", cwd=repository).stdout == "#1 alice: message 1\n#2 alice: message 2\n"
    shown = world.chat("show", "2", cwd=repository).stdout
    assert re.search(r"^Oid: +[0-9a-f]{64}$", shown, re.MULTILINE)
    checked = world.chat("doctor", cwd=repository)
    assert (checked.returncode, "object ids sha256" in checked.stdout) == (0, True)


# --- git's own locks ---------------------------------------------------------


def test_lock_that_was_left_behind_is_removed(chatroom: Chatroom) -> None:
    """A lock of the ref older than a minute belongs to nobody: the send clears it away and succeeds."""
    chatroom.say()
    lock = Path(f"{chatroom.file_of()}.lock")
    lock.touch()
    os.utime(lock, times=(time.time() - 120, time.time() - 120))
    assert chatroom.chat("send", "hi").stdout == "#2\n"
    assert not lock.exists()


def test_lock_of_a_living_git_is_waited_for(chatroom: Chatroom) -> None:
    """A fresh lock of the ref is somebody's: after the wait the send is refused, with the way out as its hint."""
    chatroom.say()
    before = refs(chatroom.path)
    lock = Path(f"{chatroom.file_of()}.lock")
    lock.touch()
    backend = chatroom.world.environment(chatroom.path).store.backend
    store = Store(backend, chatroom.path / ".git" / "chatroom", wait_seconds=0.3)
    writer = open_writer(store, clock=lambda: Moment(0))
    alice = Identity(chatroom.newest().author, "a@example.com", "Alice", "a@example.com", "human")  # type: ignore[arg-type]
    with pytest.raises(ConflictError) as caught:
        writer.send(Draft(body="hi"), alice)
    assert (caught.value.code, caught.value.status) == ("ref-locked", 3)
    assert f"rm '{lock}'" in caught.value.hint
    assert lock.exists()
    lock.unlink()
    assert refs(chatroom.path) == before
    assert writer.send(Draft(body="hi"), alice).entry.number == 2


# --- disks -------------------------------------------------------------------


def test_read_only_repository_can_be_read(chatroom: Chatroom) -> None:
    """Without permission to write, sending is refused and reading works."""
    chatroom.say()
    before = refs(chatroom.path)
    user = as_ordinary_user()
    with read_only(chatroom.path):
        sent = chatroom.chat("send", "hi", under=user)
        read = chatroom.chat("log", "--oneline", check=True, under=user)
    refused(sent, "cannot write to", "ask its owner for write access: ls -ld")
    assert read.stdout == "#1 alice: hello\n"
    assert refs(chatroom.path) == before


def test_first_message_in_a_read_only_repository(chatroom: Chatroom) -> None:
    """Also where there is no room yet, the refusal names the cause and leaves nothing behind."""
    user = as_ordinary_user()
    with read_only(chatroom.path):
        sent = chatroom.chat("send", "hi", under=user)
    refused(sent, "cannot write to", "ask its owner")
    assert not (chatroom.path / ".git" / "chatroom").exists()


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """A file system of its own, of 1 MB."""
    disk = world.root / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(disk: Path, pages_left: int) -> None:
    """Use up the disk but for some pages of 4 KiB, each of which holds one small file."""
    free = shutil.disk_usage(disk).free
    (disk / "filling").write_bytes(b"x" * (free - pages_left * 4096))


def test_full_disk_loses_nothing(world: World, small_disk: Path) -> None:
    """Wherever the space ends, a send is refused whole; with space again the numbers go on without a gap."""
    repository = small_disk / "repo"
    world.git("init", "-q", "--template=", repository)
    assert world.chat("send", "before", cwd=repository, check=True).stdout == "#1\n"
    count, refusals = 1, 0
    for pages_left in range(9):
        fill(small_disk, pages_left)
        before = refs(repository)
        done = world.chat("send", f"with {pages_left} pages", cwd=repository)
        (small_disk / "filling").unlink()
        if done.returncode == 0:
            count += 1
            assert done.stdout == f"#{count}\n"
        else:
            refusals += 1
            refused(done, "no space left for", "free some space and send again; nothing was written")
            assert refs(repository) == before
    assert 0 < refusals < 9
    assert world.chat("send", "after", cwd=repository, check=True).stdout == f"#{count + 1}\n"
    assert world.git("fsck", "--strict", "--no-dangling", cwd=repository).stdout == ""


def test_read_only_file_system(world: World, small_disk: Path) -> None:
    """A disk that is mounted for reading only is told apart from a missing permission, and can be read."""
    repository = small_disk / "repo"
    world.git("init", "-q", "--template=", repository)
    world.chat("send", "before", cwd=repository, check=True)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = world.chat("send", "hi", cwd=repository)
    refused(done, "Read-only file system", "df '")
    told = world.run("sh", "-c", done.stderr[done.stderr.rindex("df '") :], cwd=repository).stdout
    assert str(small_disk) in told
    assert world.chat("log", "--oneline", cwd=repository, check=True).stdout == "#1 alice: before\n"


@pytest.mark.parametrize("words", ["log", "show --body 1", "doctor", "send -", "-h"])
def test_output_that_cannot_be_written(chatroom: Chatroom, words: str) -> None:
    """A full disk behind ``>`` is an error and not a success."""
    chatroom.say()
    command = f"git chat {words} > /dev/full"
    done = chatroom.world.run("sh", "-c", command, cwd=chatroom.path, stdin=b"hi", check=False)
    refused(done, "cannot write the output: No space left on device", "free some space")


# --- signals -----------------------------------------------------------------


@pytest.mark.parametrize("words", ["log", "log --json", "show --body 1"])
def test_reader_that_has_seen_enough_is_no_error(chatroom: Chatroom, words: str) -> None:
    """When the reader of a pipe goes away, the program ends in silence."""
    for _ in range(3):
        chatroom.say("0123456789 " * 5_000)
    process = subprocess.Popen(
        ["git", "chat", *words.split()], cwd=chatroom.path, env=chatroom.world.variables,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() in (0, 141, -signal.SIGPIPE)
    process.stderr.close()


@pytest.mark.parametrize("program", ["git-chat", "git chat"])
def test_control_c_while_waiting_for_input(chatroom: Chatroom, program: str) -> None:
    """An interrupt ends the program with 130, with no more than the line of the ``^C`` ended, and nothing is sent."""
    process = subprocess.Popen(
        [*program.split(), "send", "-"], cwd=chatroom.path, env=chatroom.world.variables, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"half a mess")
    process.stdin.flush()
    wait_until_read(process.stdin.fileno())
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    stdout, stderr = process.communicate()
    assert (stdout, stderr.strip()) == (b"", b"")
    # git passes the signal on to itself; a shell reports both as 130.
    assert process.returncode in ((130,) if program == "git-chat" else (130, -signal.SIGINT))
    assert chatroom.entries() == []


def wait_until_read(pipe: int) -> None:
    """Return when the other side has taken everything out of the pipe, and so waits for more."""
    deadline = time.monotonic() + 30
    while ioctl(pipe, FIONREAD, b"\0" * 4) != b"\0" * 4:
        assert time.monotonic() < deadline, "nobody reads"
        time.sleep(0.005)


# --- what is not ours --------------------------------------------------------


def everything(repository: Path) -> dict[str, bytes]:
    """The bytes of every file but the objects and our own directory."""
    files = (path for path in repository.rglob("*") if path.is_file())
    named = {str(path.relative_to(repository)): path.read_bytes() for path in files}
    return {name: data for name, data in named.items() if not name.startswith((".git/objects/", ".git/chatroom/"))}


def test_send_touches_nothing_of_the_users(chatroom: Chatroom) -> None:
    """Work tree, index, HEAD, branches, tags, reflogs and configuration stay byte for byte as they were."""
    (chatroom.path / "file.txt").write_text("changed\n")
    (chatroom.path / "staged.txt").write_text("staged\n")
    chatroom.git("add", "staged.txt")
    chatroom.git("tag", "v1")
    chatroom.git("checkout", "-q", "--detach")
    before = everything(chatroom.path)
    for words in (["send", "hello"], ["send", "-t", "bob", "again"], ["log"], ["show", "1"], ["doctor"]):
        chatroom.chat(*words, check=True)
    after = everything(chatroom.path)
    assert after.pop(f".git/{LOG}").strip().decode() == chatroom.tip
    assert after == before


def test_a_hook_sends_under_the_configured_identity(chatroom: Chatroom) -> None:
    """What git tells a hook about the commit being made is not about the message, and its index stays as it is."""
    hook = chatroom.path / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\nenv | grep -q GIT_INDEX_FILE= && git chat send committed\n")
    hook.chmod(0o755)
    (chatroom.path / "file.txt").write_text("changed\n")
    mallory = ("--author=Mallory <mallory@example.com>", "--date=2001-01-01T00:00:00Z")
    chatroom.git("commit", "-q", "-a", "-m", "code", *mallory, GIT_COMMITTER_NAME="Trudy")
    assert chatroom.newest().body == "committed"
    shown = chatroom.git("log", "-1", "--format=%an %cn %ct", LOG).stdout.split()
    assert shown[:2] == ["alice", "Alice"]
    assert int(shown[2]) > 1_700_000_000
    assert chatroom.git("status", "--porcelain").stdout == ""


def test_fsck_is_content(chatroom: Chatroom) -> None:
    """git finds nothing to complain about in what the program writes, whatever was sent."""
    for data in (
        b"hello",
        "日本 👩‍👩‍👧\u2028".encode(),
        b"\x1b[31m\r\n\r\nforged\n\nChat-Kind: genesis",
        b"x" * 60_000,
    ):
        chatroom.chat("send", "-t", "role:qa", "--type", "question", "-", stdin=data, check=True)
    chatroom.chat("send", "--as", "zoe", "-r", "1", "yes", check=True)
    done = chatroom.git("fsck", "--strict")
    assert (done.stdout, done.stderr) == ("", "")


def test_extension_that_git_does_not_know(chatroom: Chatroom) -> None:
    """A repository of a kind that this git cannot open is one error and one hint, with git's words on one line."""
    chatroom.git("config", "core.repositoryFormatVersion", "1")
    chatroom.git("config", "extensions.fromTheFuture", "true")
    for words in (["send", "hi"], ["log"]):
        refused(
            chatroom.world.run("git-chat", *words, cwd=chatroom.path, check=False),
            "unknown repository extension",
            "git",
        )


def test_error_is_one_line_whatever_the_path(world: World) -> None:
    """A line break in a path does not break the error in two."""
    path = world.root / "two\nlines"
    path.mkdir()
    refused(world.chat("log", cwd=path), "two lines is not inside a git repository", "git init")


@pytest.mark.parametrize("words", ["log --room", "log --between alice"])
def test_usage_error_points_to_the_help_of_the_command(chatroom: Chatroom, words: str) -> None:
    """The hint of a wrong usage is the help of the command that was used, and not of all."""
    refused(chatroom.chat(*words.split()), "", "git chat log -h", 2)


@pytest.mark.parametrize(
    ("command", "status"),
    [("git-chat log >&-", 1), ("git-chat send hi >&-", 1), ("git-chat send <&-", 1), ("git-chat send - <&-", 1)],
)
def test_closed_stream_is_no_defect(chatroom: Chatroom, command: str, status: int) -> None:
    """A daemon that starts us without standard streams gets an error that says so, or none."""
    chatroom.say()
    done = chatroom.world.run("sh", "-c", command, cwd=chatroom.path, check=False)
    assert done.returncode in (0, status)
    assert "Traceback" not in done.stderr
    assert "does not know" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "words"), [("chat.room=a/b", "log"), ("chat.date=martian", "log"), ("chat.name=a/b", "send hi")]
)
def test_error_names_the_setting_it_is_about(chatroom: Chatroom, setting: str, words: str) -> None:
    """Who typed no room must not look for the error in the command line."""
    done = chatroom.git("-c", setting, "chat", *words.split(), check=False)
    assert setting.partition("=")[0] in done.stderr


def test_empty_name_in_the_environment_is_none(chatroom: Chatroom) -> None:
    """An empty GITCHAT_NAME is as good as none, as with every variable of git."""
    chatroom.chat("send", "hi", GITCHAT_NAME="", check=True)
    assert chatroom.newest().author == "alice"
