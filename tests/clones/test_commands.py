"""What sync, push, pull and remote tell, ask and refuse."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import refused
from tests.clones.conftest import APART, Clone, Hub


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby follows the hub."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    return clone


@pytest.fixture
def apart(hub: Hub, ann: Clone) -> Clone:
    """A clone with a lobby of its own."""
    clone = hub.clone("apart")
    clone.say("mine", **APART)
    return clone


def at_a_terminal(clone: Clone, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Exit status and screen of ``git chat <arguments>``, to which somebody types."""
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [Path(sys.executable).parent / "git-chat", *arguments],
        cwd=clone.path,
        env=clone.world.variables | {"GITCHAT_NAME": clone.name, "TERM": "xterm"},
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    os.write(keyboard, typed.encode())
    shown = b""
    try:
        while part := os.read(keyboard, 65536):
            shown += part
    except OSError:
        pass  # the last program has left the terminal
    os.close(keyboard)
    return process.wait(60), shown.decode("utf-8", "replace")


# --- what is told --------------------------------------------------------------


@pytest.mark.parametrize("verb", ["sync", "push"])
def test_a_dry_run_tells_and_does_nothing(hub: Hub, ann: Clone, verb: str) -> None:
    """As text and as JSON; for a pull nothing is to be pushed."""
    ann.say("second")
    assert ann.chat(verb, "--dry-run", check=True).stdout == "lobby: 0 to fetch, 1 to push\n"
    told = json.loads(ann.chat(verb, "-n", "--json", check=True).stdout)
    assert (told["dry_run"], told["pushed"], told["fetched"]) == (True, {"lobby": 1}, {})
    assert ann.chat("pull", "-n", check=True).stdout == "nothing new: origin and this clone have the same messages\n"
    assert ann.numbered() == [(1, "first"), (None, "second")]


def test_a_dry_run_tells_what_would_get_new_numbers(apart: Clone) -> None:
    """Instead of refusing: that is what one asks it for."""
    done = apart.chat("sync", "--dry-run", check=True)
    assert done.stdout == "lobby: 1 to fetch, 1 to push (1 would get new numbers)\n"
    assert apart.numbered() == [(1, "mine")]


def test_what_is_pending_is_told_and_since_when(ann: Clone) -> None:
    """The age of the oldest."""
    assert ann.chat("remote", check=True).stdout == "lobby: origin\n"
    ann.say("second")
    ann.say("third")
    assert ann.chat("remote", check=True).stdout.startswith("lobby: origin, 2 pending, the oldest from ")
    told = json.loads(ann.chat("remote", "--json", check=True).stdout)
    assert (told["pending"], told["pending_since"]) == (2, ann.records()[1]["ts"])


def test_git_s_progress_is_one_line_of_a_terminal_and_gone_at_the_end(hub: Hub, ann: Clone) -> None:
    """A server that takes its time is seen to; its words draw nothing. In a pipe there is nothing of it."""
    hub.hook("echo begin >&2; sleep 0.6; printf 'still\\033[2J checking\\n' >&2; sleep 0.1")
    ann.say("second")
    status, screen = at_a_terminal(ann, "sync")
    assert status == 0
    line = screen.partition("checking")[0].rpartition("\r")[2]
    assert "still^[[2J" in line
    assert screen.endswith("\r\x1b[Klobby: 0 fetched, 1 pushed\r\n")
    ann.say("third")
    assert ann.chat("sync", check=True).stderr == ""


# --- what is asked -----------------------------------------------------------------


def test_a_person_is_asked_before_messages_get_new_numbers(apart: Clone) -> None:
    """No is no: nothing has changed. Yes is yes."""
    status, screen = at_a_terminal(apart, "sync", typed="n\n")
    assert "1 message here would get new numbers. Go on? [y/N]" in screen
    assert status == 3
    assert apart.numbered() == [(1, "mine")]
    status, screen = at_a_terminal(apart, "sync", typed="y\n")
    assert (status, apart.numbered()) == (0, [(1, "first"), (2, "mine")])


def test_nobody_is_asked_where_nobody_is(apart: Clone) -> None:
    """A script gets the error, with the option that agrees."""
    refused(apart.chat("sync"), "1 message here would get new numbers", "git chat sync origin --yes", 3)


# --- the authority -------------------------------------------------------------------


