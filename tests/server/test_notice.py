"""The tool that a client's hooks call: answered and not listed, what a hook says, and who a subagent is."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.presence.telling import is_told
from tests.cli.conftest import Chatroom
from tests.server.conftest import Start
from tests.server.wire import Wire, eventually

CLAUDE = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "0b7e2c1a-5f5e-4a1c-9d9e-1f2d3c4b5a69"}
NAME = "claude-repo"


def noticed(server: Wire, event: str, **given: str) -> dict[str, Any] | None:
    """What a hook of type ``mcp_tool`` gets, as Claude Code fills its input in; None for nothing."""
    arguments = {"event": event, "session": "any", "agent": "", "stop": ""} | given
    result = server.request("tools/call", {"name": "notice", "arguments": arguments})["result"]
    assert result["isError"] is False
    (content,) = result["content"]
    return json.loads(content["text"]) if content["text"] else None


def called(server: Wire, tool: str, call: str = "toolu_1", **arguments: Any) -> str:
    """What a tool answers to a call that says which one it is, as Claude Code's do."""
    meta = {"claudecode/toolUseId": call, "progressToken": 1}
    result = server.request("tools/call", {"name": tool, "arguments": arguments, "_meta": meta})["result"]
    return "\n".join(content["text"] for content in result["content"])


def test_it_is_answered_and_not_listed(start: Start, chatroom: Chatroom) -> None:
    """A model does not pay for what it never calls."""
    chatroom.say("begin", author=NAME)
    server = start(**CLAUDE)
    assert "notice" not in [tool["name"] for tool in server.request("tools/list", {})["result"]["tools"]]
    assert noticed(server, "PostToolUse") is None


def test_programs_have_no_such_tool(start: Start) -> None:
    """By the contract there are the tools that are listed."""
    refused = start("--json", **CLAUDE).request("tools/call", {"name": "notice", "arguments": {}})
    assert "unknown tool" in refused["error"]["message"]


@pytest.mark.parametrize("event", ["UserPromptSubmit", "PostToolUse"])
def test_each_message_is_told_once_by_whichever_hook(start: Start, chatroom: Chatroom, event: str) -> None:
    """The server and a hook's process are of one session, and tell one thing once."""
    chatroom.say("SECRET", author="bob")
    server = start(**CLAUDE)
    said = noticed(server, event)
    assert said is not None
    assert said["hookSpecificOutput"]["hookEventName"] == event
    assert f"1 unread message for {NAME} in room 'lobby', from bob" in said["hookSpecificOutput"]["additionalContext"]
    assert "SECRET" not in json.dumps(said)
    assert noticed(server, event) is None
    given = json.dumps({"session_id": CLAUDE["CLAUDE_CODE_SESSION_ID"]}).encode()
    assert chatroom.chat("hook", "claude", "tool", stdin=given).stdout == ""


def test_an_agent_that_would_stop_is_held_up_once_for_each_message(start: Start, chatroom: Chatroom) -> None:
    """Claude Code says by a text whether it was already."""
    chatroom.say("hello", author="bob")
    server = start(**CLAUDE)
    assert noticed(server, "Stop", stop="true") is None
    held_up = noticed(server, "Stop", stop="false")
    assert held_up is not None
    assert held_up["hookSpecificOutput"]["hookEventName"] == "Stop"
    assert noticed(server, "Stop", stop="false") is None


def test_a_subagent_hears_nothing_and_marks_nothing(start: Start, chatroom: Chatroom) -> None:
    """It looks; what it read its session still has to, and is told of."""
    chatroom.say("hello", author="bob")
    server = start(**CLAUDE)
    agent = "a86d0b896f3180407"
    assert noticed(server, "PostToolUse", agent=agent) is None
    assert noticed(server, "PreToolUse", agent=agent, call="toolu_2") is None
    assert "hello" in called(server, "read_unread", "toolu_2")
    assert noticed(server, "PreToolUse", call="toolu_3") is None
    assert noticed(server, "PostToolUse") is not None
    assert "hello" in called(server, "read_unread", "toolu_3")
    assert "hello" not in called(server, "read_unread", "toolu_4")


