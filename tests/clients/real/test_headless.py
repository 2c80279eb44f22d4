"""Row 1: a run without a terminal ends when its model ends, and prints what its model said last."""

from __future__ import annotations

import pytest

from tests.clients.real.client import Client
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Call, Gate
from tests.clients.waiting import until

pytestmark = pytest.mark.clients

ENDS_SECONDS = 60.0
"""Many times what such a run takes; one that waits for a message takes an hour."""


def steps(client: Client) -> list[Call]:
    """Three tools that a model calls before its answer."""
    return [client.shell("true") for _ in range(3)]


def test_row_1_claude_p_ends_with_unread_mail(claude: Claude) -> None:
    """It prints its answer, and asks its model no more often than without us: it is not held up."""
    claude.script.go_on(*steps(claude), "the answer")
    assert claude.headless("go").stdout == "the answer\n"
    without = len(claude.script.asked)
    claude.setup()
    claude.chat("send", "--as", "ann", "hello?")
    claude.script.go_on(*steps(claude), "the answer")
    done = claude.headless("go", limit_seconds=ENDS_SECONDS)
    assert (done.status, done.stdout) == (0, "the answer\n")
    assert len(claude.script.asked) - without == without
    assert claude.processes() == []


def test_row_1_claude_p_prints_its_answer_when_a_message_comes_meanwhile(claude: Claude) -> None:
    """Its last words are the model's, whatever it was told of before."""
    claude.setup()
    claude.chat("send", "--as", "ann", "hello?")
    gate = Gate("the answer")
    claude.script.go_on(gate, "the answer")
    running = claude.start("go")
    gate.wait()
    claude.chat("send", "--as", "ann", "--to", f"claude-{claude.project.name}", "--type", "question", "and this?")
    gate.open()
    stdout, _ = running.communicate(timeout=ENDS_SECONDS)
    assert (running.returncode, stdout) == (0, "the answer\n")
    assert len(claude.script.asked) == 1  # no turn more, of which the last words would be


def test_row_1_codex_exec_ends_with_unread_mail(codex: Codex) -> None:
    """It prints its answer, and asks its model no more often than without us: it is not held up."""
    codex.script.go_on(*steps(codex), "the answer")
    assert codex.headless("go").stdout == "the answer\n"
    without = len(codex.script.asked)
    codex.setup()
    codex.chat("send", "--as", "ann", "hello?")
    codex.script.go_on(*steps(codex), "the answer")
    done = codex.headless("go", limit_seconds=ENDS_SECONDS)
    assert (done.status, done.stdout) == (0, "the answer\n")
    assert len(codex.script.asked) - without == without
    until(lambda: codex.processes() == [])  # what nobody waits for is done after its end