def test_attach_brings_one_room_to_a_remote(hub: Hub, ann: Clone) -> None:
    """And no other; attaching it again is a sync."""
    ann.chat("send", "--room", "plans", "one", check=True, **APART)
    ann.chat("send", "--room", "mine", "for nobody else", check=True, **APART)
    assert ann.chat("remote", "attach", "plans", check=True).stdout == "plans: 0 fetched, 1 pushed\n"
    assert ann.chat("remote", check=True).stdout == "lobby: origin\nmine: this clone\nplans: origin\n"
    again = ann.chat("remote", "attach", "plans", "origin", check=True)
    assert again.stdout == "nothing new: origin and this clone have the same messages\n"
    assert "mine" not in hub.git("for-each-ref").stdout


def test_a_room_has_one_authority(hub: Hub, ann: Clone) -> None:
    """Another one is refused until the first is left."""
    ann.git("remote", "add", "backup", hub.path)
    refused(
        ann.chat("remote", "attach", "lobby", "backup"),
        "room 'lobby' follows 'origin'",
        "git chat remote detach lobby",
        3,
    )


@pytest.mark.parametrize("verb", [("remote", "attach", "plan"), ("sync", "--room", "plan")])
def test_a_room_that_is_nowhere_cannot_be_attached(ann: Clone, verb: tuple[str, ...]) -> None:
    """A typing mistake is no room."""
    refused(ann.chat(*verb), "there is no room 'plan' here", "rooms: lobby")


# --- where a message has got to --------------------------------------------------------


def test_show_tells_where_a_message_is_and_who_has_read_it(hub: Hub, ann: Clone) -> None:
    """In other clones, too, once they have synced; only those whom it is for."""
    ann.chat("send", "--to", "bea", "for you", check=True)
    pending = ann.chat("show", ann.records()[1]["handle"]).stdout
    assert re.search(r"^Stored:   here; pending at origin since \d\d:\d\d$", pending, re.MULTILINE)
    ann.sync()
    shown = ann.chat("show", "2").stdout
    assert "Stored:   here and at origin\n" in shown
    assert "Read by" not in shown
    bea = hub.clone("bea")
    bea.sync()
    for name in ("bea", "cid"):
        bea.chat("read", check=True, GITCHAT_NAME=name)
    bea.sync()
    ann.sync()
    assert "Read by:  under the name bea\n" in ann.chat("show", "2").stdout
    told = json.loads(ann.chat("show", "1", "--json").stdout)
    assert (told["remote"], told["pushed"], told["read_by"]) == ("origin", True, ["bea", "cid"])
    assert "fetched_by" not in told  # all have one address: any of them may sit here


def test_show_tells_that_another_persons_clone_has_fetched_it(hub: Hub, ann: Clone) -> None:
    """What she wrote after it shows it, and so do positions of who speaks there; what she wrote before does not."""
    bea = hub.clone("bea")
    bea.git("config", "user.email", "bea@example.com")
    bea.sync()
    ann.say("second")
    ann.sync()
    bea.say("she has not seen it")
    bea.sync()
    ann.sync()
    assert "Fetched" not in ann.chat("show", "2").stdout
    bea.say("and now she has")
    bea.sync()
    ann.sync()
    shown = ann.chat("show", "2").stdout
    assert "Fetched:  elsewhere, under the name bea\n" in shown
    assert "Read by" not in shown
    bea.chat("read", check=True, GITCHAT_NAME="cid")
    bea.sync()
    ann.sync()
    assert json.loads(ann.chat("show", "2", "--json").stdout)["fetched_by"] == ["bea"]


def test_who_knows_participants_of_other_clones(hub: Hub, ann: Clone) -> None:
    """Who wrote there, by its newest message; who only read, by its cursor."""
    bea = hub.clone("bea")
    bea.sync()
    bea.say("hello from afar")
    bea.chat("read", check=True, GITCHAT_NAME="cid")
    bea.sync()
    ann.sync()
    told = {one["name"]: one for one in map(json.loads, ann.chat("who", "--json", check=True).stdout.splitlines())}
    assert (told["bea"]["state"], told["bea"]["last_id"]) == ("away", 2)
    assert told["cid"]["state"] == "away"


def test_a_new_clone_is_told_where_the_others_may_be(hub: Hub, ann: Clone) -> None:
    """Who clones a repository and lets nothing sync by itself sees no room before the first sync."""
    fresh = hub.clone("fresh")
    fresh.git("config", "chat.sync", "manual")
    assert "next: git chat sync" in fresh.chat("status", check=True).stdout
    assert "Fetch it: git chat sync" in at_a_terminal(fresh, "log")[1]
    assert "or fetch it: git chat sync" in fresh.chat("log", "--room", "plans").stderr
    fresh.sync()
    assert "next: git chat sync" not in fresh.chat("status", check=True).stdout
