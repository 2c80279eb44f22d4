"""What the texts for agents name: every tool is one that is listed, and every command is run where it is printed."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from gitchat.model import offered
from gitchat.server import prompts
from gitchat.server.catalog import INSTRUCTIONS, TOOLS, UNLISTED
from gitchat.setup.place import RULES
from gitchat.verbs import tools
from tests.cli.conftest import Chatroom
from tests.server.conftest import Start

CLAUDE = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "0b7e2c1a-5f5e-4a1c-9d9e-1f2d3c4b5a69"}
NAME = "claude-repo"

LISTED = {tool["name"] for tool in TOOLS}
ARGUMENTS = {argument for tool in TOOLS for argument in tool["inputSchema"]["properties"]}

TEXTS = {
    "note": RULES,
    "instructions": INSTRUCTIONS,
    **{f"prompt {prompt['name']}": prompts.text_of(prompt["name"], None) for prompt in prompts.listed()},
    **{f"description of {tool['name']}": tool["description"] for tool in TOOLS},
}


def test_the_tools_have_the_names_that_the_texts_are_made_of() -> None:
    """What is spelled once is what is listed, and what answers."""
    spelled = {value for name, value in vars(offered).items() if name.isupper()} - {offered.SERVER}
    assert spelled == LISTED | {tool["name"] for tool in UNLISTED}
    assert all(callable(getattr(tools, name)) for name in spelled)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_names_only_what_there_is(text: str) -> None:
    """A word that looks like a tool, or stands where one stands, is a tool or an argument."""
    words = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text)) | set(re.findall(r"`([a-z_]+)`", text))
    assert words <= LISTED | ARGUMENTS | {"last_read_id"}


def test_a_text_names_the_tools_first() -> None:
    """An agent whose shell cannot write takes what it reads first."""
    for line in RULES.split("\n- ")[1:-1]:
        tool, command = re.search(r"`[a-z_]+`", line), re.search("`git chat", line)
        assert tool is not None
        assert command is None or tool.start() < command.start()


def test_every_command_of_the_note_works(chatroom: Chatroom) -> None:
    """An agent's shell runs each as it stands there, with a name, a room and a text put in."""
    chatroom.say("hello", author="bob")
    chatroom.say("for you", author="bob", to=(NAME,), room="plans")
    commands = re.findall(r"`(git chat [^`]+)`", RULES)
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(
            command.replace("NAME", "bob").replace("ROOM", "plans").replace("PATH", "a.txt").replace("...", "a text")
        )
        done = chatroom.chat(*words[2:], **CLAUDE)
        assert (done.returncode, done.stderr) == (0, ""), command
        if "read" in words:
            assert "for you" in done.stdout
    told = [(entry.record.kind, entry.record.body, entry.record.to) for entry in chatroom.entries()]
    assert [kind for kind, _, _ in told] == ["message", "claim", "message", "message"]
    assert told[2:] == [("message", "a text", ()), ("message", "a text", ("bob",))]
    assert "a text" in chatroom.chat("summary", "show", check=True).stdout


def told(chatroom: Chatroom, event: str) -> str:
    """What a hook says; blank for nothing."""
    given = json.dumps({"session_id": CLAUDE["CLAUDE_CODE_SESSION_ID"]}).encode()
    said = chatroom.chat("hook", "claude", event, stdin=given, **CLAUDE).stdout
    answer: dict[str, Any] = json.loads(said) if said else {}
    return str(answer.get("hookSpecificOutput", {}).get("additionalContext", ""))


def test_the_command_of_a_hook_shows_what_it_told(chatroom: Chatroom) -> None:
    """For each room that has news the line has the command that reads it."""
    chatroom.say("in plans", author="bob", to=(NAME,), room="plans")
    chatroom.say("in the lobby", author="bob")
    commands = re.findall(r"or: git chat ([^;]+)(?:;|$)", told(chatroom, "tool"))
    shown = [chatroom.chat(*command.split(), check=True, **CLAUDE).stdout for command in commands]
    assert ["in the lobby" in shown[0], "in plans" in shown[1], len(shown)] == [True, True, 2]
    assert "unread" not in told(chatroom, "session-start")


def test_the_tool_of_a_hook_shows_what_it_told(chatroom: Chatroom, start: Start) -> None:
    """The tool that the line names, with the room that it names, reads it."""
    chatroom.say("in plans", author="bob", to=(NAME,), room="plans")
    said = told(chatroom, "tool")
    match = re.search(r"the tool (\w+) of gitchat with room=(\w+), or", said)
    assert match is not None
    assert "in plans" in start(**CLAUDE).text(match[1], room=match[2])
    assert "unread" not in told(chatroom, "session-start")


def test_what_an_answer_tells_to_call_next_can_be_called(chatroom: Chatroom, start: Start) -> None:
    """An answer that is cut says how to get the rest, in words that are a call."""
    for number in range(3):
        chatroom.say(f"message {number}", author="bob")
    server = start(**CLAUDE)
    server.text("write_summary", content="s" * 1000)
    for text in (
        server.text("read_messages", max_chars=1),
        server.text("get_handoff", max_chars=900),
    ):
        calls = re.findall(r"(?:: |next: )((?:[a-z]+_)+[a-z]+)(?:\(([^)]*)\))?", text)
        assert calls, text
        for tool, given in calls:
            arguments = {key: json.loads(value) for key, value in re.findall(r"(\w+)=(\d+|\"[^\"]*\")", given)}
            assert not server.call(tool, **arguments)["isError"]