@pytest.mark.parametrize("arguments", [None, {}, {"event": 7}, {"event": "Stop", "stop": [1]}, {"agent": {}, "x": "y"}])
def test_input_that_is_malformed_does_no_harm(start: Start, chatroom: Chatroom, arguments: Any) -> None:
    """A hook must not err for what a later client gives."""
    chatroom.say("begin", author=NAME)
    server = start(**CLAUDE)
    params = {"name": "notice"} | ({"arguments": arguments} if arguments is not None else {})
    assert server.request("tools/call", params)["result"]["isError"] is False


def test_outside_of_a_repository_it_says_nothing(start: Start, chatroom: Chatroom) -> None:
    """A client starts its user's servers everywhere."""
    assert noticed(start(cwd=chatroom.world.root, **CLAUDE), "UserPromptSubmit") is None


def hook(chatroom: Chatroom, event: str, **given: Any) -> str:
    """What a hook's own process says to the session."""
    stdin = json.dumps({"session_id": CLAUDE["CLAUDE_CODE_SESSION_ID"]} | given).encode()
    return chatroom.chat("hook", "claude", event, stdin=stdin, **CLAUDE).stdout


def waits(chatroom: Chatroom, room: str = "lobby") -> bool:
    """Whether a call of the session waits in a room."""
    return is_told(Path(chatroom.path) / ".git" / "chatroom", RoomName(room), Name(NAME))


@pytest.mark.parametrize("event", ["tool", "stop"])
def test_what_a_waiting_call_will_tell_no_hook_tells(start: Start, chatroom: Chatroom, event: str) -> None:
    """A call in the background and a hook tell one message once: the call does, and other rooms are the hook's."""
    chatroom.say("begin", author=NAME)
    server = start(**CLAUDE)
    asked = server.begin_call("check_in", wait_seconds=600)
    eventually(lambda: waits(chatroom))
    server.request("ping")  # answered once it sleeps, and so holds no other lock
    server.signal(signal.SIGSTOP)  # so that the hook comes first for sure
    chatroom.say("for the call", author="bob")
    assert hook(chatroom, event) == ""
    chatroom.say("elsewhere", author="bob", to=(NAME,), room="plans")
    said = hook(chatroom, event, hook_event_name="")
    assert ("plans" in said, "lobby" in said) == (True, False)
    server.signal(signal.SIGCONT)
    assert "for the call" in server.answer(asked)["result"]["content"][0]["text"]
    assert not waits(chatroom)
    assert hook(chatroom, event) == ""


@pytest.mark.parametrize("end", ["killed", "cancelled", "filtered", "peeking"])
def test_what_no_call_will_tell_a_hook_tells(start: Start, chatroom: Chatroom, end: str) -> None:
    """A call that is gone, or that would not tell everything for good, keeps nothing from the hooks."""
    chatroom.say("begin", author=NAME)
    server = start(**CLAUDE)
    more: dict[str, Any] = {"filtered": {"sender": "carol"}, "peeking": {"mark_read": False}}.get(end, {})
    asked = server.begin_call("read_unread", wait_seconds=600, **more)
    if not more:
        eventually(lambda: waits(chatroom))
    if end == "killed":
        server.signal(signal.SIGKILL)
        server.process.wait()
    elif end == "cancelled":
        server.notify("notifications/cancelled", {"requestId": asked})
    else:
        server.text("get_status")
    eventually(lambda: not waits(chatroom))
    chatroom.say("news", author="bob")
    assert "from bob" in hook(chatroom, "tool")


def test_who_is_named_is_told_in_every_room(start: Start, chatroom: Chatroom) -> None:
    """In a room that a session is not in it hears what names it, and only that; a look there leaves no seat."""
    chatroom.say("begin", author=NAME)
    chatroom.say("to all", author="bob", room="plans")
    server = start(**CLAUDE)
    assert noticed(server, "PostToolUse") is None
    assert "plans" not in chatroom.git("for-each-ref", "refs/chatroom-local").stdout
    chatroom.say("SECRET", author="carol", to=(NAME,), room="plans")
    said = json.dumps(noticed(server, "PostToolUse"))
    assert f"1 unread message for {NAME} in room 'plans', from carol" in said
    assert "SECRET" in server.text("read_unread", room="plans")
    assert noticed(server, "PostToolUse") is None
