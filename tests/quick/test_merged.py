"""In a room with a remote two speak at once, and its log is merged: what is read then is the same by both ways."""

from __future__ import annotations

from pathlib import Path

from tests.quick.ways import AGENT, as_it_was, way
from tests.world import World

LINES = ("inbox", "read -n 2", "read", "log -n 3")

POSITIONS = "--format=%(refname) %(parent) %(contents)"
"""What tells refs apart: a position in the midst of what was merged is a commit of its own, which has a date."""


class Both:
    """Two clones of a hub, in each of which somebody speaks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hub, self.first, self.second = world.root / "hub.git", world.repository(), world.root / "second"
        world.git("init", "-q", "--bare", self.hub)
        self.say(self.first, "before there was a remote")
        self.say(self.first, "and more", "bob")
        world.git("remote", "add", "origin", self.hub, cwd=self.first)
        world.chat("sync", cwd=self.first, check=True)
        world.git("push", "-q", "origin", "HEAD", cwd=self.first)
        world.git("clone", "-q", self.hub, self.second)
        world.chat("log", cwd=self.second, check=True)
        for where in (self.first, self.second):
            world.git("config", "chat.sync", "manual", cwd=where)
        for line in ("send mine", "read", "send mine"):
            world.chat(*line.split(), cwd=self.second, check=True, **AGENT)
        self.sync()

    def say(self, where: Path, text: str, name: str = "bob", *options: str) -> None:
        self.world.chat("send", "-q", *options, text, cwd=where, check=True, GITCHAT_NAME=name)

    def at_once(self, *words: str) -> None:
        """Somebody says these in each clone before either hears of the other."""
        for text in words:
            self.say(self.first, f"{text} here")
            self.say(self.second, f"{text} there", "carol")
        self.sync()

    def sync(self) -> None:
        """Bring both together."""
        for where in (self.first, self.second, self.first):
            self.world.chat("sync", cwd=where, check=True)

    def compare(self, step: str) -> set[str]:
        """Compare each line for an agent in the second clone; which of them went the quick way."""
        found, where, scratch = set(), self.second, self.world.root / "scratch"
        for line in LINES:
            seen = []
            for quick in ("1", "0"):
                scratch.mkdir()
                with as_it_was(where / ".git", scratch):
                    done = self.world.chat(*line.split(), cwd=where, GITCHAT_QUICK=quick, **AGENT)
                    refs = self.world.git("for-each-ref", POSITIONS, cwd=where).stdout
                scratch.rmdir()
                seen.append((done.returncode, done.stdout, done.stderr, refs))
            assert seen[0] == seen[1], (step, line)
            scratch.mkdir()
            with as_it_was(where / ".git", scratch):
                if way(self.world, where, *line.split(), **AGENT) == "quick":
                    found.add(line)
            scratch.rmdir()
        return found


def test_what_is_read_in_a_merged_room_is_the_same(world: World) -> None:
    """After a merge, with records behind it, answers across it, and positions before it, in it and behind it."""
    both = Both(world)
    both.at_once("one", "two")
    assert "inbox" in both.compare("merged")
    world.chat("read", cwd=both.second, check=True, **AGENT)
    both.at_once("three")
    both.say(both.first, "to all", "bob", "-r", "1")
    both.sync()
    assert {"inbox", "read"} <= both.compare("merged again")
    world.chat("read", "-n", "1", cwd=both.second, check=True, **AGENT)
    both.compare("read to the middle")
