"""When a seat is taken, in a copy and by another session: what the simulation of sittings found, at its smallest."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.clones.conftest import Clone, Hub
from tests.clones.test_seats import OTHER_SESSION, SESSION, agents, meet, people, read


def copy_of(clone: Clone, path: Path) -> Clone:
    """``cp -r``; who acts there has the same name."""
    shutil.copytree(clone.path, path, symlinks=True)
    return Clone(clone.world, path, clone.name)


def test_a_copy_that_only_reads_hears_nothing_of_what_was_said_in_the_first(hub: Hub, tmp_path: Path) -> None:
    """Nobody sits in it yet, and what it was copied with was said before somebody does."""
    one, two = agents(hub, "one", "two")
    one.say("since it sat", **SESSION)
    two.say("news", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(copy_of(one, tmp_path / "copy"), **SESSION) == ["news"]


def test_a_copy_that_speaks_first_hears_what_is_said_from_then_on(hub: Hub, tmp_path: Path) -> None:
    """Also what its name reads elsewhere before it reads for the first time."""
    one, two = agents(hub, "one", "two")
    copy = copy_of(one, tmp_path / "copy")
    copy.say("here I am", **SESSION)
    one.say("an answer", **SESSION)
    meet(copy, one, two)
    assert read(two, **SESSION) == ["here I am", "an answer"]
    meet(two, copy)
    assert read(copy, **SESSION) == ["an answer"]


def test_another_session_that_speaks_first_hears_what_is_said_from_then_on(hub: Hub) -> None:
    """It does not go on in the seat of the session before it until it reads."""
    one, two = agents(hub, "one", "two")
    one.say("from another session", **OTHER_SESSION)
    two.say("an answer", GITCHAT_NAME="ann")
    meet(one, two)
    assert read(two, **SESSION) == ["from another session", "an answer"]
    meet(two, one)
    assert read(one, **OTHER_SESSION) == ["an answer"]


def test_a_seat_that_was_given_back_is_the_next_ones(hub: Hub) -> None:
    """Who tells no session takes it for nobody's, and another session goes on in it."""
    one, two = agents(hub, "one", "two")
    one.chat("leave", check=True, **SESSION)
    assert read(one, OPENCODE="1") == []
    two.say("news", GITCHAT_NAME="ann")
    meet(two, one)
    assert read(two, **SESSION) == ["news"]
    meet(two, one)
    assert read(one, **OTHER_SESSION) == ["news"]


def test_a_person_who_sits_apart_goes_on_in_a_copy(hub: Hub, tmp_path: Path) -> None:
    """An agent that takes a seat there takes nothing from the person, whose namesake has read more."""
    one, two = people(hub)
    one.say("from one")
    two.say("from two")
    meet(one, two)
    two.say("news", GITCHAT_NAME="ann")
    one.say("an agent's", GITCHAT_NAME="lexer", **SESSION)
    meet(two, one)
    assert read(two) == ["from one", "news", "an agent's"]
    meet(two, one)
    copy = copy_of(one, tmp_path / "copy")
    copy.say("another agent's", GITCHAT_NAME="lexer", **SESSION)
    assert read(copy) == ["from two", "news", "an agent's", "another agent's"]


def test_where_nothing_can_be_pushed_the_own_words_from_elsewhere_are_own(hub: Hub) -> None:
    """Also those that only the remote's log has here, beside what waits for it."""
    one, two = agents(hub, "one", "two")
    one.chat("leave", check=True, **SESSION)
    one.say("waits", GITCHAT_NAME="ann")
    two.say("from the other one", **SESSION)
    two.sync()
    one.chat("pull", check=True)
    assert read(one, **OTHER_SESSION) == ["waits"]
