"""Rows 2 and 11: one session of Claude Code is one participant through ``/clear``, ``/compact`` and ``--continue``."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.clients.real.client import Make
from tests.clients.real.vendors import Claude
from tests.clients.stand_in import Request
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

ME = "claude-project"
WAKES_SECONDS = 60.0
UNREAD = re.compile(r"\d+ unread")


@dataclass
class Seen:
    """What one session did and was told, in the order in which it happened."""

    beginning: list[Request] = field(default_factory=list)
    cleared: list[Request] = field(default_factory=list)
    woken: list[Request] = field(default_factory=list)
    """What was asked after a question to the session, which nobody typed."""
    compacted: list[Request] = field(default_factory=list)
    continued: list[Request] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """Who said what, as the log tells it."""


@pytest.fixture(scope="module")
def seen(make: Make[Claude]) -> Seen:
    """A session at a terminal, one thing after the other. It gives its name, which 0.1.0 asks for."""
    claude, seen = make(Claude), Seen()
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")

    def speak(when: str) -> list[Request]:
        """A turn in which it speaks by its tools and by its shell, and reads."""
        before = len(claude.script.asked)
        claude.script.go_on(
            *claude.calls("join", name=ME), *claude.calls("send_message", name=ME, content=f"tools {when}"),
            claude.shell(f"git chat send 'shell {when}'"), *claude.calls("check_in", name=ME), f"end {when}",
        )  # fmt: skip
        claude.turns(terminal, f"now {when}", 8)
        return claude.script.asked[before:]

    with claude.terminal() as terminal:
        seen.beginning = speak("beginning")
        quiet(lambda: len(claude.script.asked), 1.0)
        terminal.type("/clear")
        quiet(terminal.screen, 1.0)
        seen.cleared = speak("cleared")
        quiet(lambda: len(claude.script.asked), 2.0)
        before = len(claude.script.asked)
        claude.script.go_on(*claude.calls("check_in", name=ME), "end question")
        claude.chat("send", "--as", "ann", "--to", ME, "--type", "question", "are you there?")
        with suppress(AssertionError):  # a test below says that nobody was woken
            until(lambda: len(claude.script.asked) > before + 2, limit_seconds=WAKES_SECONDS)
        seen.woken = claude.script.asked[before:]
        claude.script.go_on("the summary")
        terminal.type("/compact")
        terminal.shows("Compacted")
        seen.compacted = speak("compacted")
        quiet(lambda: len(claude.script.asked), 1.0)
        terminal.type("/exit")
        until(terminal.is_over)
    with claude.terminal("--continue") as terminal:
        seen.continued = speak("continued")
    seen.said = claude.said()
    return seen


PHASES = ("beginning", "cleared", "compacted", "continued")


@pytest.mark.parametrize("phase", PHASES)
def test_row_2_tools_and_shell_speak_as_one_participant(seen: Seen, phase: str) -> None:
    """Under the name that the session began with."""
    assert [(author, body) for author, body in seen.said if body.endswith(phase)] == [
        (ME, f"tools {phase}"),
        (ME, f"shell {phase}"),
    ]


@pytest.mark.parametrize("phase", PHASES)
def test_row_2_it_is_not_told_of_its_own_messages(seen: Seen, phase: str) -> None:
    """Neither by a hook nor by a tool, whichever of its processes sent them."""
    asked = getattr(seen, phase)
    assert len(asked) >= 8
    told = "\n".join(request.new for request in asked[1:])
    assert not UNREAD.search(told)
    assert f"{ME} ->" not in told


def test_row_2_a_question_to_it_wakes_it_after_clear(seen: Seen) -> None:
    """It goes to the name that others know, and the session has that name still."""
    assert UNREAD.search(seen.woken[0].new)
    assert "are you there?" in seen.woken[-1].new


@pytest.mark.parametrize("phase", PHASES)
def test_row_11_each_start_of_the_session_says_who_it_is(seen: Seen, phase: str) -> None:
    """In what its model reads first, whether anything is unread or not."""
    assert f"you are {ME}" in getattr(seen, phase)[0].whole
