"""What the quick way prints is what the long way prints, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.quick import log
from gitchat.quick.place import find
from gitchat.quick.settings import settings
from tests.world import World

LOGS = [
    "log", "log -n 3", "log -5", "log -n1", "log --max-count 2", "log --oneline", "log --oneline -n 4",
    "log --room lobby -n 2", "log --room other", "log -n 2 --room none", "log -n 0", "log -n x", "log --onelin",
    "log 3..5", "log --json -n 2", "log -n 500",
]  # fmt: skip
"""Plain ones, ones that are not, and mistakes."""


def filled(world: World) -> Path:
    """A repository with a room of all that can stand in one."""
    repository = world.repository()

    def say(*words: str, name: str = "alice", status: int = 0) -> None:
        done = world.chat(*words, cwd=repository, GITCHAT_NAME=name)
        assert done.returncode == status, done.stderr

    say("send", "first")
    say("send", "--to", "bob", "--type", "question", "which\n\n  one?\n\ttab", name="carol")
    say("reply", "2", "that one — ✓ é 好", name="bob")
    say("send", "-r", "1", "--priority", "urgent", "to all, on the first")
    say("send", "--to", "role:dev", "--to", "bob", "a" * 300)
    say("room", "title", "lobby", "a title")
    say("send", "tail\r\nof windows  ")
    say("send", "--at", "file.txt:1", "about a line", name="bob")
    say("send", "--at", "file.txt", "--type", "question", "about a file")
    say("claim", "src/", "task 7", name="bob")
    say("ask", "--to", "bob", "--choice", "yes", "--choice", "Not now", "shall we?")
    say("answer", "11", "yes", name="bob")
    say("release", "src/", name="bob")
    say("send", "careful \u26a0\ufe0f", name="bob")
    say("redact", "8")
    say("join", "--role", "dev", name="carol")
    say("leave", name="carol")
    say("send", "--room", "other", "one in the other room", name="bob")
    return repository


def test_what_is_printed_is_the_same(world: World) -> None:
    """Of each form, plain or not: output, errors and status."""
    repository = filled(world)
    for line in LOGS:
        quick = world.chat(*line.split(), cwd=repository)
        long = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK="0")
        assert (quick.returncode, quick.stdout, quick.stderr) == (long.returncode, long.stdout, long.stderr), line

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        place = find(world.variables)
        text = log.log(place, settings(place), []).text
    for shown in (
        "(redacted by alice)",
        ", at file.txt\n",
        "(claim)",
        "    choices: yes | Not now\n",
        "\u26a0\ufe0f",
        "carol left",
    ):
        assert shown in text


def test_what_is_not_plain_is_the_same(world: World) -> None:
    """A text that has to be escaped, JSON, a file that is attached, a strange name, packed objects and refs."""
    repository = filled(world)
    (repository / "file.bin").write_text("content")
    steps: list[tuple[str, ...]] = [
        ("chat", "send", "red \x1b[31m and \u202e, family \U0001f468\u200d\U0001f469"),
        ("chat", "send", "--json-body", '{"a": 1}'),
        ("chat", "send", "--attach", "file.bin", "see"),
        ("chat", "send", "--at", "file.bin", "about a file"),
        ("chat", "send", "--at", "file.bin:1", "about a line"),
        ("gc", "-q"),
        ("chat", "send", "after"),
        ("config", "color.ui", "always"),
        ("config", "chat.date", "iso"),
        ("config", "chat.date", "no-such"),
        ("config", "chat.maxBody", "many"),
    ]
    for step in steps:
        world.git(*step, cwd=repository)
        for line in ("log -n 1", "log --oneline"):
            quick = world.chat(*line.split(), cwd=repository)
            long = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK="0")
            assert (quick.returncode, quick.stdout, quick.stderr) == (long.returncode, long.stdout, long.stderr), step


def test_an_object_that_git_lost_is_written_again(world: World) -> None:
    """Every command looks, the quick one too."""
    repository = filled(world)
    tip = world.git("rev-parse", "refs/chatroom/rooms/lobby/log~3", cwd=repository).stdout.strip()
    lost = repository / ".git" / "objects" / tip[:2] / tip[2:]
    lost.unlink()
    assert "that one" in world.chat("log", "-n", "2", cwd=repository, check=True).stdout or lost.exists()
    assert lost.exists()


def test_a_room_that_follows_a_remote_is_the_same(world: World) -> None:
    """Attached by a person, joined by itself, with something that waits; taken off, and with the remote gone."""
    hub = world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    first = filled(world)
    world.git("remote", "add", "origin", hub, cwd=first)
    world.chat("sync", cwd=first, check=True)
    world.git("push", "-q", "origin", "HEAD", cwd=first)
    second = world.root / "second"
    world.git("clone", "-q", hub, second)
    alone = {"GITCHAT_LOOK_SECONDS": "60", "CI": "1"}  # nothing goes on aside

    def compared(step: str) -> None:
        for repository in (first, second):
            for line in ("log -n 3", "inbox", "log --oneline --room other"):
                quick = world.chat(*line.split(), cwd=repository, **alone)
                long = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK="0", **alone)
                assert (quick.returncode, quick.stdout, quick.stderr) == (long.returncode, long.stdout, long.stderr), (
                    step
                )

    world.chat("log", cwd=second, check=True, **alone)
    compared("both have it")
    for repository in (first, second):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(repository)
            place = find(world.variables)
            assert "careful" in log.log(place, settings(place), ["-n", "4"]).text
    world.chat("send", "from the second", cwd=second, check=True, GITCHAT_NAME="dora", **alone)
    compared("the first has not heard it")
    world.chat("sync", cwd=first, check=True)
    compared("the first has")
    world.git("config", "chat.sync", "manual", cwd=first)
    world.chat("send", "waits", cwd=first, check=True)
    compared("something waits")
    world.chat("remote", "detach", "lobby", cwd=second)
    compared("taken off")
    world.git("remote", "remove", "origin", cwd=first)
    compared("the remote is gone")
