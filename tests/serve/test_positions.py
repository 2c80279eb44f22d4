"""How far names have read, in memory and then written."""

from __future__ import annotations

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.presence.holding import Holding
from gitchat.serve.actor import Actor
from gitchat.serve.frontier import key_of
from gitchat.serve.positions import LOOKED_AT, WRITTEN_AFTER_SECONDS, Positions
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.world import World

LOCAL = Actor("local", is_local=True)
WHOSE = (RoomName("lobby"), Name("bob"))


@pytest.fixture
def environment(world: World) -> Environment:
    """A repository."""
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    return Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)


def say(environment: Environment, *texts: str, to: str = "all") -> None:
    """Say these as ana."""
    for text in texts:
        Room(environment, "lobby", "ana").send(text, to=to)


def unread(positions: Positions, bob: Room, limit: int = 100) -> tuple[list[str], int]:
    """What bob has not read and not had, and how much more there is."""
    reading = positions.unread(bob, limit)
    return [entry.record.body for entry in reading.entries], reading.left


def had(positions: Positions, bob: Room, *places: int, now: float = 0.0) -> None:
    """Bob has had these of what is unread."""
    entries = bob.unread().entries
    positions.had(LOCAL, WHOSE, [key_of(entries[place]) for place in places], now)


def test_what_was_had_is_not_told_again_and_written_later(environment: Environment) -> None:
    """The position goes as far as nothing is passed over; the rest stays in memory until it can follow."""
    positions, bob = Positions(), Room(environment, "lobby", "bob")
    say(environment, "1", "2", "3", "4")
    had(positions, bob, 0, 2)
    assert unread(positions, bob) == (["2", "4"], 0)
    assert unread(positions, bob, 1) == (["2"], 1)
    assert bob.cursor() == 0
    positions.write(bob)
    assert bob.cursor() == 1
    assert unread(positions, bob) == (["2", "4"], 0)
    had(positions, bob, 0)
    positions.write(bob)
    assert (bob.cursor(), unread(positions, bob)) == (3, (["4"], 0))
    assert [entry.record.body for entry in bob.unread().entries] == ["4"]


def test_what_is_for_others_is_passed_over(environment: Environment) -> None:
    """It is in nobody's way, and neither is what was read elsewhere meanwhile."""
    positions, bob = Positions(), Room(environment, "lobby", "bob")
    say(environment, "1")
    say(environment, "2", to="cy")
    say(environment, "3", "4")
    had(positions, bob, 1)
    bob.read(1)
    positions.write(bob)
    assert (bob.cursor(), unread(positions, bob)) == (3, (["4"], 0))
    had(positions, bob, 0)
    bob.read()
    positions.write(bob)
    assert not positions.had_by(WHOSE)


def test_a_position_is_due_some_seconds_after_its_first_change(environment: Environment) -> None:
    """Later changes do not put it off; of one name it is written at once when it leaves."""
    positions, bob = Positions(), Room(environment, "lobby", "bob")
    say(environment, "1", "2")
    had(positions, bob, 0, now=100)
    had(positions, bob, 1, now=104)
    assert positions.due(100 + WRITTEN_AFTER_SECONDS - 1) == []
    (due,) = positions.due(100 + WRITTEN_AFTER_SECONDS)
    assert [positions.due(name=Name("cy")), positions.due(name=Name("bob")), positions.due()] == [[], [due], [due]]
    positions.begin(due)
    assert positions.due() == []


def test_more_than_is_looked_at_once_is_written_in_one_go(environment: Environment) -> None:
    """As many looks as it takes."""
    positions, bob = Positions(), Room(environment, "lobby", "bob")
    say(environment, *map(str, range(LOOKED_AT + 3)))
    had(positions, bob, *range(LOOKED_AT + 2))
    positions.write(bob)
    assert (bob.cursor(), unread(positions, bob)) == (LOOKED_AT + 2, ([str(LOOKED_AT + 2)], 0))


def test_while_somebody_else_lives_under_the_name_nothing_is_written(environment: Environment) -> None:
    """What was kept for it is forgotten: who lives there is told it."""
    positions, bob = Positions(), Room(environment.holding(Holding()), "lobby", "bob")
    say(environment, "1")
    had(positions, bob, 0)
    assert unread(positions, bob) == ([], 0)
    with environment.hold(Name("bob")):
        positions.write(bob)
        assert Room(environment, "lobby", "bob").cursor() == 0
    assert unread(positions, bob) == (["1"], 0)
