"""Row 12 and the places of ``git chat setup``: a user's own files in a work tree, plugins, and a plugin that wakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from plugins.make_plugins import TOP
from tests.clients.real.client import Make
from tests.clients.real.vendors import Claude, Codex, Gemini, Opencode
from tests.clients.stand_in import Call
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

NOTE = "The chatroom of this repository"


def test_local_files_give_a_session_all_that_committed_ones_do(claude: Claude) -> None:
    """Server, hooks and note, in a linked worktree as in the main one; git sees no change of what is committed."""
    tree = claude.scratch.home / "tree"
    claude.scratch.go("git", "worktree", "add", "-q", str(tree))
    claude.trust(tree)
    for place in (claude.project, tree):
        claude.setup("--local", cwd=place)
    claude.chat("send", "--as", "ann", "welcome")
    for name, place in (("claude-project", claude.project), ("claude-tree", tree)):
        before = len(claude.script.asked)
        claude.script.go_on(*claude.calls("check_in"), claude.shell(_send_to(name)), "done")
        assert claude.headless("go", cwd=place).stdout == "done\n"
        asked = claude.script.asked[before:]
        assert f"you are {name}" in asked[0].new
        assert NOTE in asked[0].whole
        assert "welcome" in asked[2].new
        assert "1 unread" in asked[3].new  # the hook after a tool, which the server answers
        changed = claude.scratch.done("git", "status", "--porcelain", cwd=place).stdout
        assert set(changed.split()) <= {"??", ".claude/", "CLAUDE.local.md"}


def test_the_plugin_of_claude_code_installs_from_a_clone(claude: Claude, tmp_path: Path) -> None:
    """As a local marketplace, without a network; its hooks reach its server, which goes by a name of its own there."""
    for folder in (".claude-plugin", "plugins"):
        shutil.copytree(TOP / folder, tmp_path / folder)
    claude.scratch.go("claude", "plugin", "validate", "--strict", str(tmp_path))
    claude.scratch.go("claude", "plugin", "marketplace", "add", str(tmp_path))
    claude.scratch.go("claude", "plugin", "install", "gitchat@gitchat")
    claude.chat("send", "--as", "ann", "welcome")
    tool = "mcp__plugin_gitchat_gitchat__check_in"
    find = Call("ToolSearch", {"query": f"select:{tool}"})
    claude.script.go_on(find, Call(tool, {}), claude.shell(_send_to("claude-project")), "done")
    assert claude.headless("go").stdout == "done\n"
    assert "you are claude-project" in claude.script.asked[0].new
    assert "welcome" in claude.script.asked[2].new
    assert "1 unread" in claude.script.asked[3].new
    assert claude.processes() == []


def test_the_plugin_of_codex_installs_from_a_clone(codex: Codex, tmp_path: Path) -> None:
    """As a local marketplace, without a network; server, hooks and shell are one participant, and the note is found."""
    for folder in (".claude-plugin", ".agents", "plugins"):
        shutil.copytree(TOP / folder, tmp_path / folder)
    codex.scratch.go("codex", "plugin", "marketplace", "add", str(tmp_path))
    codex.scratch.go("codex", "plugin", "add", "gitchat@gitchat")
    codex.chat("send", "--as", "ann", "welcome")
    steps = [codex.call("check_in"), codex.call("send_message", content="tools"), codex.shell("git chat send shell")]
    codex.script.go_on(*steps, "done")
    assert codex.headless("go").stdout == "done\n"
    assert "you are codex-project" in codex.script.asked[0].new
    assert "hear of unread messages" in codex.script.asked[0].whole  # of the skill, which has the note
    assert "welcome" in codex.script.asked[1].new
    assert codex.said() == [("ann", "welcome"), ("codex-project", "tools"), ("codex-project", "shell")]


def test_row_12_what_allow_writes_is_read_by_codex(codex: Codex) -> None:
    """In a run that can ask nobody the tools go through; with the opposite in its place they do not."""
    codex.setup("--allow")
    config = codex.project / ".codex" / "config.toml"
    for mode, is_let in (("approve", True), ("prompt", False)):
        config.write_text(config.read_text().replace('mode = "approve"', f'mode = "{mode}"'))
        codex.script.go_on(codex.call("send_message", content=mode), "done")
        codex.headless("go", is_asking=True)
        assert (("codex-project", mode) in codex.said()) == is_let


@pytest.mark.others
def test_the_extension_of_gemini_cli_is_linked_from_a_clone(make: Make[Gemini]) -> None:
    """Its model reads who it is and the note, and has the tools."""
    gemini = make(Gemini)
    gemini.scratch.go("gemini", "extensions", "link", str(TOP / "plugins" / "gemini"), "--consent")
    gemini.chat("send", "--as", "ann", "welcome")
    gemini.script.go_on(gemini.call("check_in"), "done")
    assert gemini.headless("go", limit_seconds=60).stdout.strip() == "done"
    assert "you are gemini-project" in gemini.script.asked[0].new
    assert NOTE in gemini.script.asked[0].whole
    assert "welcome" in gemini.script.asked[1].new


@pytest.mark.others
def test_an_idle_session_of_opencode_is_woken(make: Make[Opencode]) -> None:
    """By its plugin, once for each message, with a number and no word of what was written; it ends with the client."""
    opencode = make(Opencode)
    opencode.setup()
    opencode.chat("send", "--as", "ann", "welcome")
    with opencode.terminal() as terminal:
        opencode.script.go_on(opencode.call("check_in"), "done")
        opencode.turns(terminal, "go", 2)
        until(lambda: any("wait --rewake" in words for _, words in opencode.processes()), told=terminal.screen)
        quiet(lambda: len(opencode.script.asked), 2.0)
        before = len(opencode.script.asked)
        opencode.chat("send", "--as", "mallory", "--to", "opencode-project", "run this")
        until(lambda: len(opencode.script.asked) > before, told=terminal.screen)
        assert "gitchat: 1 unread for you. Read them with check_in." in opencode.script.asked[before].new
        assert "mallory" not in opencode.script.asked[before].new
        quiet(lambda: len(opencode.script.asked), 3.0)
    until(lambda: opencode.processes() == [])


def _send_to(name: str) -> str:
    """A line of a shell by which somebody else writes to the session."""
    return f"env -u CLAUDECODE -u CLAUDE_CODE_SESSION_ID git chat send --as ann --to {name} hello"
