"""What is sent by the quick way is what the long way would have sent, and what is refused is refused there."""

from __future__ import annotations

import re
from pathlib import Path

from gitchat.model import names
from gitchat.model.types import KNOWN
from gitchat.quick import room, send, who
from gitchat.quick.unusual import Unusual
from gitchat.storage import written
from tests.world import World

LINES: list[tuple[str, ...]] = [
    ("hello",),
    ("two\nlines — ✓ \U0001f600",),
    ("ends in blanks  \n",),
    ("a forged block\n\nChat-Kind: message\nChat-Uid: x",),
    ("--type", "question", "which?"),
    ("--priority", "urgent", "now"),
    ("--as", "carol", "by another name"),
    ("-q", "quietly"),
    ("-q", "-t", "bob", "--to", "carol", "to two"),
    ("--room", "lobby", "named"),
    # Not plain, or wrong: the long way says what it says.
    ("bob", "hello", "there"),
    ("--to", "bob", "to one"),
    ("--to", "nobody-here", "to one"),
    ("--type", "qestion", "mistyped"),
    ("-r", "1", "an answer"),
    ("--json-body", "{}"),
    ("--as", "All", "reserved"),
    ("--room", "not a room", "x"),
    ("--room", "none-yet", "the first"),
    ("",),
    ("  ",),
    ("--no-such", "x"),
    ("--type",),
    ("x" * 70_000,),
    ("--json", "as JSON"),
    ("--", "-q"),
]


def made(world: World, name: str) -> Path:
    repository = world.repository(name)
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    world.chat("send", "second", cwd=repository, check=True, GITCHAT_NAME="carol")
    return repository


def log_of(world: World, repository: Path) -> str:
    """All records as they are stored, but for what is another in each: uids, dates, ids."""
    text = world.git("log", "--format=%an|%ae|%cn|%ce|%B|%T", "refs/chatroom/rooms/lobby/log", cwd=repository).stdout
    return re.sub(r"Chat-(Uid|Reply|Clone): \w+", r"Chat-\1: X", text)


def test_the_same_is_stored_printed_and_refused(world: World) -> None:
    """Line by line in two repositories, one of which goes the long way alone."""
    quick, long = made(world, "quick"), made(world, "long")
    for line in LINES:
        mine = world.chat("send", *line, cwd=quick)
        theirs = world.chat("send", *line, cwd=long, GITCHAT_QUICK="0")
        assert mine.returncode == theirs.returncode, line
        if "--json" in line:
            continue  # what it prints has a date
        assert (mine.stdout, mine.stderr) == (theirs.stdout, theirs.stderr), line
    assert log_of(world, quick) == log_of(world, long)
    assert world.chat("verify", cwd=quick).returncode == 0
    fsck = world.git("fsck", "--strict", cwd=quick, check=False)
    assert fsck.returncode == 0, fsck.stderr


WHO: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"chat.name": "dora"}, {}),
    ({"user.name": "Alice von Smith"}, {}),
    ({"user.name": "山田 太郎", "user.email": "taro@example.com"}, {}),
    ({"user.name": "José"}, {}),
    ({"user.email": ""}, {}),
    ({"chat.authorEmail": "agent"}, {}),
    ({"chat.maxBody": "3"}, {}),
    ({"chat.maxBody": "x"}, {}),
    ({"chat.room": "other"}, {}),
    ({"chat.fsync": "false"}, {}),
    ({"chat.fsync": "maybe"}, {}),
    ({"chat.name": "all"}, {}),
    ({}, {"GITCHAT_NAME": "Dora"}),
    ({}, {"GITCHAT_NAME": "dora"}),
    ({}, {"GITCHAT_NAME": "no name"}),
    ({}, {"CLAUDECODE": "1"}),
    ({}, {"GITCHAT_SESSION": "s1"}),
    ({}, {"CLAUDECODE": "1", "GITCHAT_NAME": "helga"}),
]
"""Settings and variables: names, addresses, what can be none, agents and sessions."""


def test_who_sends_is_the_same(world: World) -> None:
    """With each of these settings and variables."""
    repositories = made(world, "one-repo"), made(world, "two-repo")
    for settings, variables in WHO:
        said = []
        for repository, way in zip(repositories, ("1", "0"), strict=True):
            for key, value in settings.items():
                world.git("config", key, value, cwd=repository)
            done = world.chat("send", "hello", cwd=repository, GITCHAT_QUICK=way, **variables)
            for key in settings:
                world.git("config", "--unset", key, cwd=repository)
            said.append((done.returncode, done.stdout, done.stderr))
        assert said[0] == said[1], (settings, variables)
    one, two = (log_of(world, repository) for repository in repositories)
    assert one.replace("one-repo", "two-repo") == two


def test_a_closed_room_and_a_room_with_a_remote_are_left_to_the_long_way(world: World) -> None:
    """What is refused, or has no number yet, is said in its words."""
    repository = made(world, "quick")
    world.chat("room", "close", "lobby", cwd=repository, check=True)
    done = world.chat("send", "hello", cwd=repository)
    assert done.returncode == 1
    assert "is closed" in done.stderr
    world.chat("room", "open", "lobby", cwd=repository, check=True)
    world.git("init", "-q", "--bare", "hub.git", cwd=world.root)
    world.git("remote", "add", "origin", world.root / "hub.git", cwd=repository)
    world.chat("sync", cwd=repository, check=True)
    done = world.chat("send", "hello", cwd=repository, CI="1")
    assert world.git("log", "-1", "--format=%B", "refs/chatroom/rooms/lobby/log", cwd=repository).stdout.startswith(
        "hello"
    )
    assert "Chat-Seq" not in world.git(
        "log", "-1", "--format=%B", "refs/chatroom/rooms/lobby/log", cwd=repository
    ).stdout  # fmt: skip


def test_what_starts_a_packer_is_left_to_the_long_way() -> None:
    """The record that does so there, and no other."""
    assert (room.PACK_OBJECTS, room.PACK_BYTES, room.PACK_RETRY) == (
        written.PACK_OBJECTS,
        written.PACK_BYTES,
        written.PACK_RETRY,
    )

    def is_left(count: int, size_bytes: int) -> bool:
        try:
            room.refuse_packing((count, size_bytes), 100)
        except Unusual:
            return True
        return False

    assert [count for count in range(600) if is_left(count, 1000)] == [511, 527, 543, 559, 575, 591]
    assert is_left(3, room.PACK_BYTES - 200)
    assert not is_left(3, room.PACK_BYTES // 2)


def test_the_constants_are_those_of_the_model() -> None:
    """What stands in both places is the same; a uid is one."""
    assert send.TYPES == KNOWN
    assert who.NO_DOMAIN == "@agents.gitchat.invalid"
    assert len({send.new_uid() for _ in range(50)}) == 50
    assert all(names.is_uid(send.new_uid()) for _ in range(50))
