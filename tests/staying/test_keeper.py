"""Clones that stay in step by themselves: ``sync --watch``, ``watch``, ``wait`` and the MCP server.

Proves docs/format.md section 13 on real processes and a real hub.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from queue import Queue

import pytest

from gitchat.clones.report import Report
from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.staying.keeper import Keeper, Troubles
from tests.cli.programs import Program, running, until
from tests.clones.conftest import APART, Clone, Hub, is_free
from tests.server.wire import Wire


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone that has said something and synced, and pushes often."""
    clone = hub.clone("ann", sync="batch")
    clone.git("config", "chat.syncInterval", "0.1")
    clone.say("first")
    clone.sync()
    return clone


@pytest.fixture
def bea(hub: Hub, ann: Clone) -> Clone:
    """Another one."""
    clone = hub.clone("bea", sync="batch")
    clone.git("config", "chat.syncInterval", "0.1")
    clone.sync()
    return clone


def beside(clone: Clone, *arguments: str) -> AbstractContextManager[Program]:
    """``git chat <arguments>`` in a clone, which runs as long as the body."""
    return running(clone, *arguments, GITCHAT_NAME=clone.name)


def comes(clone: Clone, wanted: list[tuple[int | None, str]]) -> None:
    """Wait until the lobby of a clone is that."""
    until(lambda: clone.numbered() == wanted)


def test_watching_clones_are_in_step(ann: Clone, bea: Clone) -> None:
    """What one says is numbered and with the other without anybody's command; each round is told."""
    with beside(ann, "sync", "--watch") as here, beside(bea, "sync", "--watch", "--json") as there:
        assert here.line() == "nothing new: origin and this clone have the same messages"
        assert json.loads(there.line())["fetched"] == {}
        until(lambda: not is_free(ann))
        ann.say("second")
        assert here.line() == "lobby: 0 fetched, 1 pushed"
        assert json.loads(there.line())["fetched"] == {"lobby": 1}
        bea.say("third")
        comes(ann, [(1, "first"), (2, "second"), (3, "third")])


def test_one_process_keeps_a_clone_in_step_and_another_takes_over(ann: Clone, bea: Clone) -> None:
    """The second waits, and goes on when the first is killed."""
    with beside(ann, "sync", "--watch") as first:
        first.line()
        until(lambda: not is_free(ann))
        with beside(ann, "sync", "--watch") as second:
            second.line()
            ann.say("second")
            assert first.line() == "lobby: 0 fetched, 1 pushed"
            first.process.send_signal(signal.SIGKILL)
            ann.say("third")
            assert second.line() == "lobby: 0 fetched, 1 pushed"


def test_a_refusal_is_told_once_and_tried_again(hub: Hub, ann: Clone) -> None:
    """With the server's words, and what helps; when it takes it, the message gets its number."""
    with beside(ann, "sync", "--watch") as watching:
        watching.line()
        until(lambda: not is_free(ann))
        hook = hub.hook("echo 'closed for the night' >&2; exit 1")
        ann.say("second")
        assert watching.process.stderr is not None
        said = watching.process.stderr.readline().decode()
        assert "closed for the night" in said
        assert "; nothing is lost: it stays pending; " in said
        assert "ask who runs 'origin' to allow refs/chatroom/*" in said
        assert "again in" not in said
        hook.unlink()
        assert watching.line() == "lobby: 0 fetched, 1 pushed"


def test_a_remote_that_is_away_is_told_with_when_it_is_asked_again(hub: Hub, ann: Clone) -> None:
    """That may pass by itself, unlike the refusal of a name."""
    with beside(ann, "sync", "--watch") as watching:
        watching.line()
        until(lambda: not is_free(ann))
        hub.path.rename(hub.path.with_name("elsewhere"))
        ann.say("second")
        assert watching.process.stderr is not None
        assert "; again in " in watching.process.stderr.readline().decode()
        hub.path.with_name("elsewhere").rename(hub.path)
        assert watching.line() == "lobby: 0 fetched, 1 pushed"


