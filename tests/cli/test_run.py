"""``git chat run``: what passes through it, and what the room is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitchat.model.record import STATUS, Record
from gitchat.model.secrets import Policy
from gitchat.verbs.resulting import SECRET_TAIL, TAIL_BYTES, TAIL_LINES, last_lines
from tests.cli.conftest import Chatroom, Terminal, read_only
from tests.cli.programs import Program

TOKEN = "gh" + "p_" + "a1B2c3" * 6


def told(chatroom: Chatroom) -> Record:
    """The newest record, which is a result."""
    record = chatroom.newest()
    assert (record.kind, record.type) == (STATUS, "result")
    return record


def test_streams_and_status_pass_through_and_the_room_is_told(chatroom: Chatroom) -> None:
    """Input, output and errors, each where it belongs; the commit, the branch, and whether the worktree was clean."""
    done = chatroom.chat("run", "--", "sh", "-c", "cat; echo err >&2; exit 3", stdin=b"in\xff\n")
    assert (done.returncode, done.stdout) == (3, "in\udcff\n")
    assert done.stderr.startswith("err\n#1: failed with 3: sh -c 'cat; echo err >&2; exit 3', on ")
    record = told(chatroom)
    head = chatroom.git("rev-parse", "HEAD").stdout.strip()
    assert (record.commit, record.branch, record.to) == (head, "main", ())
    first, blank, *lines = record.body.split("\n")
    assert ", worktree clean, " in first
    assert (blank, lines) == ("", ["in\ufffd", "err"])
    (chatroom.path / "new.txt").write_text("x")
    assert chatroom.chat("run", "-q", "--", "true").stderr == ""
    assert told(chatroom).body.startswith(f"passed: true, on {head[:9]}, 1 file changed, ")
    assert "\n" not in told(chatroom).body


@pytest.mark.parametrize(("script", "status", "words"), [
    ("kill -9 $$", 137, "killed by SIGKILL: "),
    ("exit 255", 255, "failed with 255: "),
])  # fmt: skip
def test_a_signal_is_128_and_its_number(chatroom: Chatroom, script: str, status: int, words: str) -> None:
    """As a shell has it."""
    assert chatroom.chat("run", "--", "sh", "-c", script).returncode == status
    assert told(chatroom).body.startswith(words)


def test_a_signal_is_passed_on(chatroom: Chatroom) -> None:
    """What ends us ends the command, whose last word still counts."""
    script = "trap 'echo over; exit 7' TERM; echo begun; while :; do sleep 0.1; done"
    program = Program(chatroom, "run", "--", "sh", "-c", script)
    assert program.process.stdout is not None
    assert program.process.stdout.readline() == b"begun\n"
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(60) == 7
    assert told(chatroom).body.endswith("\nbegun\nover")


def test_who_reads_no_more_ends_the_command(chatroom: Chatroom) -> None:
    """As without us: it gets the signal of a broken pipe, and nothing hangs."""
    words = ["git-chat", "run", "--", "sh", "-c", "yes; echo $? >&2"]
    with subprocess.Popen(
        words, cwd=chatroom.path, env=chatroom.world.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        _, errors = process.communicate(timeout=60)
    assert errors.startswith(b"141\n")


def test_what_goes_on_in_the_background_is_not_waited_for(chatroom: Chatroom, tmp_path: Path) -> None:
    """Though it holds the output open."""
    done = chatroom.chat("run", "-q", "--", "sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; echo there")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert (done.returncode, done.stdout) == (0, "there\n")


def test_on_a_terminal_the_command_has_one(terminal: Terminal, chatroom: Chatroom) -> None:
    """Of the same size; what it writes passes as it is, and the record has no colours."""
    script = (
        "import os, sys; print(os.isatty(1), os.isatty(2), os.get_terminal_size(1).columns); "
        "print('\\x1b[31mred\\x1b[m'); sys.exit(1)"
    )
    done = terminal("git", "chat", "run", "-q", "--", sys.executable, "-c", script, columns=77)
    assert (done.returncode, done.stdout) == (1, "True True 77\n\x1b[31mred\x1b[m\n")
    assert told(chatroom).body.endswith("\nTrue True 77\nred")


def test_a_room_that_cannot_be_written_changes_nothing(chatroom: Chatroom, tmp_path: Path) -> None:
    """Closed, not there, no repository at all, a disk that refuses: that is said, and the status is the command's."""
    chatroom.say("x")
    chatroom.chat("room", "close", "lobby", check=True)
    closed = chatroom.chat("run", "--", "sh", "-c", "exit 9")
    outside = chatroom.world.chat(
        "run", "--", "sh", "-c", "exit 9", cwd=tmp_path, GIT_CEILING_DIRECTORIES=str(tmp_path)
    )
    for done, words in ((closed, "room 'lobby' is closed"), (outside, "not inside a git repository")):
        assert done.returncode == 9
        assert f"the room is not told of the result: {words}" in done.stderr.replace(f"{tmp_path} is ", "")
    assert chatroom.chat("run", "--", "no-such-command").returncode == 127
    assert chatroom.chat("run", "--to", "not a name", "--", "touch", "ran").returncode == 1
    assert not (chatroom.path / "ran").exists()


