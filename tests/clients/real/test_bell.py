"""A session's own server rings its client: Claude Code's inbox, and ``codex queue``. Proves docs/format.md section 14.

The shape of what Claude Code's inbox takes is not on its vendor's page: the first test here pins it.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.clients.real.client import Client, Make
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Gate
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

ME, OTHER = "claude-project", "claude-project-2"
NOTICE = re.compile(r"gitchat: \d+ unread for you")
QUIET_SECONDS = 3.0
WAKES_SECONDS = 20.0


def rings(client: Client, project: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    """The rings of each session that is known here, by its name."""
    try:
        content = json.loads(((project or client.project) / ".git/chatroom/rings").read_text())
    except (OSError, ValueError):
        return {}
    return {session["name"]: session["rings"] for session in content.values()}


def asked(client: Client) -> int:
    """How often its model was asked."""
    return len(client.script.asked)


def notices(client: Client, since: int = 0) -> int:
    """How often its model was told of something unread, by the bell or by a hook."""
    return sum(len(re.findall(r"gitchat: \d+ unread", request.new)) for request in client.script.asked[since:])


def settle(client: Client) -> int:
    """Wait until its model is asked nothing more, and return how often it was."""
    quiet(lambda: asked(client), QUIET_SECONDS)
    return asked(client)


def test_an_idle_session_is_woken_told_once_and_heard(claude: Claude) -> None:
    """By a message to its name, and by no other; whoever is woken reads, and no hook says it again."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    with claude.terminal() as terminal:
        claude.script.go_on(*claude.calls("check_in"), "done")
        claude.turns(terminal, "go", 3)
        before = settle(claude)
        claude.chat("send", "--as", "ann", "for everybody")
        assert settle(claude) == before
        claude.script.go_on(*claude.calls("check_in"), "done")
        claude.chat("send", "--as", "ann", "--to", ME, "--type", "question", "are you there?")
        sent = time.time()
        until(lambda: asked(claude) > before, told=terminal.screen, limit_seconds=WAKES_SECONDS)
        print(f"message to model request: {claude.script.asked[before].at_seconds - sent:.2f} s after the send ended")
        settle(claude)
        assert NOTICE.search(claude.script.asked[before].new)
        assert "are you there?" not in claude.script.asked[before].new
        assert "are you there?" in claude.script.asked[before + 2].new
        assert notices(claude, before) == 1
        [ring] = rings(claude)[ME]
        assert ring["heard"] is not None


