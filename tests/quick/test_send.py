"""What is sent by the quick way is what the long way would have sent, and what is refused is refused there."""

from __future__ import annotations

import fcntl
import re
import shutil
import sys
from pathlib import Path
from typing import IO

from gitchat.model import names, refs, session
from gitchat.model.names import RoomName
from gitchat.model.types import KNOWN
from gitchat.presence import seats
from gitchat.quick import agent, room, send, who
from gitchat.quick.record import EMPTY_TREE
from gitchat.quick.unusual import Unusual
from gitchat.storage import written
from gitchat.workspace import ancestry, client
from gitchat.workspace.opened import PROGRAM
from tests.crash.sleepers import until
from tests.quick.ways import AGENT, is_quick
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
    ("several", "words", "x=1"),
    ("--to", "dora", "to one"),
    ("-t", "dora", "-r", "2", "an answer", "to one"),
    ("-r", "1", "an answer"),
    ("-r", "#3", "an answer to who asked me"),
    ("-q", "-r", "4", "an answer to what is for another"),
    ("--as", "helga", "-r", "5", "an answer to who asked my role"),
    # Not plain, or wrong: the long way says what it says.
    ("dora", "hello", "there"),
    ("bob", "hello", "there"),
    ("--to", "bob", "to one"),
    ("--to", "nobody-here", "to one"),
    ("--to", "role:tester", "to one"),
    ("--type", "qestion", "mistyped"),
    ("-r", "0", "an answer"),
    ("-r", "400", "an answer"),
    ("-r", "~abcdef", "an answer"),
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


REPLIES: list[tuple[str, ...]] = [
    ("1", "to all"),
    ("3", "to who wrote to me"),
    ("#4", "to who wrote", "to another"),
    ("-q", "5", "to who wrote to a role"),
    ("--type", "answer", "3", "of a type"),
    ("3", "--to", "bob", "to one"),
    ("17", "to whom I wrote"),
    # Not plain, or wrong.
    ("3", "--to", "all", "to all"),
    ("-r", "2", "3", "an option of another"),
    ("2",),
    ("two", "words"),
    ("0", "none"),
    ("4000", "none"),
]


def made(world: World, name: str) -> Path:
    repository = world.repository(name)
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    world.chat("send", "second", cwd=repository, check=True, GITCHAT_NAME="carol")
    world.chat("send", "-q", "-t", "alice", "to alice", cwd=repository, check=True, GITCHAT_NAME="dora")
    world.chat("send", "-q", "-t", "bob", "to bob", cwd=repository, check=True, GITCHAT_NAME="dora")
    world.chat("send", "-q", "-t", "role:tester", "to testers", cwd=repository, check=True, GITCHAT_NAME="dora")
    world.chat("read", cwd=repository, check=True, GITCHAT_NAME="dora")
    world.chat("join", "--role", "tester", cwd=repository, check=True, GITCHAT_NAME="helga")
    return repository


QUICK: list[tuple[str, ...]] = [
    ("hello",),
    ("several", "words"),
    ("--to", "dora", "to one"),
    ("-r", "2", "an answer"),
    ("-r", "3", "an answer to who asked me"),
    ("-q", "--type", "my-own", "-t", "zoe", "-t", "bob", "x"),
]


def test_the_quick_way_does_the_plain_ones_itself(world: World) -> None:
    """Else all that is held to the long way here would be that."""
    repository = made(world, "quick")
    assert [line for line in QUICK if not is_quick(world, repository, "send", *line)] == []
    assert [line for line in REPLIES[:5] if not is_quick(world, repository, "reply", *line)] == []


def log_of(world: World, repository: Path) -> str:
    """All records as they are stored, but for what is another in each: uids, dates, ids."""
    text = world.git("log", "--format=%an|%ae|%cn|%ce|%B|%T", "refs/chatroom/rooms/lobby/log", cwd=repository).stdout
    return re.sub(r"Chat-(Uid|Reply|Clone): \w+", r"Chat-\1: X", text)


