"""What is written down for the guard: by whom, what of it, and when nothing is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.claim import MAX_SECONDS
from gitchat.model.record import Moment
from gitchat.verbs.room import Room
from gitchat.workspace.guarding import PROGRAM, put_guard, refresh
from tests.world import World


class Here:
    """A repository, and who speaks there."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        self.file = path / ".git" / "chatroom" / "guarded"

    def room(self, name: str, room: str = "lobby", **variables: str) -> Room:
        """A room for ``name``: a person, where no variable says otherwise."""
        environment = self.world.environment(self.path)
        return Room(replace(environment, variables=environment.variables | variables), room, name)

    def refresh(self, after_seconds: int = 0) -> None:
        """As a hook does it, some time from now."""
        environment = self.world.environment(self.path)
        now = environment.now().seconds + after_seconds
        refresh(replace(environment, now=lambda: Moment(now)))

    def lines(self) -> list[tuple[str, str, str, str]]:
        """Of each claim: who has it, whether in this clone, the pattern, and the label."""
        fields = [line.split("\t") for line in self.file.read_text(errors="replace").splitlines()]
        return [(line[3], line[4], line[7], line[8]) for line in fields if line[0] == "claim"]


@pytest.fixture
def here(world: World) -> Here:
    return Here(world, world.repository())


def test_each_claim_and_release_writes_it_down(here: Here) -> None:
    """Paths of open rooms alone; nothing is left when all is given back; and the guard stands beside it."""
    here.room("bob").send("hello")
    assert not here.file.exists()
    here.room("bob").claim(["src/", "dö?s/*.md", "task:1"])
    here.room("carol", "parser", AI_AGENT="some").claim(["p.py"])
    assert here.lines() == [
        ("bob", "here", "src/", "#2"),
        ("bob", "here", "d\\303\\266?s/*.md", "#2"),
        ("carol", "here", "p.py", "#1 in parser"),
    ]
    assert here.file.read_text(errors="replace").splitlines()[1] == "me\talice"
    guard = here.file.with_name("guard")
    assert (guard.read_bytes(), os.access(guard, os.X_OK)) == (PROGRAM.read_bytes(), True)
    here.room("carol", "parser").describe(state="closed")
    here.refresh()
    assert [line[0] for line in here.lines()] == ["bob", "bob"]
    here.room("bob").release()
    assert here.file.read_bytes() == b""


def test_nothing_is_written_where_nothing_changed(here: Here) -> None:
    """A look later, too: the file stays the same one, and times do not go along with the clock."""
    here.room("bob").claim(["src/"])
    before = here.file.stat()
    here.refresh()
    here.refresh(after_seconds=60)
    here.room("bob").send("hello")
    assert (here.file.stat().st_ino, here.file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    here.refresh(after_seconds=MAX_SECONDS)
    assert here.file.read_bytes() == b""


def test_who_waits_is_there_from_when_on_it_holds(here: Here) -> None:
    """When the time of all before it is over, if its own is not; so that nobody has to write it down then."""
    now = here.world.environment(here.path).now().seconds
    here.room("bob").claim(["src/a"], seconds=600)
    here.room("carol").claim(["src/"], seconds=1800, wait=True)
    here.room("dora").claim(["src/*"], seconds=900, wait=True)
    here.room("eve").claim(["src/b"], seconds=7200, wait=True)
    fields = [line.split("\t") for line in here.file.read_text().splitlines() if line.startswith("claim")]
    begins = {line[3]: (int(line[1]) - now) // 100 if line[1] != "0" else 0 for line in fields}
    assert begins == {"bob": 0, "carol": 6, "eve": 18}  # dora's is over before carol's
    here.refresh(after_seconds=700)
    assert [line[0] for line in here.lines()] == ["carol", "eve"]


def test_a_seat_elsewhere_is_told_from_ours(here: Here, world: World) -> None:
    """Of an agent by its clone, of a person by the address; and what a sync brings is written down."""
    hub = world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    world.git("remote", "add", "origin", hub, cwd=here.path)
    here.room("bob", AI_AGENT="some").claim(["src/"])
    here.room("alice").claim(["docs/"])
    world.chat("sync", cwd=here.path, check=True)
    there = Here(world, world.root / "there")
    world.git("clone", "-q", hub, there.path)
    world.git("config", "user.email", "other@example.com", cwd=there.path)
    world.chat("sync", cwd=there.path, check=True)
    assert there.lines() == [("bob", "-", "src/", "#1"), ("alice", "-", "docs/", "#2")]
    there.room("bob", AI_AGENT="some").claim(["mine"])
    assert there.lines()[-1][:3] == ("bob", "here", "mine")
    assert there.lines()[-1][3].startswith("~")  # not agreed yet
    world.chat("sync", cwd=there.path, check=True)
    assert there.lines()[-1] == ("bob", "here", "mine", "#3")
    world.chat("sync", cwd=here.path, check=True)
    assert here.lines()[-1] == ("bob", "-", "mine", "#3")


def test_what_stands_in_the_way_stops_no_claim(here: Here) -> None:
    """A directory, a link, or a directory that cannot be written to in the file's place."""
    here.room("bob").claim(["a"])
    here.file.unlink()
    here.file.mkdir()
    here.room("bob").claim(["b"])
    here.file.rmdir()
    here.file.symlink_to(here.path / "elsewhere")
    here.room("bob").claim(["c"])
    assert not (here.path / "elsewhere").exists()
    here.file.unlink()
    here.refresh()
    assert [line[2] for line in here.lines()] == ["a", "b", "c"]


def test_a_guard_of_another_version_is_replaced(here: Here) -> None:
    """By setup and the hook, and by the next that writes something down."""
    put_guard(here.world.environment(here.path))
    guard = here.file.with_name("guard")
    guard.write_text("#!/bin/sh\nexit 1\n")
    here.room("bob").claim(["a"])
    assert guard.read_bytes() == PROGRAM.read_bytes()
