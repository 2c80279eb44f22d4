"""The same with the clients that ``make test-clients-all`` adds: Gemini CLI, opencode, an older Claude Code."""

from __future__ import annotations

import re

import pytest

from tests.clients.real.client import Client, Make
from tests.clients.real.vendors import Gemini, OlderClaude, Opencode
from tests.clients.waiting import quiet, until

pytestmark = [pytest.mark.clients, pytest.mark.others]

UNREAD = re.compile(r"\d+ unread")
ENDS_SECONDS = 120.0


def check_one_participant(client: Client) -> None:
    """A run without a terminal in a room with unread mail ends, and its tools and its shell speak under one name."""
    me = f"{client.name}-project"
    client.setup()
    client.chat("send", "--as", "ann", "welcome")
    steps = [client.call("check_in"), client.call("send_message", content="tools"), client.shell("git chat send shell")]
    client.script.go_on(*steps, "the answer")
    done = client.headless("go", limit_seconds=ENDS_SECONDS)
    assert (done.status, done.stdout.strip()) == (0, "the answer")
    assert client.said() == [("ann", "welcome"), (me, "tools"), (me, "shell")]
    assert "ann -> all" in client.script.asked[1].new
    assert len(client.script.asked) <= 1.5 * (len(steps) + 1)
    assert client.processes() == []


def test_rows_1_and_2_and_11_gemini_p_ends_and_is_one_participant(make: Make[Gemini]) -> None:
    """And its model reads first who it is."""
    gemini = make(Gemini)
    check_one_participant(gemini)
    assert "you are gemini-project" in gemini.script.asked[0].new


def test_row_1_gemini_p_is_not_held_up(make: Make[Gemini]) -> None:
    """It prints its answer, and asks its model no more often, though its model has not read what is unread."""
    gemini = make(Gemini)
    gemini.setup()
    gemini.chat("send", "--as", "ann", "--to", "gemini-project", "hello?")
    gemini.script.go_on(gemini.shell("true"), "the answer")
    done = gemini.headless("go", limit_seconds=ENDS_SECONDS)
    assert (done.status, done.stdout.strip()) == (0, "the answer")
    assert len(gemini.script.asked) == 2


def test_rows_1_and_2_opencode_run_ends_and_is_one_participant(make: Make[Opencode]) -> None:
    """With what ``git chat setup opencode`` wrote."""
    check_one_participant(make(Opencode))


def test_row_1_an_older_claude_p_ends_with_unread_mail(make: Make[OlderClaude]) -> None:
    """By what tells a run without a terminal there: the entry point alone."""
    check_one_participant(make(OlderClaude))


def test_rows_2_and_13_an_older_claude_is_one_participant_after_clear_and_is_woken(make: Make[OlderClaude]) -> None:
    """Its processes are all that ties its server to its shell then, and a hook that waits is what wakes it."""
    claude = make(OlderClaude)
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    with claude.terminal() as terminal:
        claude.script.go_on(claude.call("check_in"), "done")
        claude.turns(terminal, "go", 2)
        quiet(lambda: len(claude.script.asked), 2.0)
        terminal.type("/clear")
        quiet(terminal.screen, 1.0)
        claude.script.go_on(
            claude.call("send_message", content="tools"), claude.shell("git chat send shell"), claude.call("check_in"),
            "done",
        )  # fmt: skip
        claude.turns(terminal, "again", 4)
        assert claude.said()[1:] == [("claude-project", "tools"), ("claude-project", "shell")]
        assert not UNREAD.search("\n".join(request.new for request in claude.script.asked[3:]))
        quiet(lambda: len(claude.script.asked), 2.0)
        before = len(claude.script.asked)
        claude.chat("send", "--as", "ann", "--to", "claude-project", "--type", "question", "are you there?")
        until(lambda: len(claude.script.asked) > before, told=terminal.screen)
        assert UNREAD.search(claude.script.asked[before].new)
