"""To read prints and marks the same by the quick way and by the long way: of persons and of agents that sit."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gitchat.cli import terminal
from gitchat.index import files
from gitchat.quick import known, place, reading
from gitchat.quick.unusual import Unusual
from gitchat.workspace.opened import PROGRAM
from tests.quick.test_usual import cloned, held
from tests.quick.ways import AGENT, as_it_was, is_quick
from tests.world import World

SAYS: list[tuple[str, ...]] = [
    ("send", "one"),
    ("send", "-q", "--to", "{me}", "to me"),
    ("send", "-q", "--to", "zoe", "to another"),
    ("send", "-q", "--to", "role:tester", "to testers"),
    ("send", "-q", "-r", "1", "an answer\nof two lines"),
    ("send", "last"),
]


def made(world: World, name: str) -> Path:
    """A repository with a room in which somebody speaks."""
    repository = world.repository(name)
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    return repository


def stands(world: World, repository: Path) -> list[str]:
    """Where all positions stand, by the subjects of their commits."""
    refs = ("refs/chatroom/rooms/lobby/cursors", "refs/chatroom-local/seats")
    form = "--format=%(refname:lstrip=-1) %(subject)"
    return sorted(world.git("for-each-ref", form, *refs, cwd=repository).stdout.splitlines())


@pytest.mark.parametrize("variables", [{"GITCHAT_NAME": "reader"}, AGENT | {"GITCHAT_NAME": "reader"}, AGENT])
def test_what_is_read_and_marked_is_the_same(world: World, variables: dict[str, str]) -> None:
    """Step by step in two repositories, one of which goes the long way alone; in between both ways look."""
    repositories = {"1": made(world, "here/same"), "0": made(world, "there/same")}
    me = variables.get("GITCHAT_NAME", "claude-same")
    lines = ("read", "inbox", "read -n 1", "read --room lobby -n 2", "read -n 0", "inbox -n 1", "read", "read")
    for says in (SAYS, SAYS[:2], SAYS[2:3], SAYS):
        for line in lines:
            answers = []
            for quick, repository in repositories.items():
                done = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK=quick, **variables)
                answers.append((done.returncode, done.stdout, done.stderr, stands(world, repository)))
            assert answers[0] == answers[1], (says, line)
        for repository in repositories.values():
            for words in says:
                world.chat(*(word.format(me=me) for word in words), cwd=repository, check=True, GITCHAT_NAME="bob")
            world.chat("send", "my own", cwd=repository, check=True, **variables)
    assert "role:tester" not in answers[0][1]
    repository = repositories["1"]
    assert is_quick(world, repository, "read", "-n", "2", **variables)
    assert is_quick(world, repository, "inbox", **variables)
    assert is_quick(world, repository, "read", **variables)
    assert world.chat("read", cwd=repository, check=True, **variables).stdout == ""
    assert world.chat("verify", cwd=repository).returncode == 0


@pytest.mark.parametrize("variables", [{"GITCHAT_NAME": "reader"}, AGENT])
def test_what_could_not_be_printed_stays_unread(world: World, variables: dict[str, str]) -> None:
    """On a full disk, and where nobody reads what is written."""
    repository = made(world, "project")
    for _ in range(2):  # from then on its position is where the quick way moves it
        world.chat("read", cwd=repository, check=True, **variables)
        world.chat("send", "more", cwd=repository, check=True, GITCHAT_NAME="bob")
    assert is_quick(world, repository, "inbox", **variables)
    before = stands(world, repository)
    for line, status in (("git chat read > /dev/full", 1), ("(git chat read; echo $? > status) | true", 0)):
        assert world.run("sh", "-c", line, cwd=repository, check=False, **variables).returncode == status
        assert stands(world, repository) == before, line
    assert (repository / "status").read_text() == "141\n"
    assert "more" in world.chat("read", cwd=repository, check=True, **variables).stdout


def test_what_is_more_than_reading_is_left_to_the_long_way(world: World) -> None:
    """A membership that is to be seen, a subagent, another's name, a position that others have moved."""
    repository = made(world, "project")
    for _ in range(2):
        world.chat("send", "mine", cwd=repository, check=True, **AGENT)
        world.chat("send", "theirs", cwd=repository, check=True, GITCHAT_NAME="bob")
        world.chat("read", cwd=repository, check=True, **AGENT)
    world.chat("send", "more", cwd=repository, check=True, GITCHAT_NAME="bob")
    assert is_quick(world, repository, "inbox", **AGENT)
    live = repository / ".git/chatroom/live/claude-project"
    before = live.read_bytes()
    live.write_bytes(before.replace(b'"rooms":{}', b'"rooms":{"x":1}'))
    assert not is_quick(world, repository, "read", **AGENT)
    live.write_bytes(before)
    world.git("pack-refs", "--all", cwd=repository)
    assert not is_quick(world, repository, "read", **AGENT)
    world.chat("read", cwd=repository, check=True, **AGENT)
    world.chat("send", "and more", cwd=repository, check=True, GITCHAT_NAME="bob")
    cursor = "refs/chatroom/rooms/lobby/cursors/claude-project"
    world.git("update-ref", cursor, "refs/chatroom/rooms/lobby/log", cwd=repository)
    assert not is_quick(world, repository, "read", **AGENT)
    assert "was read by this name elsewhere" in world.chat("read", cwd=repository, check=True, **AGENT).stdout


