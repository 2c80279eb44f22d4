"""Who waits by the quick way is told the same, lives under the same name meanwhile, and takes a tenth of the room."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitchat.cli.commands import wait
from gitchat.model import claim
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder, new_membership
from gitchat.model.session import Session
from gitchat.presence.roll import Roll
from gitchat.quick import live, waiting
from gitchat.staying import wake
from gitchat.waking import watch
from gitchat.workspace.opened import PROGRAM
from tests.crash.sleepers import until
from tests.quick.ways import AGENT, way
from tests.world import World

LINES = (
    "wait --timeout 0", "wait --timeout 0 -q", "wait -n 1 --room lobby --timeout 0", "wait --timeout 0.01",
    "wait --timeout 0 --type ack", "wait --timeout x", "wait --room none --timeout 0",
    "wait --max-count 0",
)  # fmt: skip


def lived_in(world: World, name: str, variables: dict[str, str]) -> Path:
    """A repository in which somebody spoke, and whoever waits has read, waited and spoken before."""
    repository = world.repository(name)
    for line in ("send first", "send second"):
        world.chat(*line.split(), cwd=repository, check=True, GITCHAT_NAME="bob")
        for own in ("read", "send mine", "wait --timeout 0"):
            world.chat(*own.split(), cwd=repository, **variables)
    return repository


def who(repository: Path) -> list[dict[str, Any]]:
    """What the files of names say, without process and times."""
    found = []
    for path in sorted((repository / ".git/chatroom/live").iterdir()):
        content = json.loads(path.read_bytes()[:-9])
        held_at, pid = content.pop("held_at"), content["holder"].pop("pid")
        assert held_at > 0
        assert pid > 1
        for at in content["rooms"].values():
            assert at.pop("joined_at") <= at.pop("last_seen")
        content["holder"]["worktree"] = Path(content["holder"]["worktree"]).name
        found.append(content)
    return found


@pytest.mark.parametrize("variables", [{}, AGENT])
def test_what_is_told_is_the_same(world: World, variables: dict[str, str]) -> None:
    """Step by step in two repositories, one of which goes the long way alone."""
    repositories = {"1": lived_in(world, "here/same", variables), "0": lived_in(world, "there/same", variables)}
    steps = (
        "send -q --type ack thanks", "send -q -r 1 news", "send --at file.txt:1 look", "join --role dev",
        "send -q --to role:general to-all-of-them", "claim src/", "leave",
    )  # fmt: skip
    for step in ("", *steps):
        for line in LINES if step in ("", steps[1]) else LINES[:1]:
            answers = []
            for quick, repository in repositories.items():
                done = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK=quick, **variables)
                answers.append((done.returncode, done.stdout, done.stderr, who(repository)))
            assert answers[0] == answers[1], (step, line)
        for repository in repositories.values():
            if step == steps[1]:
                world.chat("read", cwd=repository, check=True, **variables)
            following = steps[steps.index(step) + 1 :] if step else steps
            teller = variables if following[:1] in (("join --role dev",), ("leave",)) else {"GITCHAT_NAME": "bob"}
            if following:
                world.chat(*following[0].split(), cwd=repository, check=True, **teller)


def test_it_goes_the_quick_way_where_that_is_known(world: World) -> None:
    """And the long way while a claim may end by the clock, or somebody else lives under the name."""
    repository = lived_in(world, "project", {})
    assert way(world, repository, "wait", "--timeout", "0") == "quick"
    world.chat("send", "more", cwd=repository, check=True, GITCHAT_NAME="bob")
    assert way(world, repository, "wait") == "quick"
    with start(world, repository) as process:  # it prints that at once
        assert "more" in process.communicate()[0]
    world.chat("read", cwd=repository, check=True)
    with start(world, repository, "--room", "lobby") as process:
        until(lambda: lives(repository))
        assert way(world, repository, "wait", "--timeout", "0") == "long"
        process.terminate()
    world.chat("claim", "src/", cwd=repository, check=True, GITCHAT_NAME="bob")
    assert way(world, repository, "wait", "--timeout", "0") == "long"
    world.chat("release", "src/", cwd=repository, check=True, GITCHAT_NAME="bob")


def start(world: World, repository: Path, *words: str) -> subprocess.Popen[str]:
    """A wait that goes on, as it is installed."""
    command = [sys.executable, "-P", PROGRAM, "wait", *words]
    return subprocess.Popen(
        command, cwd=repository, env=world.variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def lives(repository: Path) -> bool:
    """Whether somebody lives under the name of whoever waits."""
    presence = Roll(repository / ".git/chatroom").find(Name("alice"))
    return presence is not None and presence.is_living


def loaded(process: subprocess.Popen[str]) -> str:
    """The files that a process has in memory."""
    return Path(f"/proc/{process.pid}/maps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process has loaded")
def test_who_sleeps_is_woken_by_whoever_writes(world: World) -> None:
    """By ours, and by a git that moves the ref, after which the whole program goes on in the same process."""
    repository = lived_in(world, "project", {})
    with start(world, repository) as process:
        until(lambda: lives(repository))
        assert "_pygit2" not in loaded(process)
        assert "_sqlite3" not in loaded(process)
        world.chat("send", "-q", "--type", "ack", "nothing to wake for", cwd=repository, check=True, GITCHAT_NAME="bob")
        world.chat("send", "of ours", cwd=repository, check=True, GITCHAT_NAME="bob")
        said, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert "of ours" in said
    world.chat("read", cwd=repository, check=True)
    other = world.root / "other"
    world.git("clone", "-q", "--mirror", repository, other)
    log = "refs/chatroom/rooms/lobby/log"
    written = world.git("cat-file", "commit", log, cwd=repository).stdout
    head, _, message = written.partition("\n\n")
    tip = world.git("rev-parse", log, cwd=repository).stdout.strip()
    head = "\n".join(f"parent {tip}" if line.startswith("parent ") else line for line in head.split("\n"))
    message = message.replace("of ours", "of git").replace("Chat-Uid: ", "Chat-Uid: 00000000")[:-1]
    lines = [line[:26] if line.startswith("Chat-Uid: ") else line for line in message.split("\n")]
    raw = "\n".join([head, "", *lines, ""])
    with start(world, repository, "--timeout", "3000") as process:
        until(lambda: lives(repository))
        new = world.git("hash-object", "-t", "commit", "-w", "--stdin", cwd=repository, stdin=raw.encode())
        world.git("update-ref", log, new.stdout.strip(), tip, cwd=repository)
        said, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert "of git" in said


def test_who_is_interrupted_ends_as_by_the_long_way(world: World) -> None:
    """Silent, with the same status; and nobody lives under the name any more."""
    repository = lived_in(world, "project", {})
    ends = []
    for quick in ("1", "0"):
        world.variables["GITCHAT_QUICK"] = quick
        with start(world, repository) as process:
            until(lambda: lives(repository))
            process.send_signal(signal.SIGINT)
            ends.append((process.wait(), *process.communicate()))
        assert not lives(repository)
    assert ends[0] == ends[1]


@pytest.mark.parametrize("before", [None, "registered", "left", "living", "elsewhere"])
def test_the_file_of_a_name_becomes_what_the_roll_makes_of_it(tmp_path: Path, before: str | None) -> None:
    """Byte for byte: of who joined, left, lived and died there, or knows another room better."""
    roll, name, room = Roll(tmp_path / "chatroom"), Name("alice"), RoomName("lobby")
    holder = Holder(pid=7, host="h", worktree="/w", branch="main", keys=Session())
    if before in ("registered", "left"):
        roll.register(name, room, role="dev", capabilities=["tests", 'q"'], holder=holder, now=50)
    if before == "left":
        roll.leave(name, room, 60)
    if before in (None, "living", "elsewhere"):
        with roll.hold(name, holder, 40) as held:
            if before is not None:
                held.join(RoomName("other") if before == "elsewhere" else room, role="dev", now=41)
    path = tmp_path / "chatroom/live/alice"
    life = live.Life("alice", path.read_bytes())
    assert life.is_persons
    taken = live.Life("alice", b"" if before is None else path.read_bytes())
    taken.take(life.holder, "lobby", 99)
    known = roll.find(name)
    assert known is not None
    member = known.participant(room)
    role, words = (member.role, member.capabilities) if member and member.is_present else ("general", ())
    with roll.hold(name, holder, 99) as held:
        held.join(room, role=role, capabilities=words, now=99)
        assert path.read_bytes() == taken.written()
        life = live.Life("alice", path.read_bytes())
        life.touch("lobby", 120)
        held.touch(room, 120)
        assert path.read_bytes() == life.written()
    assert new_membership("dev", (), 1, is_registered=True).left_at is None


def test_the_constants_are_those_of_the_long_way() -> None:
    """What stands in both places is the same."""
    assert waiting.SILENT_TYPES == wake.SILENT_TYPES
    assert waiting.TIMEOUT_STATUS == wait.TIMEOUT_STATUS
    assert waiting.POLL_SECONDS == watch.POLL_SECONDS
    assert waiting.CLAIM_SECONDS == claim.MAX_SECONDS
