"""The tool that a client's hooks call: answered and not listed, what a hook says, and who a subagent is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Chatroom
from tests.server.conftest import Start
from tests.server.wire import Wire

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
    assert held_up["decision"] == "block"
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