def test_a_failure_of_the_base_is_told_its_author(chatroom: Chatroom) -> None:
    """By the name that the room has for that address; not when something else was changed, nor on another branch."""
    chatroom.say("I am here", author="bob")
    chatroom.git("commit", "-q", "--allow-empty", "--author=Bob B <bob@example.com>", "-m", "Break it")
    chatroom.chat("run", "--", "false")
    assert told(chatroom).to == ("bob",)
    assert "for bob: failed" in chatroom.chat("run", "--", "false").stderr
    assert chatroom.chat("run", "--", "true").returncode == 0
    assert told(chatroom).to == ()
    chatroom.chat("run", "--to", "role:release", "--", "false")
    assert told(chatroom).to == ("role:release",)
    chatroom.git("switch", "-q", "-c", "work")
    chatroom.git("commit", "-q", "--allow-empty", "--author=Bob B <bob@example.com>", "-m", "More")
    chatroom.chat("run", "--", "false")
    assert told(chatroom).to == ()
    chatroom.git("config", "chat.base", "work")
    (chatroom.path / "new.txt").write_text("x")
    chatroom.chat("run", "--", "false")
    assert told(chatroom).to == ()


def test_no_secret_is_told(chatroom: Chatroom) -> None:
    """Neither of the command nor of its output, of which all is left out then."""
    done = chatroom.chat("run", "--", "sh", "-c", f"echo {TOKEN}; echo rest; exit 1")
    assert (done.returncode, done.stdout) == (1, f"{TOKEN}\nrest\n")
    body = told(chatroom).body
    assert TOKEN not in body
    assert body.startswith("failed with 1: (a command that looks like a secret), on ")
    assert body.endswith(f"\n\n{SECRET_TAIL}")


def test_the_last_lines_are_short_and_do_nothing() -> None:
    """Twenty lines and 4 KiB at most, no control characters, and of a line that was written over its end."""
    off = Policy("off", (), print)
    assert last_lines(b"", off) == last_lines(b"\n\n", off) == []
    assert last_lines(b"10%\r100%\r\n\x1b]0;title\x07\x1b[1;31mbad\x1b[0m\x07\n", off) == ["100%", "bad^G"]
    assert last_lines("".join(f"{n}\n" for n in range(50)).encode(), off) == [str(n) for n in range(30, 50)]
    assert len(last_lines(b"x\n" * 50, off)) == TAIL_LINES
    long = last_lines(b"y" * 3000 + b"\n" + b"z" * 3000 + b"\n", off)
    assert [len(line) for line in long] == [3000]
    assert sum(map(len, long)) < TAIL_BYTES


def test_a_repository_that_may_not_be_written(chatroom: Chatroom) -> None:
    """As in a sandbox: the command has run, and its status is ours."""
    from tests.cli.conftest import as_ordinary_user

    under = as_ordinary_user()
    chatroom.say("x")
    with read_only(chatroom.path / ".git"):
        done = chatroom.chat("run", "--", "sh", "-c", "exit 5", under=under)
    assert done.returncode == 5
    assert "the room is not told of the result" in done.stderr