def test_a_remote_that_asks_to_slow_down_is_left_alone_for_good(hub: Hub, ann: Clone) -> None:
    """It is known for a forge from then on, also by the next process."""
    with beside(ann, "sync", "--watch") as watching:
        watching.line()
        until(lambda: not is_free(ann))
        hub.hook("echo 'You have exceeded a secondary rate limit' >&2; exit 1")
        ann.say("second")
        until(lambda: json.loads(read(ann, "chatroom/pace-origin")).get("is_forge", False))


def read(clone: Clone, name: str) -> str:
    """A file of the git directory; an empty JSON object as long as there is none."""
    path = clone.path / ".git" / name
    return path.read_text() if path.exists() else "{}"


def test_a_room_that_is_new_at_the_remote_comes_and_one_that_is_ours_stays(hub: Hub, ann: Clone, bea: Clone) -> None:
    """Nobody agreed to push what was never pushed."""
    ann.chat("send", "--room", "mine", "for nobody else", check=True, **APART)
    bea.chat("send", "--room", "plans", "for all", check=True)
    bea.sync()
    with beside(ann, "watch", "--json") as watching:
        until(lambda: "plans" in ann.chat("rooms").stdout)
        bea.say("done")
        bea.sync()
        assert json.loads(watching.line())["content"] == "done"
    shown = {one["room"]: one["remote"] for one in map(json.loads, ann.chat("remote", "--json").stdout.splitlines())}
    assert shown == {"lobby": "origin", "mine": None, "plans": "origin"}
    assert "refs/chatroom/rooms/mine/log" not in hub.git("for-each-ref").stdout


def test_who_waits_is_woken_by_another_clone(ann: Clone, bea: Clone) -> None:
    """``git chat wait`` needs nobody beside it that syncs."""
    bea.chat("read", check=True)
    with beside(bea, "wait", "--as", "bea", "--json") as waiting:
        until(waiting.is_asleep)
        ann.say("are you there?")
        ann.sync()
        status, printed, _ = waiting.end()
    assert (status, json.loads(printed)["content"]) == (0, "are you there?")


def test_manual_means_that_nothing_happens_by_itself(ann: Clone, bea: Clone) -> None:
    """No process of the clone talks to the remote unless it is told to."""
    bea.git("config", "chat.sync", "manual")
    with beside(bea, "watch", "--json") as watching:
        until(watching.is_asleep)
        ann.say("second")
        ann.sync()
        bea.say("third")
        assert json.loads(watching.line())["content"] == "third"
    assert bea.numbered() == [(1, "first"), (None, "third")]


@pytest.mark.parametrize(
    ("setting", "value", "command"),
    [
        ("chat.sync", "sometimes", ("wait", "--timeout", "0")),
        ("chat.syncInterval", "soon", ("sync", "--watch")),
        ("chat.syncInterval", "-1", ("sync", "--watch")),
        ("chat.pace", "fast", ("sync", "--watch")),
    ],
)
def test_wrong_settings_are_refused(ann: Clone, setting: str, value: str, command: tuple[str, ...]) -> None:
    """With the setting's name, and how to set it."""
    ann.git("config", setting, value)
    done = ann.chat(*command)
    assert done.returncode == 1
    assert f"the setting {setting} is '{value}'" in done.stderr


# --- the MCP server --------------------------------------------------------------