def test_the_same_is_stored_printed_and_refused(world: World) -> None:
    """Line by line in two repositories, one of which goes the long way alone."""
    quick, long = made(world, "quick"), made(world, "long")
    for line in [*(("send", *line) for line in LINES), *(("reply", *line) for line in REPLIES)]:
        mine = world.chat(*line, cwd=quick)
        theirs = world.chat(*line, cwd=long, GITCHAT_QUICK="0")
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
    ({}, {"CLAUDECODE": "1", "GITCHAT_NAME": "helga"}),
    ({}, {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s1"}),
    ({}, {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s1"}),
    ({}, {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s2"}),
    ({}, {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s1"}),
    ({}, {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": 'of "this"'}),
    ({}, {"AI_AGENT": "some/1.2", "GITCHAT_NAME": "some"}),
    ({}, {"AI_AGENT": "some/1.2", "GITCHAT_NAME": "some"}),
    ({}, {"CODEX_THREAD_ID": "t1", "CODEX_SESSION_ID": "t1"}),
    ({}, {"CODEX_THREAD_ID": "t1", "CODEX_SESSION_ID": "t1"}),
    ({}, {"CLAUDECODE": "1", "GEMINI_CLI": "1"}),
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


def test_an_agent_that_sits_is_quick_and_keeps_its_name_and_seat(world: World) -> None:
    """In its worktree and session, until something else has to be noted: another session, a seat that is over."""
    repository = made(world, "quick")
    assert not is_quick(world, repository, "send", "x", **AGENT)
    world.chat("send", "it takes a name and a seat", cwd=repository, check=True, **AGENT)
    for _ in range(2):
        assert is_quick(world, repository, "send", "hello", **AGENT)
    stored = world.git("log", "-1", "--format=%an %B", "refs/chatroom/rooms/lobby/log", cwd=repository).stdout
    assert stored.startswith("claude-quick hello")
    clone = (repository / ".git/chatroom/clone").read_text().split()[0]
    assert f"Chat-Clone: {clone}\nChat-Origin: agent\n" in stored
    other = AGENT | {"CLAUDE_CODE_SESSION_ID": "s2"}
    assert not is_quick(world, repository, "send", "hello", **other)
    world.chat("send", "the first one lives no more, so it is mine", cwd=repository, check=True, **other)
    assert is_quick(world, repository, "send", "hello", **other)
    assert not is_quick(world, repository, "send", "hello", **AGENT)
    world.chat("send", "back again", cwd=repository, check=True, **AGENT)
    assert is_quick(world, repository, "send", "hello", **AGENT)
    seats = repository / ".git/chatroom/seats"
    before = seats.read_text()
    assert '"s1"' in before
    for spoiled in (re.sub('"used": [0-9]+', '"used": 5', before), before.replace('"s1"', '"s3"'), "{}"):
        seats.write_text(spoiled)
        assert not is_quick(world, repository, "send", "hello", **AGENT), spoiled
    seats.write_text(before)
    assert is_quick(world, repository, "send", "hello", **AGENT)
    copy = world.root / "copy"
    shutil.copytree(repository, copy)
    assert not is_quick(world, copy, "send", "another clone", **AGENT)


def test_in_a_room_with_a_remote_it_waits_for_its_number_and_is_pushed(world: World) -> None:
    """By a process that begins when we have ended; and whatever is not plain there is left to the long way."""
    repository, hub = made(world, "quick"), world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    world.git("remote", "add", "origin", hub, cwd=repository)
    world.chat("sync", cwd=repository, check=True)
    world.chat("send", "the first", cwd=repository, check=True, **AGENT)
    lock = repository / ".git/chatroom/keep-origin.lock"
    with lock.open("a") as keeper:  # nobody pushes meanwhile
        until(lambda: _has(keeper))  # the first pusher has ended
        log = "refs/chatroom/rooms/lobby/log"
        world.chat("log", "-n", "1", cwd=repository, check=True)  # notes how many are numbered
        for line in (["one"], ["-r", "2", "two"], ["-q", "-t", "zoe", "three"]):
            assert is_quick(world, repository, "send", *line, **AGENT), line
        stored = world.git("log", "-3", "--format=%B", log, cwd=repository).stdout
        assert "Chat-Seq" not in stored
        assert stored.count("Chat-Clone: -") == 0
        for variables in (AGENT | {"CI": "1"}, {}):  # a job, and a script: they push themselves
            assert not is_quick(world, repository, "send", "x", **variables)
        trouble = repository / ".git/chatroom/trouble-origin"
        trouble.write_text("{}")
        assert not is_quick(world, repository, "send", "x", **AGENT)
        trouble.unlink()
        world.git("config", "chat.sync", "manual", cwd=repository)
        assert not is_quick(world, repository, "send", "x", **AGENT)
        world.git("config", "--unset", "chat.sync", cwd=repository)
    said = world.run(sys.executable, "-P", PROGRAM, "send", "four", cwd=repository, **AGENT).stdout
    assert re.fullmatch("~[0-9a-z]{6}\n", said)
    tip = world.git("rev-parse", log, cwd=repository).stdout.strip()
    until(lambda: world.git("rev-parse", log, cwd=hub).stdout.strip() == tip)
    numbers = world.chat("log", "--oneline", "-n", "5", cwd=repository).stdout.splitlines()
    assert [line.split()[0] for line in numbers] == ["#6", "#7", "#8", "#9", "#10"]
    # What a fetch brought is noted with it, and what it says of the room holds for who sends next.
    other = world.root / "other"
    world.git("clone", "-q", hub, other, check=False)
    world.chat("send", "--sync", "from elsewhere", cwd=other, check=True, CI="1")
    world.chat("sync", cwd=repository, check=True)
    assert is_quick(world, repository, "send", "after it", **AGENT)
    until(lambda: _is_at(world, repository, hub))
    world.chat("sync", cwd=other, check=True)
    world.chat("room", "close", "lobby", cwd=other, check=True)
    world.chat("sync", cwd=other, check=True)
    world.chat("sync", cwd=repository, check=True)
    assert "is closed" in world.chat("send", "after the end", cwd=repository, **AGENT).stderr
    world.chat("room", "open", "lobby", cwd=other, check=True)
    world.chat("sync", cwd=other, check=True)
    with lock.open("a") as keeper:
        until(lambda: _has(keeper))
        tracking = "refs/chatroom-local/remotes/origin/rooms/lobby/log"
        world.git("fetch", "-q", hub, f"{log}:{tracking}", cwd=repository)
        assert not is_quick(world, repository, "log", "-n", "1")  # what was noted is not the end any more
        assert not is_quick(world, repository, "send", "x", **AGENT)
        world.chat("sync", cwd=repository, check=True)
        assert is_quick(world, repository, "log", "-n", "1")
        assert is_quick(world, repository, "send", "again", **AGENT)
    assert world.chat("verify", cwd=repository).returncode == 0


def _is_at(world: World, repository: Path, hub: Path) -> bool:
    """Whether the remote has what is here."""
    log = "refs/chatroom/rooms/lobby/log"
    return world.git("rev-parse", log, cwd=hub).stdout == world.git("rev-parse", log, cwd=repository).stdout


def _has(keeper: IO[str]) -> bool:
    try:
        fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_closed_room_is_left_to_the_long_way(world: World) -> None:
    """What is refused is said in its words."""
    repository = made(world, "quick")
    world.chat("room", "close", "lobby", cwd=repository, check=True)
    done = world.chat("send", "hello", cwd=repository)
    assert done.returncode == 1
    assert "is closed" in done.stderr


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
    assert (agent.MARKS, agent.IDS, {*agent.SHARED}) == (client._MARKS, client._IDS, client._SHARED)
    assert (agent.OURS, agent.MAX_ID_CHARS) == (ancestry._OURS, session.MAX_ID_CHARS)
    assert (agent.LIFE_SECONDS, agent.USE_SECONDS) == (seats.LIFE_SECONDS, seats.USE_SECONDS)
    assert room.tracking_ref("a", "b") == refs.tracking_ref("b", refs.log_ref(RoomName("a")))
    assert len({send.new_uid() for _ in range(50)}) == 50
    assert all(names.is_uid(send.new_uid()) for _ in range(50))


def test_behind_a_record_with_a_tree(world: World) -> None:
    """What has a file or tells of lines has another tree; the next record needs the empty one, and finds it."""
    repository = world.repository()
    (repository / "file").write_text("".join(f"{number}\n" for number in range(9)))
    world.git("add", "file", cwd=repository)
    world.git("commit", "-qm", "a file", cwd=repository)
    world.chat("send", "first", cwd=repository, check=True)
    empty = repository / ".git" / "objects" / EMPTY_TREE[:2] / EMPTY_TREE[2:]
    for words in (("--attach", "file", "see"), ("--at", "file:2-3", "why?")):
        world.chat("send", *words, cwd=repository, check=True)
        assert is_quick(world, repository, "send", "behind it")
    assert empty.exists()
    world.git("repack", "-qad", cwd=repository)
    world.git("prune-packed", cwd=repository)
    assert not empty.exists()
    world.chat("send", "--at", "file:2-3", "once more", cwd=repository, check=True)
    assert is_quick(world, repository, "send", "behind a packed one")
    assert "7 records" in world.chat("verify", cwd=repository, check=True).stdout
