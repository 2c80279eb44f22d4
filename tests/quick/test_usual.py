"""Which of what is usual goes the quick way: calls that are typed all day, in the states that repositories are in.

What goes the long way is not wrong, and takes ten times as long. So a new kind of record, trailer, file or setting that
sends everybody there is noticed here, and so is a state of which nobody thought. Who mends one of the dots below, or
has to add one, says so by changing this table.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.quick.ways import AGENT, as_it_was, way
from tests.world import World

CALLS = {
    "log": "log -n 3",
    "oneline": "log --oneline",
    "inbox": "inbox",
    "read": "read --room lobby",
    "send": "send hello",
    "-q": "send -q --to bob hello",
    "--to": "send --to bob hello",
    "-r": "send -r 1 hello",
    "reply": "reply 1 hello",
    "wait": "wait --timeout 0",
    "status": "status",
}
"""The columns of the table, and what is typed."""

TABLE = """
state        log  oneline  inbox  read  send  -q  --to  -r  reply  wait  status
plain          q        q      q     q     q   q     q   q      q     q       q
first          q        q      q     .     q   q     .   q      q     q       q
below          q        q      q     q     q   q     q   q      q     q       q
worktree       q        q      q     q     q   q     q   q      q     q       q
GIT_DIR        q        q      q     q     q   q     q   q      q     .       q
gc             q        q      q     .     .   .     .   .      .     q       q
sha256         .        -      .     -     .   -     -   -      -     -       -
reftable       .        -      .     -     .   -     -   -      -     -       -
anchor         q        q      q     q     q   q     q   q      q     q       q
attachment     .        .      .     .     q   q     q   q      q     .       .
json           .        .      .     .     q   q     q   q      q     .       .
claim          q        q      q     q     q   q     q   q      q     .       q
release        q        q      q     q     q   q     q   q      q     .       q
question       q        q      q     q     q   q     q   q      q     q       q
redacted       q        q      q     q     q   q     q   q      q     q       q
purged         .        -      .     -     .   -     -   -      -     -       -
summary        q        q      q     q     q   q     q   q      q     q       q
two-rooms      q        q      q     q     q   q     q   q      q     .       q
member         q        q      q     q     q   q     q   q      q     q       q
agent          q        q      q     q     q   q     q   q      q     q       q
joined         q        q      q     q     q   q     q   q      q     q       q
clone          q        q      q     q     q   q     q   q      q     .       q
fetched        q        q      q     q     q   q     q   q      q     q       q
waiting        q        q      q     q     q   q     q   q      q     .       q
"""
"""Each state, and which of the calls go the quick way in it (q), each as the first call in that state.

Where everything goes the long way some stand for the rest (-).
"""

Seen = tuple[Path, dict[str, str]]
"""Where one is, and the variables that make one who one is."""


def rows() -> dict[str, dict[str, bool]]:
    """By state: whether each call that is tried goes the quick way."""
    head, *lines = TABLE.strip().splitlines()
    columns = head.split()[1:]
    assert columns == [*CALLS]
    found = {}
    for line in lines:
        state, *marks = line.split()
        found[state] = {column: mark == "q" for column, mark in zip(columns, marks, strict=True) if mark != "-"}
    return found


class Life:
    """A repository that is lived in: somebody spoke, whoever looks here has read before, and there is news."""

    def __init__(self, world: World, *options: str) -> None:
        self.world = world
        self.repository = world.repository("project", *options)
        for name, line in (
            ("bob", "send first"), ("alice", "read"), ("alice", "send mine"), ("bob", "send -q --to alice for-you"),
            ("alice", "read"), ("bob", "read"), ("bob", "send more"),
        ):  # fmt: skip
            self.say(line, name)

    def say(self, line: str, name: str = "bob") -> None:
        """``git chat`` of this line, by ``name``."""
        self.world.chat(*line.split(), cwd=self.repository, check=True, GITCHAT_NAME=name)

    def seat(self, cwd: Path) -> None:
        """Let an agent's session read and speak in the repository at ``cwd``, so that it sits there."""
        for line in ("send mine", "read", "send mine"):
            self.world.chat(*line.split(), cwd=cwd, check=True, **AGENT)


def said(*lines: str) -> Callable[[World], Seen]:
    """A person, after bob typed these lines."""

    def make(world: World) -> Seen:
        life = Life(world)
        for line in lines:
            life.say(line)
        return life.repository, {}

    return make


def after_git(*commands: str) -> Callable[[World], Seen]:
    """A person, after these commands of git."""

    def make(world: World) -> Seen:
        life = Life(world)
        for command in commands:
            world.git(*command.split(), cwd=life.repository)
        return life.repository, {}

    return make


def of_format(option: str) -> Callable[[World], Seen]:
    """A person, in a repository that is laid out otherwise."""

    def make(world: World) -> Seen:
        world.use_newer_git()
        return Life(world, option).repository, {}

    return make


def first(world: World) -> Seen:
    """A person who has never read here."""
    repository = world.repository("project")
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    return repository, {}