Serve = Callable[[Clone], Wire]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers for programs, after the handshake."""
    with ExitStack() as servers:

        def start(clone: Clone) -> Wire:
            variables = clone.world.variables | {"GITCHAT_NAME": clone.name}
            server = Wire(["git-chat", "mcp", "--json"], clone.path, variables)
            servers.callback(server.kill)
            server.shake_hands()
            return server

        yield start


def test_an_agent_that_waits_hears_of_another_clone(ann: Clone, bea: Clone, serve: Serve) -> None:
    """A message that is sent over MCP in one clone ends a wait in the other, and gets its number in both."""
    here, there = serve(ann), serve(bea)
    here.data("join", name="ann")
    there.data("join", name="bea")
    there.data("read_unread", name="bea")
    waiting = there.begin_call("read_unread", name="bea", wait_seconds=60)
    sent = here.data("send_message", name="ann", content="over there?")
    assert (sent["id"], sent["handle"][0]) == (None, "~")
    found = json.loads(there.answer(waiting)["result"]["content"][0]["text"])
    assert [(one["id"], one["content"]) for one in found["messages"]] == [(2, "over there?")]
    comes(ann, [(1, "first"), (2, "over there?")])


def push_what_may_go_at_once(ann: Clone, serve: Serve) -> list[tuple[int | None, str]]:
    """Spend the pushes of a clone that gets another one in 1000 seconds; what the lobby is then."""
    (ann.path / ".git" / "chatroom" / "pace-origin").unlink()  # the first sync has spent one
    ann.git("config", "chat.syncInterval", "1000")
    server = serve(ann)
    said: list[tuple[int | None, str]] = [(1, "first")]
    for number, text in enumerate(("a question", "an answer", "an afterthought"), start=2):
        server.data("send_message", name="ann", content=text)
        said.append((number, text))
        comes(ann, said)
    server.signal(signal.SIGKILL)
    server.ended()
    return said


def test_who_begins_has_no_more_pushes_than_the_clone(ann: Clone, serve: Serve) -> None:
    """Three go out at once, whichever process pushes; the fourth waits, also for a server that has just begun."""
    said = push_what_may_go_at_once(ann, serve)
    with beside(ann, "watch", "--json") as watching:
        until(watching.is_asleep)
        for text in ("one more", "and another"):
            ann.say(text)
            assert json.loads(watching.line())["content"] == text
        assert ann.numbered() == [*said, (None, "one more"), (None, "and another")]


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGINT], ids=["EOF", "SIGTERM", "SIGINT"])
def test_what_an_agent_said_last_is_pushed_when_its_session_ends(
    ann: Clone, serve: Serve, number: signal.Signals | None
) -> None:
    """Though the next push was not due: nobody is here any more who would do it."""
    said = push_what_may_go_at_once(ann, serve)
    server = serve(ann)
    server.data("send_message", name="ann", content="goodbye")
    assert ann.numbered()[-1] == (None, "goodbye")
    if number is None:
        server.hang_up()
    else:
        server.signal(number)
        assert server.ended() == -number
    comes(ann, [*said, (5, "goodbye")])


def test_a_room_of_a_later_format_is_told_once_with_what_helps() -> None:
    """Trying again does not; an upgrade does."""
    told: list[str] = []
    troubles = Troubles(told.append)
    for _ in range(2):
        troubles(Report("origin", newer={RoomName("lobby"): 2}), 5.0)
    (words,) = told
    assert "room 'lobby' is written in format 2" in words
    assert words.endswith(
        "; upgrade, in the clone of gitchat: git pull && pipx install --force . (or: uv tool install --reinstall .)"
    )


def test_keeper_that_is_rung_looks_at_once(ann: Clone, bea: Clone) -> None:
    """However long the pause is; who told it may be wrong, and nothing is pushed for it."""
    ann.git("config", "chat.syncInterval", "3600")
    rounds: Queue[Report | ChatError] = Queue()
    environment = ann.world.environment(ann.path)
    keeper = Keeper(environment, "origin", lambda done, seconds: rounds.put(done))
    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        assert isinstance(rounds.get(timeout=60), Report)
        bea.say("second")
        bea.sync()
        keeper.ring()
        done = rounds.get(timeout=60)
        assert isinstance(done, Report)
        assert done.fetched == {RoomName("lobby"): 1}
        keeper.ring()
        done = rounds.get(timeout=60)
        assert isinstance(done, Report)
        assert done.pushes == 0
        assert not any(done.fetched.values())
    finally:
        keeper.close()
        thread.join()
