"""Waiting for the number of what was sent: ``git chat send --sync``."""

from __future__ import annotations

import json

import pytest

from tests.clones.conftest import Clone, Hub


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby has one number."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    return clone


@pytest.mark.parametrize("option", ["--sync", "--sync=20"])
def test_it_waits_for_the_number(hub: Hub, ann: Clone, option: str) -> None:
    """Whatever others pushed meanwhile: what is printed is the number that it has everywhere. The text is not eaten."""
    bea = hub.clone("bea")
    bea.sync()
    bea.say("second")
    bea.sync()
    done = ann.chat("send", option, "third")
    assert (done.returncode, done.stdout, done.stderr) == (0, "#3\n", "")
    bea.sync()
    assert bea.numbered() == [(1, "first"), (2, "second"), (3, "third")]


def test_what_was_pending_before_goes_with_it(ann: Clone) -> None:
    """It stands before the message, and so it gets the number before it."""
    ann.say("second")
    assert ann.chat("send", "--sync", "third").stdout == "#3\n"
    assert ann.numbered() == [(1, "first"), (2, "second"), (3, "third")]


def test_without_a_number_it_says_why_and_the_message_stays(hub: Hub, ann: Clone) -> None:
    """The handle on standard output, the reason on standard error, exit status 5; nothing is lost."""
    hub.hook("echo 'frozen until Monday' >&2; exit 1")
    done = ann.chat("send", "--sync", "second")
    (_, (number, body)) = ann.numbered()
    assert (done.returncode, number, body) == (5, None, "second")
    assert done.stdout == ann.records()[-1]["handle"] + "\n"
    assert "has no number yet" in done.stderr
    assert "frozen until Monday" in done.stderr
    assert "git chat sync origin" in done.stderr


def test_a_remote_that_is_silent_is_given_up_in_time(ann: Clone) -> None:
    """Long before git itself would give up."""
    ann.git("remote", "set-url", "origin", "ssh://nowhere/hub.git")
    done = ann.chat("send", "--sync=0.2", "second", GIT_SSH_COMMAND="sh -c 'exec sleep 1000'")
    assert (done.returncode, "has not taken it within 0.2 s" in done.stderr) == (5, True)


def test_a_room_that_follows_nobody_has_its_number_at_once(hub: Hub) -> None:
    """There is nothing to wait for, and nothing is attached by it."""
    clone = hub.clone("alone")
    done = clone.chat("send", "--sync", "--json", "first")
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, 1)
    assert hub.git("for-each-ref").stdout == ""


def test_a_text_may_be_called_like_the_option(hub: Hub) -> None:
    """Behind two dashes every word is text."""
    clone = hub.clone("ann")
    clone.chat("send", "--", "--sync", check=True)
    assert clone.bodies() == ["--sync"]
