"""When a seat is taken, in a copy and by another session: what the simulation of sittings found, at its smallest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.clones.conftest import Clone, Hub
from tests.clones.test_seats import OTHER_SESSION, SESSION, agents, meet, people, read
from tests.needed import missing
from tests.world import Argument, Done

RELEASED = Path(__file__).parents[2] / ".tools" / "gitchat-0.1.0" / "bin" / "git-chat"
"""What ``make released`` installs."""


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


# --- a clone where version 0.1.0 works on ------------------------------------------------


class ReleasedClone(Clone):
    """A clone in which version 0.1.0 runs."""

    def chat(self, *arguments: Argument, **options: Any) -> Done:
        return self.world.run(RELEASED, *arguments, cwd=self.path, **{"GITCHAT_NAME": self.name, **options})

    def read_as(self, name: str) -> list[str]:
        """What is unread there under ``name``, which is marked by that."""
        done = self.chat("read", "--json", GITCHAT_NAME=name)
        return [json.loads(line)["content"] for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_beside_a_clone_of_version_0_1_0_each_seat_hears_all_but_its_name_there(hub: Hub) -> None:
    """What that one reads under a shared name takes nothing from a seat; under that name both stay deaf, as before."""
    if not RELEASED.exists():
        missing("version 0.1.0 is missing: make released")
    one, _ = agents(hub, "one", "two")
    made = hub.clone("old")
    old = ReleasedClone(made.world, made.path, "ann")
    old.sync()
    assert old.read_as("lexer") == [], "the agents have read it, under that name"
    old.say("from ann")
    old.say("from the old lexer", GITCHAT_NAME="lexer")
    one.say("from the new lexer", **SESSION)
    meet(old, one)
    assert old.read_as("lexer") == ["from ann"], "what it says itself, for 0.1.0 its name says everywhere"
    meet(old, one)
    assert read(one, **SESSION) == ["from ann"]
    assert old.read_as("ann") == ["from the old lexer", "from the new lexer"]
    meet(one, old)
    assert (read(one, **SESSION), old.read_as("lexer"), old.read_as("ann")) == ([], [], [])
    assert old.numbered() == one.numbered()
    wanted = ["cursors/ann", "cursors/lexer", "log"]
    assert hub.git("for-each-ref", "--format=%(refname:lstrip=4)").stdout.split() == wanted
    hub.assert_clean()
