"""Rows 2, 3, 11 and 15: sessions that go on, that end, and that are two, without a terminal."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.clients.real.client import Client, Make
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Call, Gate
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

UNREAD = re.compile(r"\d+ unread")
ENDS_SECONDS = 60.0


def speaking(client: Client, when: str) -> list[Call]:
    """A turn in which it speaks by a tool and by its shell."""
    name = f"{client.name}-project"
    tools = client.calls("send_message", name=name, content=f"tools {when}")
    return [*client.calls("join", name=name), *tools, client.shell(f"git chat send 'shell {when}'")]


@pytest.mark.parametrize(
    ("kind", "options"), [(Claude, ["--continue"]), (Codex, ["resume", "--last"])], ids=["claude", "codex"]
)
def test_row_2_a_session_that_goes_on_in_another_process_is_who_it_was(
    make: Make[Client], kind: type[Client], options: list[str]
) -> None:
    """It speaks under its name, and is not told of what it said before."""
    client = make(kind)
    client.setup()
    for when, added in (("first", []), ("second", options)):
        client.script.go_on(*speaking(client, when), "done")
        client.headless("go", *added, limit_seconds=ENDS_SECONDS)
    said = [f"{by} {when}" for when in ("first", "second") for by in ("tools", "shell")]
    assert client.said() == [(f"{client.name}-project", body) for body in said]
    assert not UNREAD.search("\n".join(request.new for request in client.script.asked))


def test_row_2_a_second_session_is_another_participant(make: Make[Claude]) -> None:
    """As long as the first one lives; the next one after that has the first name again.

    Where there is no room yet nobody is told a name, and who speaks first has it.
    """
    claude = make(Claude)
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    gate = Gate("done")
    claude.script.go_on(gate, claude.shell("git chat send second"), "done")
    first = claude.start("go")
    gate.wait()
    claude.headless("go", limit_seconds=ENDS_SECONDS)
    gate.open()
    first.communicate(timeout=ENDS_SECONDS)
    claude.script.go_on(claude.shell("git chat send third"), "done")
    claude.headless("go", limit_seconds=ENDS_SECONDS)
    assert claude.said()[1:] == [("claude-project-2", "second"), ("claude-project", "third")]


@pytest.mark.parametrize("kind", [Claude, Codex])
def test_row_3_a_run_that_is_killed_leaves_nothing_and_its_name_is_free(make: Make[Client], kind: type[Client]) -> None:
    """Killed in the midst of a turn; a message that comes then is told to the next session under the same name."""
    client = make(kind)
    client.setup()
    client.chat("send", "--as", "ann", "welcome")
    gate = Gate("done")
    client.script.go_on(*speaking(client, "first"), gate)
    killed = client.start("go")
    gate.wait()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=ENDS_SECONDS)
    until(lambda: not client.processes(), told=client.processes)
    client.chat("send", "--as", "ann", "anybody?")
    before = len(client.script.asked)
    client.script.go_on(*speaking(client, "second"), "done")
    client.headless("go", limit_seconds=ENDS_SECONDS)
    assert UNREAD.search(client.script.asked[before].new)
    assert {name for name, _ in client.said()} == {"ann", f"{client.name}-project"}


@pytest.mark.parametrize("kind", [Claude, Codex])
def test_row_15_a_message_that_a_call_waited_for_is_told_once(make: Make[Client], kind: type[Client]) -> None:
    """By the call that waited: no hook tells of it again, in the same request or later."""
    client = make(kind)
    client.setup()
    client.chat("send", "--as", "ann", "welcome")
    name = f"{client.name}-project"
    waiting = client.call("check_in", name=name, wait_seconds=60)
    client.script.go_on(*client.calls("check_in", name=name), waiting, client.shell("true"), "done")
    running = client.start("go")
    called = len(client.calls("check_in")) + 1
    until(lambda: len(client.script.asked) == called)
    quiet(lambda: len(client.script.asked), 2.0)
    client.chat("send", "--as", "ann", "news")
    running.communicate(timeout=ENDS_SECONDS)
    later = [request.new for request in client.script.asked[called:]]
    assert later[0].count("news") == 1
    assert not UNREAD.search("\n".join(later))
