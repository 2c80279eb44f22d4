"""Two clones that share a hub, and who works in each."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitchat.clones.report import Report
from gitchat.clones.settling import settle
from gitchat.model.errors import ConflictError
from gitchat.model.record import Moment
from gitchat.staying.branches import Branches
from gitchat.verbs import conflicting
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import open_remote
from tests.server.wire import eventually
from tests.world import World

LINES = "".join(f"line {number}\n" for number in range(1, 41))


@dataclass
class Machine:
    """A clone of the hub, with one who works in it on a branch of the same name as its own."""

    world: World
    name: str
    path: Path
    seconds: list[int]
    """The clock of both machines."""

    def git(self, *words: str) -> str:
        return self.world.git(*words, cwd=self.path).stdout.strip()

    def room(self) -> Room:
        environment = self.world.environment(self.path, now=lambda: Moment(self.seconds[0]))
        return Room(environment, name=self.name)

    def write(self, path: str, line: int | None, text: str) -> None:
        """Let one line of a file read ``text``; the whole file, without a line."""
        file = self.path / path
        lines = file.read_text().splitlines() if line is not None else []
        if line is not None:
            lines[line - 1] = text
        file.write_text("\n".join(lines or [text]) + "\n")

    def push(self) -> None:
        """Commit all that is there, push it, and let the room know of the branch."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "work")
        self.git("push", "-q", "origin", self.name)
        self.world.chat("hook", "post", "commit", cwd=self.path, check=True, GITCHAT_NAME=self.name)
        self.sync()

    def sync(self) -> None:
        """As a keeper does: rounds until nobody was quicker (what the other said is on its way), then the branches."""
        environment = self.room().environment
        report = eventually(lambda: self._round(environment))
        assert report is not None
        Branches(environment, "origin").look(report)

    def _round(self, environment: Environment) -> Report | None:
        with suppress(ConflictError):  # what was said here just now is being pushed
            return settle(open_remote(environment, "origin"), None, is_asked=False, random=lambda: 0.5)
        return None

    def glance(self) -> None:
        """As who was asked to look: half a minute goes by between its looks."""
        conflicting.glance(self.room())

    def found(self) -> dict[str, str]:
        """What is in conflict or merges, by path, and what could not be looked at."""
        found = self.room().conflicts()
        told = {one.path: one.outcome for pair in found.pairs for one in pair.meetings}
        return told | dict(found.not_looked)

    def told(self) -> list[tuple[str, str, str]]:
        """Number, uid and text of what the room was told."""
        lines = self.world.chat("log", "--json", cwd=self.path, check=True).stdout.splitlines()
        told = [json.loads(line) for line in lines]
        return [(one["type"], one["uid"], one["content"]) for one in told if one["from"] == "system"
                and one["type"].startswith("conflict")]  # fmt: skip

    def work_refs(self) -> list[str]:
        """The shares at the hub."""
        told = self.git("ls-remote", "origin", "refs/chatroom/rooms/*/work/*")
        return [line.split("\t")[1] for line in told.splitlines()]


@dataclass
class Two:
    alice: Machine
    bob: Machine
    seconds: list[int]
    asked: list[str]
    """Where a look was asked for that nobody waits for."""


@pytest.fixture
def two(world: World, monkeypatch: pytest.MonkeyPatch) -> Two:
    """Both have the room, and stand on branches of theirs at the same commit."""
    hub = world.root / "hub.git"
    first = world.repository("alice")
    for path in ("lexer.py", "token.py", "errors.py"):
        (first / path).write_text(LINES)
    world.git("add", "-A", cwd=first)
    world.git("commit", "-q", "-m", "begin", cwd=first)
    world.git("branch", "-M", "main", cwd=first)
    world.git("clone", "-q", "--bare", str(first), str(hub))
    world.git("remote", "add", "origin", str(hub), cwd=first)
    world.git("fetch", "-q", "origin", cwd=first)
    world.git("remote", "set-head", "origin", "main", cwd=first)
    world.git("clone", "-q", str(hub), str(world.root / "bob"))
    seconds = [world.environment(first).now().seconds]
    machines = [Machine(world, name, world.root / name, seconds) for name in ("alice", "bob")]
    for one in machines:
        one.git("checkout", "-q", "-b", one.name)
        one.git("config", "chat.name", one.name)
    world.chat("send", "hello", cwd=first, check=True)
    world.chat("sync", cwd=first, check=True)
    for one in machines:
        world.chat("sync", cwd=one.path, check=True)
        world.chat("join", one.name, cwd=one.path, check=True)

    def wait(amount: float) -> None:
        seconds[0] += int(amount) + 1

    def start(environment: Environment, *words: str, **options: tuple[int, ...]) -> None:
        if words[0] == "conflicts":
            asked.append(environment.cwd)
        else:
            start_aside(environment, *words, **options)

    asked: list[str] = []
    start_aside = Environment.start_aside
    monkeypatch.setattr(Environment, "start_aside", start)
    monkeypatch.setattr(conflicting, "_sleep", wait)
    monkeypatch.setattr("gitchat.work.scratch.seconds_since", lambda repository: 0.0)
    return Two(machines[0], machines[1], seconds, asked)


@dataclass
class Place:
    """A repository with two worktrees: alice in the first, on a branch of her own, and bob in the other."""

    world: World
    alice: Path
    bob: Path

    def write(self, tree: Path, path: str, line: int | None, text: str) -> None:
        """Let one line of a file read ``text``; the whole file, without a line."""
        file = tree / path
        file.parent.mkdir(exist_ok=True)
        lines = file.read_text().splitlines() if line is not None else []
        if line is not None:
            lines[line - 1] = text
        file.write_text("\n".join(lines or [text]) + "\n")

    def commit(self, tree: Path) -> None:
        """All that is there."""
        self.world.git("add", "-A", cwd=tree)
        self.world.git("commit", "-q", "-m", "work", cwd=tree)

    def found(self, tree: Path | None = None, *words: str) -> dict[str, str]:
        """What ``git chat conflicts`` says of each path."""
        done = self.world.chat("conflicts", "--json", *words, cwd=tree or self.alice, check=True)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return {one.get("path", one["side"]): one.get("outcome", one.get("not_looked")) for one in told}

    def statuses(self) -> list[tuple[str, str, str]]:
        """Type, recipients and text of what the room was told."""
        lines = self.world.chat("log", "--json", cwd=self.alice, check=True).stdout.splitlines()
        told = [json.loads(line) for line in lines]
        return [(one["type"], one.get("to", ""), one["content"]) for one in told if one["from"] == "system"]


@pytest.fixture
def place(world: World) -> Place:
    """Both have work on branches of theirs, which meets nowhere yet."""
    alice, bob = world.repository(), world.root / "bob"
    for path in ("lexer.py", "token.py", "errors.py"):
        (alice / path).write_text(LINES)
    world.git("add", "-A", cwd=alice)
    world.git("commit", "-q", "-m", "begin", cwd=alice)
    world.git("branch", "-M", "main", cwd=alice)
    world.git("worktree", "add", "-q", str(bob), "-b", "theirs", cwd=alice)
    world.git("checkout", "-q", "-b", "mine", cwd=alice)
    world.chat("send", "hello", cwd=alice, check=True)
    for name, tree in (("alice", alice), ("bob", bob)):
        world.chat("join", name, cwd=tree, check=True)
    return Place(world, alice, bob)
