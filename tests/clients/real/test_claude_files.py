"""Rows 8 and 12: what ``git chat setup claude`` leaves to a user, and to a colleague who has not gitchat."""

from __future__ import annotations

import pytest

from tests.clients.real.vendors import Claude
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients


def test_row_8_committed_hooks_are_silent_where_gitchat_is_not_installed(claude: Claude) -> None:
    """Nothing at a prompt, a tool call and the end of a turn says that a hook failed."""
    claude.setup()
    claude.without_gitchat()
    assert claude.chat("who").returncode == 1
    with claude.terminal() as terminal:
        claude.script.go_on(claude.shell("true"), "done")
        claude.turns(terminal, "go", 2)
        quiet(terminal.screen, 2.0)
        assert "done" in terminal.screen()
        assert "hook failed" not in terminal.screen()
        assert "hook problem" not in terminal.screen()
    said = "\n".join(request.whole for request in claude.script.asked)
    assert "is not a git command" not in said


def test_row_12_setup_with_allow_lets_the_session_use_the_tools_and_the_shell(claude: Claude) -> None:
    """In a run that can ask nobody, the tools and ``git chat`` are allowed and nothing else is."""
    claude.setup("--allow")
    claude.chat("send", "--as", "ann", "welcome")
    claude.script.go_on(
        *claude.calls("check_in"), claude.shell("git chat send 'from the shell'"), claude.shell("touch elsewhere"),
        "done",
    )  # fmt: skip
    claude.scratch.start(*claude.words("go", [], is_asking=True))
    until(lambda: len(claude.script.asked) >= 5)
    assert "welcome" in claude.script.asked[2].new
    assert ("claude-project", "from the shell") in claude.said()
    assert not (claude.project / "elsewhere").exists()