def test_what_nobody_reads_stays_unread(world: World) -> None:
    """A pipe that is closed: nothing is marked; and what cannot be marked at once is marked by the long way."""
    repository = made(world, "project")
    world.chat("read", cwd=repository, check=True)
    world.chat("send", "second", cwd=repository, check=True, GITCHAT_NAME="bob")
    world.chat("read", cwd=repository, check=True)
    world.chat("send", "third", cwd=repository, check=True, GITCHAT_NAME="bob")
    command = [sys.executable, "-P", PROGRAM, "read"]
    with subprocess.Popen(command, cwd=repository, env=world.variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert "third" in world.chat("inbox", cwd=repository, check=True).stdout
    (repository / ".git/chatroom/write.lock").write_text("refs/heads/none 0 999999\n")  # of one who died
    assert "third" in world.chat("read", cwd=repository, check=True).stdout
    assert world.chat("inbox", cwd=repository, check=True).stdout == ""


def test_what_is_read_while_something_waits_is_marked_the_same(world: World) -> None:
    """Beside a record of one's own that the remote has not numbered yet, and that another one answers here."""
    clone, variables = cloned("fetched", "waiting")(world)
    with held(clone):
        world.chat("reply", "1", "mine, too", cwd=clone, check=True, **variables)
    answers = []
    for quick in ("1", "0"):
        scratch = world.root / f"before-{quick}"
        scratch.mkdir()
        with as_it_was(clone / ".git", scratch), held(clone):
            said = [world.chat(line, cwd=clone, GITCHAT_QUICK=quick, **variables) for line in ("log", "inbox", "read")]
            positions = ("refs/chatroom/rooms/lobby/cursors", "refs/chatroom-local/seats")
            refs = world.git("for-each-ref", "--format=%(refname) %(objectname)", *positions, cwd=clone).stdout
        answers.append(([(one.stdout, one.stderr) for one in said], refs))
    assert answers[0] == answers[1]
    (log, _), _, (read, _) = answers[0][0]
    assert "  re #1\n    mine, too\n" in log
    assert "more" in read


def test_the_times_are_those_of_the_long_way() -> None:
    """What stands in both places is the same."""
    assert reading.DRAIN_SECONDS == terminal._DRAIN_SECONDS
    assert reading.LEAVE_MILLISECONDS == terminal._LEAVE_MILLISECONDS


def test_an_index_of_another_version_is_not_trusted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its columns mean may be another thing; the long way builds it anew."""
    repository = made(world, "versions")
    (record,) = world.chat("search", "first", "--json", cwd=repository, check=True).stdout.splitlines()
    monkeypatch.chdir(repository)
    where, uid = place.find(world.variables), json.loads(record)["uid"]
    assert known.VERSION == files.VERSION
    assert [number for number, _ in known.with_uid(where, "lobby", uid)] == [1]
    (path,) = (repository / ".git/chatroom").glob("index.*.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {files.VERSION + 1}")
    with pytest.raises(Unusual):
        known.with_uid(where, "lobby", uid)
