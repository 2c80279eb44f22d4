"""Waiting for a message: woken by another process, told that it goes on, cancelled, ended."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from gitchat.server.service import Service
from gitchat.verbs import tools
from tests.cli.conftest import Chatroom
from tests.server.conftest import Start
from tests.server.wire import Wire, eventually

LONG = 600
"""Seconds that no test lasts: who is not woken fails it."""


def begin_wait(wire: Wire, tool: str, **arguments: Any) -> int:
    """Begin a call and return its id as soon as the server really waits."""
    before = watches(wire)
    number = wire.begin_call(tool, wait_seconds=LONG, **arguments)
    eventually(lambda: watches(wire) > before)
    return number


def watches(wire: Wire) -> int:
    """How many directories the processes of a server watch: each call that waits adds some to those of the pushes."""
    instances = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and os.getpgid(int(entry.name)) == wire.process.pid:
                instances += sum(
                    os.readlink(link.path) == "anon_inode:inotify" for link in os.scandir(f"/proc/{entry.name}/fd")
                )
        except OSError:
            continue  # it ended while we looked
    return instances


@pytest.mark.parametrize("tool", ["read_unread", "check_in"])
def test_a_waiting_call_is_woken_by_another_process(chatroom: Chatroom, start: Start, tool: str) -> None:
    """A message of another program ends the wait at once, and is read and marked like any other."""
    server = start("--json")
    waiting = begin_wait(server, tool, name="alice")
    chatroom.chat("send", "--as", "bob", "wake up", check=True)
    answer = server.answer(waiting)["result"]["structuredContent"]
    assert ([one["content"] for one in answer["messages"]], answer["last_read_id"]) == (["wake up"], 1)
    assert "timed_out" not in answer
    assert server.data("get_cursor", name="alice")["last_read_id"] == 1


def test_what_is_there_already_is_not_waited_for(chatroom: Chatroom, start: Start) -> None:
    """A call that would wait answers at once when something is unread."""
    chatroom.say("early", author="bob")
    server = start("--json")
    assert server.data("read_unread", name="alice", wait_seconds=LONG)["messages"][0]["content"] == "early"


def test_only_what_reaches_a_reader_wakes_it(chatroom: Chatroom, start: Start) -> None:
    """Own records, and those for somebody else or in another room, wake nobody; the next that reaches it does."""
    server = start("--json")
    server.data("join", name="alice")
    waiting = begin_wait(server, "check_in", name="alice", content="mine")
    server.data("send_message", name="alice", content="mine again")
    chatroom.say("for carol", author="bob", to=("carol",))
    chatroom.say("elsewhere", author="bob", room="other")
    chatroom.say("for all", author="bob")
    messages = server.answer(waiting)["result"]["structuredContent"]["messages"]
    assert [one["content"] for one in messages] == ["for all"]


def test_a_server_answers_while_a_call_waits(start: Start) -> None:
    """A wait holds up no other call of the connection."""
    server = start("--json")
    waiting = begin_wait(server, "read_unread", name="alice")
    assert server.data("send_message", name="bob", content="hello") == {"id": 1}
    assert server.answer(waiting)["result"]["structuredContent"]["messages"][0]["content"] == "hello"


def test_a_wait_that_ends_says_that_its_time_was_up(start: Start) -> None:
    """Nothing came: the answer is empty, marked as timed out, and in the text it says so."""
    server, text = start("--json"), start()
    answer = server.data("read_unread", name="alice", wait_seconds=1)
    assert answer == {"name": "alice", "last_read_id": 0, "messages": [], "timed_out": True}
    assert text.text("check_in", name="alice", wait_seconds=1) == "nothing new; the time is up"


def test_a_cancelled_wait_marks_nothing(chatroom: Chatroom, start: Start) -> None:
    """notifications/cancelled ends the wait: the server answers the next call, and what came is still unread."""
    server = start("--json")
    waiting = begin_wait(server, "read_unread", name="alice")
    server.notify("notifications/cancelled", {"requestId": waiting, "reason": "the user pressed escape"})
    server.request("ping")  # what came before it is done
    chatroom.say("after", author="bob")
    assert server.data("get_cursor", name="alice")["last_read_id"] == 0
    assert [one["content"] for one in server.data("read_unread", name="alice")["messages"]] == ["after"]


def test_cancelling_what_is_unknown_or_over_does_nothing(start: Start) -> None:
    """A cancellation may come late, or for a request that never was."""
    server = start()
    done = server.begin_call("get_status")
    server.answer(done)
    for request in (done, 424242, "never"):
        server.notify("notifications/cancelled", {"requestId": request})
    assert server.text("get_status").startswith("0 here")


def test_a_client_that_vanishes_in_a_wait_takes_its_server_along(start: Start) -> None:
    """End of input ends the process, also while it waits, and marks nothing."""
    server, other = start("--json"), start("--json")
    server.data("join", name="alice")
    begin_wait(server, "read_unread", name="alice")
    assert server.hang_up() == 0
    assert other.data("list_participants") == []


def test_a_wait_tells_that_it_is_alive(chatroom: Chatroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told again and again, ever further, and never beyond the whole wait."""
    monkeypatch.chdir(chatroom.path)
    for name, value in chatroom.world.variables.items():
        monkeypatch.setenv(name, value)
    told: list[tuple[float, float, str]] = []

    async def progress(*step: Any) -> None:
        told.append(step)
        if len(told) == 3:
            chatroom.say("enough", author="bob")

    async def wait() -> str:
        service = Service(progress_seconds=0.05)
        caller = service.caller("by-hand", None)
        return (await service.call("read_unread", {"name": "alice", "wait_seconds": LONG}, progress, caller)).text

    try:
        assert "enough" in asyncio.run(wait())
    finally:
        tools.forget()
    seconds = [done for done, _, _ in told]
    assert seconds == sorted(set(seconds))
    assert all(0 < done <= total == LONG and text == "no message yet" for done, total, text in told)


@pytest.mark.slow
def test_a_client_that_asks_for_progress_gets_it(chatroom: Chatroom, start: Start) -> None:
    """After 15 seconds of waiting the client that gave a token hears of it; one that gave none does not."""
    server, silent = start(), start()
    waiting = server.begin_call("read_unread", token="mine", name="alice", wait_seconds=LONG)
    quiet = silent.begin_call("read_unread", name="carol", wait_seconds=LONG)
    progress = server.notification("notifications/progress")
    assert (progress["progressToken"], progress["total"]) == ("mine", LONG)
    assert 0 < progress["progress"] <= LONG
    chatroom.say("at last", author="bob")
    assert "at last" in server.answer(waiting)["result"]["content"][0]["text"]
    silent.answer(quiet)
    assert silent.pending("notifications/progress") == []
