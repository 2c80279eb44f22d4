"""Rows 3 and 13: who waits for a session of Claude Code, and for how long."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress

import pytest

from tests.clients.real.vendors import Claude
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

UNREAD = re.compile(r"\d+ unread")
ENDS_SECONDS = 60.0


def test_row_3_a_killed_client_leaves_nothing_and_the_next_session_is_told(claude: Claude) -> None:
    """What waited for it ends, and a message that came afterwards is told to the session that comes next."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    with claude.terminal() as terminal:
        claude.script.go_on(*claude.calls("check_in"), "done")
        claude.turns(terminal, "go", 3)
        quiet(claude.processes, 1.0)
        os.kill(terminal.pid, signal.SIGKILL)
        with suppress(AssertionError):  # what it left takes the message, which is the worse half
            until(lambda: not claude.processes(), limit_seconds=ENDS_SECONDS)
        left = claude.processes()
    claude.chat("send", "--as", "ann", "anybody?")
    before = len(claude.script.asked)
    with claude.terminal() as terminal:
        claude.script.go_on("done")
        claude.turns(terminal, "go", 1)
        assert UNREAD.search(claude.script.asked[before].new)
    assert left == []


def test_row_13_the_first_message_of_a_repository_wakes(claude: Claude) -> None:
    """A session that became idle before there was any room is woken by a question to it."""
    claude.setup()
    with claude.terminal() as terminal:
        claude.turns(terminal, "go", 1)
        quiet(lambda: len(claude.script.asked), 2.0)
        claude.chat("send", "--as", "ann", "--to", "claude-project", "--type", "question", "are you there?")
        until(lambda: len(claude.script.asked) > 1, told=terminal.screen, limit_seconds=ENDS_SECONDS)
        assert UNREAD.search(claude.script.asked[1].new)


def test_a_second_notice_that_says_the_same_is_heard_too(claude: Claude) -> None:
    """The client drops what says the same as what came before, so that no two notices do."""
    claude.setup()
    with claude.terminal() as terminal:
        claude.turns(terminal, "go", 1)
        for _ in range(3):
            quiet(lambda: len(claude.script.asked), 2.0)
            before = len(claude.script.asked)
            claude.script.go_on(*claude.calls("check_in"), "read")
            claude.chat("send", "--as", "ann", "--to", "claude-project", "--type", "question", "are you there?")
            until(lambda: len(claude.script.asked) == before + 3, told=terminal.screen)  # noqa: B023 - waited for here
            assert "1 unread" in claude.script.asked[before].new