def test_a_session_that_works_is_told_once(claude: Claude) -> None:
    """Between two calls of its tools, by the bell or by a hook, and not by both."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    gate = Gate(claude.shell("true"))
    with claude.terminal() as terminal:
        claude.script.go_on(claude.shell("true"), gate, claude.shell("true"), "done")
        terminal.type("go")
        gate.wait()
        before = asked(claude)
        claude.chat("send", "--as", "ann", "--to", ME, "news")
        until(lambda: rings(claude).get(ME), limit_seconds=WAKES_SECONDS)
        gate.open()
        until(lambda: asked(claude) >= before + 2, told=terminal.screen)
        settle(claude)
        assert notices(claude, before) == 1, (rings(claude), [one.new for one in claude.script.asked[before:]])


def test_clear_keeps_the_bell(claude: Claude) -> None:
    """The session has another id then, and the same inbox and budget."""
    claude.setup()
    claude.chat("send", "--as", "ann", "welcome")
    with claude.terminal() as terminal:
        claude.script.go_on(*claude.calls("check_in"), "done")
        claude.turns(terminal, "go", 3)
        settle(claude)
        for number in (1, 2):
            before = asked(claude)
            claude.script.go_on(*claude.calls("check_in"), "done")
            claude.chat("send", "--as", "ann", "--to", ME, f"message {number}")
            until(lambda: asked(claude) > before, told=terminal.screen, limit_seconds=WAKES_SECONDS)  # noqa: B023
            settle(claude)
            terminal.type("/clear")
            quiet(terminal.screen, 1.0)
        assert [len(found) for name, found in rings(claude).items() if name == ME] == [2]


def test_two_sessions_that_thank_each_other_end_and_a_third_is_heard(make: Make[Claude]) -> None:
    """Within the budget of each, by themselves."""
    one, two = make(Claude), make(Claude)
    project = one.project
    one.setup()
    two.trust(project)
    one.chat("send", "--as", "ann", "welcome")
    with one.terminal() as first, two.terminal(cwd=project) as second:
        one.turns(first, "go", 1)
        two.turns(second, "go", 1)
        settle(one)
        settle(two)
        for client, to in ((one, OTHER), (two, ME)):
            thanks = client.call("check_in", content="thanks", to=to, limit=20)
            client.script.go_on(*client.find("check_in"), *[thanks, "done"] * 30)
        one.chat("send", "--as", OTHER, "--to", ME, "thanks")
        until(lambda: len(rings(one).get(ME, [])) > 1, told=first.screen)
        quiet(lambda: (asked(one), asked(two)), 15.0)
        counts = {name: len(found) for name, found in rings(one).items()}
        print(f"rings: {counts}; requests: {asked(one)} and {asked(two)}; messages: {len(one.said())}")
        assert all(count <= 5 for count in counts.values())
        before, rung = asked(one), counts[ME]
        one.chat("send", "--as", "carol", "--to", ME, "stop, please")
        until(lambda: asked(one) > before, told=first.screen, limit_seconds=WAKES_SECONDS)
        until(lambda: len(rings(one)[ME]) > rung)


def test_the_token_is_in_no_process_and_no_file_of_ours(claude: Claude) -> None:
    """Not in what the server starts, nor in the repository: only its client's own processes have it."""
    claude.setup()
    seen: list[bytes] = []
    with claude.terminal() as terminal:
        claude.script.go_on(
            claude.shell("echo $CLAUDE_CODE_MESSAGING_TOKEN > ../token; git chat doctor > ../doctor"), "done"
        )
        claude.turns(terminal, "go", 2)
        token = (claude.project.parent / "token").read_bytes().strip()
        assert token
        claude.script.go_on(*claude.calls("check_in"), "done")
        before = asked(claude)
        claude.chat("send", "--as", "ann", "--to", ME, "news")
        until(lambda: asked(claude) > before, told=terminal.screen, limit_seconds=WAKES_SECONDS)
        settle(claude)
        files = [path for path in (claude.project / ".git").rglob("*") if path.is_file()]
        assert files
        seen = [path.read_bytes() for path in [*files, claude.project.parent / "doctor"]]
        assert not [path for path, content in zip(files, seen, strict=False) if token in content]
        assert token not in seen[-1]


def test_an_idle_codex_is_woken(codex: Codex) -> None:
    """At a terminal, once it has called or hooked: by counts alone, for it is said in its user's voice."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    with codex.terminal() as terminal:
        codex.script.go_on(codex.call("check_in"), "done")
        terminal.type("go")
        until(lambda: asked(codex) >= 2, told=terminal.screen)
        before = settle(codex)
        codex.script.go_on(codex.call("check_in"), "done")
        codex.chat("send", "--as", "ann", "--to", "codex-project", "--type", "question", "are you there?")
        sent = time.time()
        until(lambda: asked(codex) > before, told=lambda: (terminal.screen(), rings(codex)))
        print(f"message to model request: {codex.script.asked[before].at_seconds - sent:.2f} s after the send ended")
        settle(codex)
        said = "gitchat: 1 unread for you (1 question). Read them with check_in."
        assert said in codex.script.asked[before].new
        assert notices(codex, before) == 1
        assert any("are you there?" in request.new for request in codex.script.asked[before:])


def test_codex_exec_is_never_queued_to(codex: Codex) -> None:
    """It ends when its model ends, and its thread gets no message that nobody would see."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    gate = Gate(codex.shell("true"))
    codex.script.go_on(codex.call("check_in"), gate, "the answer")
    running = codex.start("go")
    gate.wait()
    codex.chat("send", "--as", "ann", "--to", "codex-project", "news")
    quiet(lambda: rings(codex), QUIET_SECONDS)
    gate.open()
    stdout, _ = running.communicate(timeout=60)
    assert stdout.endswith("the answer\n")
    assert not any(rings(codex).values())
