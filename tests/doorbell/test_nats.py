"""Clones that tell each other of pushes over a real NATS server: what arrives, and what harm cannot be done.

Proves docs/format.md section 15. No test waits for the pace: the clones look by themselves every ten minutes.
"""

from __future__ import annotations

import json
import signal
from contextlib import AbstractContextManager

import pytest

from gitchat.model.names import Uid
from tests.cli.programs import Program, running, until
from tests.clones.conftest import Clone, Hub
from tests.doorbell.conftest import Nats, Talker, ring_by

pytestmark = pytest.mark.web

GARBAGE = (
    b"",
    b"\xff\x00",
    b"[" * 5000,
    b"null",
    b'{"v":1}',
    b'{"v":2,"tip":"' + b"a" * 40 + b'"}',
    b'{"v":true,"tip":"' + b"a" * 40 + b'"}',
    b"x" * 900_000,
    b'{"v":1,"tip":"' + b"A" * 40 + b'"}',
)
"""What no gitchat says, of any length."""


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone that has said something and synced."""
    return in_step(hub, "ann", "first")


@pytest.fixture
def bea(hub: Hub, ann: Clone) -> Clone:
    """Another one."""
    return in_step(hub, "bea")


def in_step(hub: Hub, name: str, *said: str) -> Clone:
    """A clone that follows the hub, and keeps in step with it by itself from now on."""
    clone = hub.clone(name)
    for body in said:
        clone.say(body)
    clone.sync()
    clone.git("config", "chat.sync", "batch")
    return clone


def watching(clone: Clone) -> AbstractContextManager[Program]:
    """Somebody who keeps the clone in step as long as the body runs."""
    return running(clone, "sync", "--watch", GITCHAT_NAME=clone.name)


def uid_of(clone: Clone) -> Uid:
    """By which other clones know the lobby."""
    return Uid(clone.records()[0]["uid"])


# --- knocks ---------------------------------------------------------------------------


def test_a_message_comes_to_who_waits_without_a_look(shared_nats: Nats, hub: Hub, ann: Clone, bea: Clone) -> None:
    """By whoever pushes: a send and the pusher that it started, a sync that is typed, and who keeps in step."""
    ring_by(shared_nats, ann, bea)
    with watching(bea) as there:
        there.line()
        until(lambda: shared_nats.hears(1))
        ann.say("second", CLAUDECODE="1")
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        ann.say("third", CI="1")
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        ann.git("config", "chat.sync", "manual")
        ann.say("fourth")
        ann.sync()
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        bea.say("fifth")
        assert there.line() == "lobby: 0 fetched, 1 pushed"
    assert [body for _, body in bea.numbered()] == ["first", "second", "third", "fourth", "fifth"]


def test_a_room_that_is_begun_elsewhere_comes(shared_nats: Nats, ann: Clone, bea: Clone) -> None:
    """Nobody listens for it yet; it is knocked for at the other rooms that follow the remote."""
    ring_by(shared_nats, ann, bea)
    with watching(bea) as there:
        there.line()
        until(lambda: shared_nats.hears(1))
        ann.chat("send", "--room", "plans", "for all", check=True)
        ann.sync()
        assert there.line() == "plans: 1 fetched, 0 pushed"
        until(lambda: shared_nats.hears(2))


def test_one_prefix_does_not_hear_another(shared_nats: Nats, ann: Clone, bea: Clone) -> None:
    """Two teams with the same room on one server."""
    ring_by(shared_nats, ann, bea)
    bea.git("config", "chat.natsPrefix", "team.two")
    with watching(bea) as there:
        there.line()
        until(lambda: shared_nats.hears(1))
        assert f"team.two.gitchat.v1.{uid_of(bea)}.bell" in shared_nats.subjects()
        ann.say("second")
        ann.git("config", "chat.natsPrefix", "team.two")
        ann.say("third")
        until(lambda: bea.bodies() == ["first", "second", "third"])


# --- a server that fails ---------------------------------------------------------------


def test_who_sends_hears_nothing_of_a_server_that_is_not_there(hub: Hub, ann: Clone, bea: Clone) -> None:
    """The message goes its way, and nothing is printed but what always is; by whoever pushes."""
    for clone in (ann, bea):
        clone.git("config", "chat.nats", "nats://127.0.0.1:1")
        clone.git("config", "chat.syncInterval", "0.1")
    with watching(bea) as there:
        there.line()
        said = [ann.chat("send", "second", CI="1"), ann.chat("send", "third", CLAUDECODE="1")]
        until(lambda: hub.tip == bea.git("rev-parse", "refs/chatroom/rooms/lobby/log").stdout.strip())
        until(lambda: len(bea.bodies()) == 3)
        assert [(one.returncode, one.stderr) for one in said] == [(0, ""), (0, "")]
        there.process.terminate()
        assert there.end()[2] == ""


def test_a_server_that_is_killed_and_comes_back_is_heard_again(nats: Nats, ann: Clone, bea: Clone) -> None:
    """What was pushed meanwhile comes at the first moment, and nobody is told of any of it."""
    ring_by(nats, ann, bea)
    with watching(bea) as there:
        there.line()
        until(lambda: nats.hears(1))
        nats.kill()
        ann.say("second")
        nats.start()
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        until(lambda: nats.hears(1))
        ann.say("third")
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        there.process.terminate()
        assert there.end()[2] == ""


def test_what_strangers_say_costs_a_look_and_no_error(nats: Nats, ann: Clone, bea: Clone) -> None:
    """Garbage, huge payloads, other versions, names that are none, and knocks for what there is not."""
    ring_by(nats, ann, bea)
    uid = uid_of(bea)
    bell, presence = f"gitchat.v1.{uid}.bell", f"gitchat.v1.{uid}.presence"
    with watching(bea) as there, Talker(nats) as talker:
        there.line()
        until(lambda: nats.hears(1))
        for garbage in GARBAGE:
            talker.say(bell, garbage)
            talker.say(presence, garbage)
        talker.say(bell, json.dumps({"v": 1, "tip": "a" * 40, "count": -5, "clone": ["x"]}).encode())
        names = [{"name": "../../x"}, {"name": "all"}, {"name": "eve", "role": "\x1b[2J" + "r" * 900}, 7]
        told = {"v": 1, "clone": "0123456789abcdef", "room": "lobby", "names": names * 100}
        talker.say(presence, json.dumps(told).encode()[:8000])
        talker.say(presence, json.dumps(told | {"names": names}).encode())
        until(lambda: "eve" in bea.chat("who", "--all").stdout)
        ann.say("second")
        assert there.line() == "lobby: 1 fetched, 0 pushed"
        shown = bea.chat("who", "--all", "--json").stdout
        assert "\x1b" not in bea.chat("who", "--all").stdout
        assert {json.loads(line)["name"] for line in shown.splitlines()} == {"ann", "eve"}
        there.process.terminate()
        assert there.end()[2] == ""


# --- who lives elsewhere --------------------------------------------------------------------


def test_who_lives_in_another_clone_is_shown_and_goes(shared_nats: Nats, ann: Clone, bea: Clone) -> None:
    """In the roll of a clone where somebody stays; at once when it ends in good order."""
    ring_by(shared_nats, ann, bea)
    with watching(bea) as there:
        there.line()
        until(lambda: shared_nats.hears(1))
        ann.chat("join", "ann", "--role", "review", check=True)
        with running(ann, "wait", "--as", "ann") as waiting:
            until(lambda: "elsewhere" in bea.chat("who").stdout)
            assert bea.chat("who").stdout == "ann  elsewhere  review  in another clone\n"
            told = json.loads(bea.chat("who", "--json").stdout.splitlines()[0])
            assert (told["name"], told["state"]) == ("ann", "elsewhere")
            assert told["elsewhere"][0]["role"] == "review"
            waiting.process.send_signal(signal.SIGINT)
            waiting.end()
        until(lambda: "elsewhere" not in bea.chat("who").stdout)
