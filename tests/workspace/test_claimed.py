"""Which claims stand, as who only wants to know asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.model.pattern import matches
from gitchat.rooms.log import Log
from gitchat.verbs.room import Room
from gitchat.workspace.claimed import held_paths
from tests.world import World


class Here:
    """A repository, its rooms, and a clock that is set by hand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.path: Path = world.repository()
        self.environment = world.environment(self.path)

    def room(self, name: str, room: str = "lobby") -> Room:
        """A room for ``name``."""
        return Room(self._world.environment(self.path), room, name)

    def held(self) -> list[tuple[str, str, str]]:
        """Of each pattern that somebody has: the room, who, and the pattern."""
        return [(one.room, one.claim.seat.name, one.what.text) for one in held_paths(self.environment)]


@pytest.fixture
def here(world: World) -> Here:
    return Here(world)


def test_held_paths_are_those_of_all_open_rooms(here: Here) -> None:
    """Who waits, tasks, what was given back and closed rooms have none."""
    assert here.held() == []
    here.room("alice").claim(["src/", "docs/*.md", "task:1"])
    here.room("bob").claim(["src/a.py"], wait=True)
    here.room("bob", "parser").claim(["src/p.py"])
    here.room("carol", "done").claim(["old/"])
    here.room("carol", "done").describe(state="closed")
    here.room("dan").claim(["gone.py"])
    here.room("dan").release()
    assert here.held() == [
        ("lobby", "alice", "src/"),
        ("lobby", "alice", "docs/*.md"),
        ("parser", "bob", "src/p.py"),
    ]
    assert matches(held_paths(here.environment)[0].what.parts, "src/lexer/a.py")
    here.room("alice").release("src/")
    assert here.held() == [("lobby", "bob", "src/a.py"), ("parser", "bob", "src/p.py")]


def test_a_damaged_room_hides_no_other(here: Here) -> None:
    """What is held in the others is told."""
    here.room("alice", "broken").claim(["a.py"])
    here.room("alice", "whole").claim(["b.py"])
    log = here.path / ".git" / "refs" / "chatroom" / "rooms" / "broken" / "log"
    log.write_text("0" * 39 + "1\n")
    assert here.held() == [("whole", "alice", "b.py")]


def test_a_room_in_which_nothing_is_claimed_asks_the_index_once(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came since is looked through, however it came; a claim among it is seen, and so is one in a longer gap."""
    asked: list[str] = []
    chain = Log.chain
    monkeypatch.setattr(Log, "chain", lambda log: (asked.append(log.name), chain(log))[1])
    for number in range(3):
        here.room("alice").send(f"words {number}")
        assert here.held() == []
    assert asked == ["lobby"]
    here.room("alice").claim(["src/"])
    here.room("alice").send("and more words")
    assert here.held() == [("lobby", "alice", "src/")]
    here.room("alice").release()
    assert here.held() == []
    here.environment.unclaimed.clear()
    monkeypatch.setattr("gitchat.workspace.claimed.MAX_SECONDS", -1)  # as if it were long ago
    assert here.held() == []
    asked.clear()
    for number in range(70):
        here.room("bob").send(f"{number}")
    assert here.held() == []
    assert here.held() == []
    assert asked == ["lobby"]
