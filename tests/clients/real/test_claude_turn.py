"""Rows 5, 6, 7, 10 and 15: what a turn of Claude Code is told, and what it costs."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.clients.real.vendors import Claude
from tests.clients.stand_in import Gate
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

ME = "claude-project"
UNREAD = re.compile(r"\d+ unread")


def test_row_5_a_subagent_reads_for_itself_and_hears_no_notice(claude: Claude) -> None:
    """What it reads stays unread for its session, which is told at its next tool of what came while it worked."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    gate = Gate(claude.shell("true"))
    claude.script.go_on_as_sub(gate, *claude.calls("read_unread", name=ME), "sub done")
    read = claude.calls("check_in", name=ME)
    claude.script.go_on(*read, claude.subagent(), claude.shell("true"), *read, "done")
    claude.start("go")
    gate.wait()
    claude.chat("send", "--as", "ann", "--to", ME, "while it works")
    gate.open()
    until(lambda: len(claude.script.asked) >= 7)
    *before, read = (request.new for request in claude.script.asked_by_sub)
    assert "while it works" in read
    assert not UNREAD.search("\n".join(before))
    _, _, _, after_sub, after_tool, *_, last = (request.new for request in claude.script.asked)
    assert UNREAD.search(after_sub + after_tool)
    assert "while it works" in last


def test_row_6_the_shell_marks_what_the_session_reads(claude: Claude) -> None:
    """After ``join`` over MCP under a name of its own, ``git chat read`` shows each message once."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    read = claude.shell("git chat read; git chat read")
    claude.script.go_on(*claude.calls("join", name="lexer"), read, claude.shell("git chat send hello"), "done")
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 5)
    assert claude.script.asked[3].new.count("welcome") == 1
    assert ("lexer", "hello") in claude.said()


def test_row_11_no_tool_needs_the_name_of_the_session(claude: Claude) -> None:
    """It is known, and the answer tells it."""
    claude.setup()
    claude.script.go_on(*claude.calls("send_message", content="hello"), "done")
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 3)
    assert "sent [1]" in claude.script.asked[2].new
    assert f"you are {ME}" in claude.script.asked[2].new
    assert claude.said() == [(ME, "hello")]


def test_row_15_what_is_read_as_unread_is_of_others(claude: Claude) -> None:
    """``read_unread`` does not show one's own words under "from other participants"."""
    claude.setup()
    claude.script.go_on(
        *claude.calls("send_message", name=ME, content="my own words"), *claude.calls("read_unread", name=ME), "done"
    )
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 5)
    assert "sent [1]" in claude.script.asked[2].new
    assert "my own words" not in claude.script.asked[4].new


@pytest.mark.parametrize("options", [(), ("--user",)])
def test_row_15_an_end_that_is_held_up_is_no_problem(claude: Claude, options: tuple[str, ...]) -> None:
    """Its user sees no failure, the model goes on, is told once, and may then stop."""
    claude.setup(*options)
    claude.chat("send", "--as", "ann", "welcome")
    gate = Gate("the first end")
    claude.script.go_on(*claude.calls("check_in"), gate, "the second end")
    with claude.terminal() as terminal:
        terminal.type("go")
        gate.wait()
        claude.chat("send", "--as", "ann", "for whoever is here")  # names nobody, so that no bell rings
        gate.open()
        terminal.shows("the second end")
        quiet(lambda: len(claude.script.asked), 3.0)
        assert not re.search("problem|failed|error", terminal.screen(), re.IGNORECASE)
    assert len(claude.script.asked) == 4
    assert UNREAD.search(claude.script.asked[3].new)


def test_row_7_a_tool_call_without_news_starts_no_python(claude: Claude) -> None:
    """Neither do the prompt and the end of the turn, once the session has begun."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    claude.script.go_on(*claude.calls("check_in", name=ME), *[claude.shell("true")] * 3, Gate("done"))
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 6)
    begun = claude.script.asked[0].at_seconds
    assert [start.words for start in claude.python_starts(begun)] == []
    # Those of the beginning are seen, so one that came later would have been.
    assert any(start.words.endswith(" mcp") for start in claude.python_starts())


@pytest.mark.parametrize("way", ["sent here", "fetched by git"])
def test_row_7_news_is_told_at_the_next_tool_call(claude: Claude, way: str) -> None:
    """Whichever way the message came into the clone: nothing of ours runs when git itself fetches."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    gate = Gate(claude.shell("true"))
    claude.script.go_on(*claude.calls("check_in", name=ME), gate, claude.shell("true"), "done")
    claude.start("go")
    gate.wait()
    if way == "sent here":
        claude.chat("send", "--as", "ann", "news")
    else:
        other = claude.scratch.root / "other"
        shutil.copytree(claude.project, other, symlinks=True)
        claude.chat("send", "--as", "ann", "news", cwd=other)
        claude.scratch.go("git", "fetch", "-q", str(other), "refs/chatroom/*:refs/chatroom/*")
    gate.open()
    until(lambda: len(claude.script.asked) >= 4)
    assert UNREAD.search(claude.script.asked[3].new)
    assert "news" not in claude.script.asked[3].new


def test_row_10_what_names_the_session_is_told_whatever_the_room(claude: Claude) -> None:
    """Also in a room that it has not joined, and then the line says in which."""
    claude.setup()
    claude.chat("send", "--as", "ann", "--room", "plans", "--to", ME, "--type", "question", "which parser?")
    claude.script.go_on("done")
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 1)
    (line,) = [line for line in claude.script.asked[0].new.splitlines() if UNREAD.search(line)]
    assert "plans" in line


def test_row_10_the_note_names_tools_that_there_are(claude: Claude) -> None:
    """What the model reads of us before anything else calls each tool by its name."""
    claude.setup()
    claude.script.go_on("done")
    claude.start("go")
    until(lambda: len(claude.script.asked) >= 1)
    read = claude.script.asked[0].new
    ready = {tool.removeprefix("mcp__gitchat__") for tool in claude.script.asked[0].ready}
    tools = ready | set(re.findall(r"mcp__gitchat__(\w+)", read))
    note = (claude.project / "CLAUDE.md").read_text()
    assert note.splitlines()[1] in read
    assert {"check_in", "get_handoff"} <= ready, "a search comes before each of them"
    named = set(re.findall(r"tools? `(\w+)", note))
    assert named
    assert named <= tools