def below(world: World) -> Seen:
    """A person who works in a directory of the project, and never was above it."""
    repository = Life(world).repository
    (repository / ".git/chatroom/settings").rename(world.root / "settings")
    (repository / "src").mkdir()
    return repository / "src", {}


def beside(world: World) -> Seen:
    """A person in a second worktree."""
    life = Life(world)
    world.git("worktree", "add", "-q", "-b", "side", world.root / "side", cwd=life.repository)
    return world.root / "side", {}


def in_a_hook(world: World) -> Seen:
    """A person's hook, to which git tells where it is."""
    return Life(world).repository, {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}


def member(world: World) -> Seen:
    """A person who has joined."""
    life = Life(world)
    life.say("join --role dev", "alice")
    life.say("send -q --to role:dev more")
    return life.repository, {}


def agent(world: World) -> Seen:
    """An agent that sits."""
    life = Life(world)
    life.seat(life.repository)
    life.say("send more")
    return life.repository, AGENT


def joined(world: World) -> Seen:
    """An agent that sits and has joined."""
    life = Life(world)
    life.seat(life.repository)
    world.chat("join", "--role", "dev", cwd=life.repository, check=True, **AGENT)
    life.say("send more")
    return life.repository, AGENT


def cloned(*steps: str) -> Callable[[World], Seen]:
    """An agent that sits in a second clone; with ``fetched`` after somebody else's records came, with ``pushed`` after
    its own were numbered, with ``waiting`` while one is on its way.
    """

    def make(world: World) -> Seen:
        hub, clone, life = world.root / "hub.git", world.root / "clone", Life(world)
        world.git("init", "-q", "--bare", hub)
        world.git("remote", "add", "origin", hub, cwd=life.repository)
        world.chat("sync", cwd=life.repository, check=True)
        world.git("push", "-q", "origin", "HEAD", cwd=life.repository)
        world.git("clone", "-q", hub, clone)
        world.chat("log", cwd=clone, check=True)
        with held(clone):  # nobody pushes meanwhile
            life.seat(clone)
        world.chat("sync", cwd=clone, check=True)
        if "fetched" in steps:
            life.say("sync")
            life.say("send -q more")
            life.say("sync")
            world.chat("sync", cwd=clone, check=True)
        if "waiting" in steps:
            with held(clone):
                world.chat("send", "mine", cwd=clone, check=True, **AGENT)
        return clone, AGENT

    return make


@contextmanager
def held(repository: Path) -> Iterator[None]:
    """As long as this is held nobody begins to push, as somebody seems to do that already."""
    with (repository / ".git/chatroom/keep-origin.lock").open("a") as keeper:
        fcntl.flock(keeper, fcntl.LOCK_EX)
        yield


STATES: dict[str, Callable[[World], Seen]] = {
    "plain": said(),
    "first": first,
    "below": below,
    "worktree": beside,
    "GIT_DIR": in_a_hook,
    "gc": after_git("gc -q"),
    "sha256": of_format("--object-format=sha256"),
    "reftable": of_format("--ref-format=reftable"),
    "anchor": said("send --at file.txt:1 more"),
    "attachment": said("send --attach file.txt more"),
    "json": said("send --json-body {}"),
    "claim": said("claim src/ task", "send more"),
    "release": said("claim src/", "release src/", "send more"),
    "question": said("ask --to alice --choice yes --choice no shall-we"),
    "redacted": said("redact 1", "send more"),
    "purged": said("purge 1 --yes"),
    "summary": said("room title lobby words", "summary write words", "send more"),
    "two-rooms": said("send --room other more", "send more"),
    "member": member,
    "agent": agent,
    "joined": joined,
    "clone": cloned(),
    "fetched": cloned("fetched"),
    "waiting": cloned("waiting"),
}


def test_the_table_is_whole() -> None:
    """Each state has a row, in this order."""
    assert [*rows()] == [*STATES]


@pytest.mark.parametrize("state", STATES)
def test_what_is_usual_goes_the_quick_way(world: World, state: str) -> None:
    """And what the table says goes the long way still does, so that who mends it writes that down."""
    where, variables = STATES[state](world)
    common_dir = Path(world.git("rev-parse", "--git-common-dir", cwd=where).stdout.strip())
    common_dir = where / common_dir
    found = {}
    for column in rows()[state]:
        scratch = world.root / "before"
        scratch.mkdir()
        with as_it_was(common_dir, scratch), _alone(common_dir):
            found[column] = way(world, where, *CALLS[column].split(), **variables) == "quick"
        scratch.rmdir()
    shown = f"{state:<11}" + "".join(f"{'q' if quick else '.':>{len(column) + 2}}" for column, quick in found.items())
    assert found == rows()[state], shown


@contextmanager
def _alone(common_dir: Path) -> Iterator[None]:
    """Let nobody push, where that is done at all."""
    lock = common_dir / "chatroom/keep-origin.lock"
    if not lock.exists():
        yield
        return
    with held(common_dir.parent):
        yield
