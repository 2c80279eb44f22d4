"""A repository that is mounted read-only, as an agent's sandbox has it: what can be read is, and the hint fits."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.conftest import Chatroom, refused
from tests.world import Done

AGENT = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "0b7e2c1a-5f5e-4a1c-9d9e-1f2d3c4b5a69"}
HINT = "your sandbox keeps .git read-only: use the tools of the gitchat server"

MOUNTED = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec git chat "$@"'


def sandboxed(chatroom: Chatroom, *words: str, **variables: str) -> Done:
    """``git chat`` where the git directory is a mount that takes no writes, also root's."""
    command = ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("mounts of one's own need unshare(1), and a system that allows it")
    directory = chatroom.path / ".git"
    return chatroom.world.run(
        *command, "sh", "-c", MOUNTED, "sh", directory, *words, cwd=chatroom.path, check=False, **variables
    )


WRITING = (
    ("send", "hello"), ("join",), ("room", "open", "plans"), ("summary", "write", "done"), ("cursor", "set", "1"),
)  # fmt: skip


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_in_an_agents_shell_the_hint_is_to_use_the_tools(chatroom: Chatroom, words: tuple[str, ...]) -> None:
    """Its server runs outside of the sandbox. Nothing was written."""
    chatroom.say("before", author="bob")
    refused(sandboxed(chatroom, *words, **AGENT), "Read-only file system", HINT)
    assert [entry.record.body for entry in chatroom.entries()] == ["before"]


def test_a_person_is_told_which_mount_it_is(chatroom: Chatroom) -> None:
    """There is no sandbox of an agent to speak of; the command that is named shows it."""
    done = sandboxed(chatroom, "send", "hello")
    refused(done, "Read-only file system", "mount it for writing")
    assert "sandbox" not in done.stderr
    chatroom.world.run("sh", "-c", done.stderr.partition("which it is: ")[2], check=True)


@pytest.mark.parametrize("words", [("log",), ("status",), ("inbox",), ("handoff",), ("who",), ("read",)], ids=" ".join)
def test_what_only_reads_works(chatroom: Chatroom, words: tuple[str, ...]) -> None:
    """An agent in a sandbox sees the room; what it reads there stays unread."""
    chatroom.say("before", author="bob")
    done = sandboxed(chatroom, *words, **AGENT)
    assert "sandbox" not in done.stderr or words == ("read",)
    assert "bob" in done.stdout or words == ("who",)
