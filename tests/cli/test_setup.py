"""``git chat setup``: real configuration files of clients, changed and given back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import gitchat
from gitchat.setup.launch import GUARD
from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, refused
from tests.cli.test_log import NASTY, OBEYED
from tests.clients.real.client import AGENTS, NODE
from tests.needed import missing
from tests.world import World

RELEASED = Path(__file__).parents[2] / ".tools" / "gitchat-0.1.0" / "bin" / "git-chat"

MCP_JSON = """\
{
  "mcpServers": {
    "github": {
      "type": "http",
      "url": "https://example.com/mcp",
      "headers": {"Authorization": "Bearer ${TOKEN}"}
    }
  }
}
"""

CLAUDE_SETTINGS = """\
{
    "$schema": "https://json.schemastore.org/claude-code-settings.json",
    "permissions": {"allow": ["Bash(make test)"], "deny": ["Read(./.env)"]},
    "hooks": {
        "PostToolUse": [
            {
                "matcher": "Edit|Write",
                "hooks": [{"type": "command", "command": "make format"}]
            }
        ]
    },
    "model": "opus"
}
"""

CODEX_CONFIG = """\
# How I like it.
model = "gpt-5"   # the usual one
approval_policy = "on-request"

[mcp_servers.docs]
command = "npx"
args = ["-y", "docs-server"]  # slow

[shell_environment_policy] # what its shell sees
inherit = "core"
set = { LANG = "C" } # and no other language

[projects."/home/alice/project"]
trust_level = "trusted"
"""

GEMINI_SETTINGS = """\
{
  // the theme of the day
  "ui": { "theme": "GitHub" },
  /* servers */
  "mcpServers": {
    "docs": { "command": "npx", "args": ["docs"] } // slow
  },
  "hooks": {
    "AfterTool": [{ "matcher": "write_file", "hooks": [{ "type": "command", "command": "make format" }] }]
  }
}
"""

OPENCODE_CONFIG = """\
{
  "$schema": "https://opencode.ai/config.json", // for editors
  "mcp": {
    "docs": { "type": "local", "command": ["npx", "docs"] }
  }
}
"""

HOOKS_OF = {"claude": ".claude/settings.json", "codex": ".codex/hooks.json", "gemini": ".gemini/settings.json"}

FILES = {
    "claude": {".mcp.json": MCP_JSON, ".claude/settings.json": CLAUDE_SETTINGS, "CLAUDE.md": "# Rules\n\nBe kind.\n"},
    "codex": {".codex/config.toml": CODEX_CONFIG, "AGENTS.md": "Be kind.\n"},
    "gemini": {".gemini/settings.json": GEMINI_SETTINGS, "GEMINI.md": "Be kind.\n"},
    "agy": {".agents/mcp_config.json": MCP_JSON, "AGENTS.md": "Be kind.\n"},
    "opencode": {"opencode.json": OPENCODE_CONFIG, "AGENTS.md": "Be kind.\n"},
    "qwen": {".qwen/settings.json": GEMINI_SETTINGS, "QWEN.md": "Be kind.\n"},
}

WRITTEN_SINCE = ("claude", "codex", "gemini")
"""Those that version 0.1.0 wrote."""

LAYOUTS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "byte-order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "no final newline": lambda text: text.rstrip("\n").encode(),
}


def lay(top: Path, files: dict[str, str], layout: Callable[[str], bytes] = str.encode) -> None:
    """Write the files below ``top``."""
    for name, text in files.items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_bytes(layout(text))


def contents(top: Path) -> dict[str, bytes]:
    """Every file below ``top`` but git's, by its path."""
    found = (path for path in top.rglob("*") if path.is_file() and ".git" not in path.relative_to(top).parts)
    return {str(path.relative_to(top)): path.read_bytes() for path in found}


def server(path: Path) -> dict[str, Any]:
    """Our entry in a JSON file without comments."""
    entry: dict[str, Any] = json.loads(path.read_text("utf-8-sig"))["mcpServers"]["gitchat"]
    return entry


# --- there and back ----------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("client", FILES)
def test_remove_gives_back_every_byte(chatroom: Chatroom, client: str, layout: str) -> None:
    """Real files with comments, other servers and hooks, in whatever line ending and encoding mark."""
    lay(chatroom.path, FILES[client], LAYOUTS[layout])
    before = contents(chatroom.path)
    chatroom.chat("setup", client, check=True)
    changed = contents(chatroom.path)
    assert {name for name in before if before[name] == changed[name]} == {"file.txt"}
    for name, content in before.items():
        assert changed[name].startswith(b"\xef\xbb\xbf") == content.startswith(b"\xef\xbb\xbf")
        assert (b"\r\n" in content) == (b"\r\n" in changed[name])
        assert b"\r" in content or b"\r" not in changed[name]
    chatroom.chat("setup", "--remove", client, check=True)
    assert contents(chatroom.path) == before


@pytest.mark.parametrize("client", FILES)
def test_remove_leaves_nothing_where_nothing_was(chatroom: Chatroom, client: str) -> None:
    """Files and directories that setup made go again."""
    before = sorted(chatroom.path.iterdir())
    chatroom.chat("setup", client, check=True)
    assert sorted(chatroom.path.iterdir()) != before
    chatroom.chat("setup", "--remove", client, check=True)
    assert [path for path in sorted(chatroom.path.iterdir()) if path.name != ".git"] == before[1:]


@pytest.mark.parametrize("client", FILES)
def test_twice_changes_nothing(chatroom: Chatroom, client: str) -> None:
    """The second run says so of every file."""
    lay(chatroom.path, FILES[client])
    chatroom.chat("setup", client, check=True)
    before = contents(chatroom.path)
    told = chatroom.chat("setup", client, check=True).stdout.split("\n\nLeft for you:")[0].splitlines()
    assert contents(chatroom.path) == before
    assert {line.partition(":")[0] for line in told} == {"unchanged"}


@pytest.mark.parametrize("client", FILES)
def test_what_the_user_wrote_since_survives_a_removal(chatroom: Chatroom, client: str) -> None:
    """Ours goes, and what was added beside it stays as it was written."""
    lay(chatroom.path, FILES[client])
    expected = {}
    chatroom.chat("setup", client, check=True)
    for name, text in FILES[client].items():
        path, added = chatroom.path / name, ("" if name.endswith(".json") else "\n# later\n")
        path.write_text(f"{path.read_text()}{added}\n")
        expected[name] = f"{text}{added}\n".encode()
    chatroom.chat("setup", "--remove", client, check=True)
    assert {name: content for name, content in contents(chatroom.path).items() if name in expected} == expected


def test_after_an_edit_and_a_second_setup_remove_gives_back_the_edit(chatroom: Chatroom) -> None:
    """What is kept is the file without us, and not the file before the last run."""
    path = chatroom.path / "CLAUDE.md"
    chatroom.chat("setup", "claude", check=True)
    path.write_text(path.read_text().replace("Before you start", "Sometimes") + "Be kind.\n")
    chatroom.chat("setup", "claude", check=True)
    assert "Before you start" in path.read_text()
    chatroom.chat("setup", "claude", "--remove", check=True)
    assert path.read_text() == "Be kind.\n"


def test_dry_run_shows_and_writes_nothing(chatroom: Chatroom) -> None:
    """The difference is the one that a real run shows, and no file or copy is made."""
    lay(chatroom.path, FILES["claude"])
    before = contents(chatroom.path)
    planned = chatroom.chat("setup", "claude", "--dry-run", check=True).stdout
    assert contents(chatroom.path) == before
    assert not (chatroom.path / ".git" / "chatroom").exists()
    done = chatroom.chat("setup", "claude", check=True).stdout
    assert planned.split("\nwould be")[0] == done.split("\nwritten")[0]
    assert '+    },\n+    "gitchat": {' in planned


def test_the_bytes_before_are_kept(chatroom: Chatroom) -> None:
    """A copy for its owner alone, where the output says."""
    lay(chatroom.path, FILES["claude"])
    (chatroom.path / ".mcp.json").chmod(0o640)
    told = chatroom.chat("setup", "claude", check=True).stdout
    line = next(line for line in told.splitlines() if line.startswith("written: .mcp.json"))
    backup = chatroom.path / line.partition("(before: ")[2].removesuffix(")")
    assert backup.read_text() == MCP_JSON
    assert (backup.stat().st_mode & 0o777, backup.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (chatroom.path / ".mcp.json").stat().st_mode & 0o777 == 0o640


# --- what is written ---------------------------------------------------------


def test_claude_gets_a_server_hooks_and_a_note(chatroom: Chatroom) -> None:
    """The program and its arguments apart, no shell; the hook that wakes an idle session among them."""
    lay(chatroom.path, FILES["claude"])
    chatroom.chat("setup", "claude", check=True)
    entry = server(chatroom.path / ".mcp.json")
    assert (entry["type"], entry["command"], entry["args"]) == ("stdio", "git-chat", ["mcp"])
    hooks = json.loads((chatroom.path / ".claude/settings.json").read_text())["hooks"]
    guard = hooks["PreToolUse"].pop()
    ours = {event: groups[-1]["hooks"] for event, groups in hooks.items()}
    assert {event: [hook.get("command", "notice").split()[-1] for hook in part] for event, part in ours.items()} == {
        "SessionStart": ["session-start"],
        "UserPromptSubmit": ["prompt"],
        "PreToolUse": ["notice"],
        "PostToolUse": ["tool"],
        "Stop": ["stop", "wait"],
    }
    assert (guard["matcher"], guard["hooks"][0]["command"]) == ("Edit|MultiEdit|Write|NotebookEdit", GUARD)
    assert ours["Stop"][1]["asyncRewake"] is True
    assert hooks["PreToolUse"][0]["matcher"] == "mcp__gitchat__.*"
    assert hooks["PostToolUse"][0]["matcher"] == "Edit|Write"
    assert "git chat" in (chatroom.path / "CLAUDE.md").read_text()


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_a_guard_s_line_of_another_version_is_told_renewed_and_taken_out(chatroom: Chatroom, client: str) -> None:
    """By what it runs, whoever wrote it; with the guard itself, where the line looks for it."""
    chatroom.chat("setup", client, check=True)
    assert (chatroom.path / ".git" / "chatroom" / "guard").exists()
    path = chatroom.path / HOOKS_OF[client]
    written = path.read_text()
    assert written.count(json.dumps(GUARD)) == 1
    path.write_text(written.replace("2>/dev/null) &&", "2>/dev/null) ;"))
    told = chatroom.chat("setup", client, "--check")
    assert (told.returncode, f"{HOOKS_OF[client]} was written by another version" in told.stdout) == (1, True)
    chatroom.chat("setup", client, check=True)
    assert json.loads(path.read_text()) == json.loads(written)
    chatroom.chat("setup", client, "--remove", check=True)
    assert not path.exists()


def test_the_guard_s_line_is_silent_where_gitchat_is_not(chatroom: Chatroom, tmp_path: Path) -> None:
    """In a repository without a guard, with one that fails, and outside of any."""
    world, edit = chatroom.world, b'{"tool_input": {"file_path": "a"}}'
    plain = world.repository("plain")
    below = chatroom.path / "below"
    below.mkdir()
    chatroom.chat("claim", "--as", "bob", "below/", check=True)
    for place in (plain, tmp_path, world.root):
        done = world.run("sh", "-c", GUARD, cwd=place, stdin=edit, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The client says in its input where it is; without that paths count from the top.
    said = b'{"cwd": "%s", "tool_input": {"file_path": "a"}}' % str(below).encode()
    assert "below/a is claimed by bob" in world.run("sh", "-c", GUARD, cwd=below, stdin=said).stdout
    (chatroom.path / ".git" / "chatroom" / "guard").write_text("exit 2\n")
    assert world.run("sh", "-c", GUARD, cwd=below, stdin=edit, check=False).returncode == 0


@pytest.mark.parametrize("option", ["--user", "--local"])
def test_in_a_user_s_own_files_the_server_answers_the_hooks_of_claude(chatroom: Chatroom, option: str) -> None:
    """For whoever reads them has it; where it is missing each would be told as failed."""
    chatroom.chat("setup", "claude", option, check=True)
    own = chatroom.path / ".claude/settings.local.json"
    path = own if option == "--local" else chatroom.world.home / ".claude/settings.json"
    hooks = json.loads(path.read_text())["hooks"]
    told = [hook for groups in hooks.values() for group in groups for hook in group["hooks"] if "tool" in hook]
    assert {(hook["server"], hook["tool"]) for hook in told} == {("gitchat", "notice")}
    events = ["UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"]
    assert [hook["input"]["event"] for hook in told] == events
    assert not [path for path in contents(chatroom.path) if path in (".mcp.json", "CLAUDE.md")]


def test_codex_is_named_and_no_participant(chatroom: Chatroom) -> None:
    """It hands its servers no variables, so the client stands in the entry; a file that is committed names nobody."""
    chatroom.chat("setup", "codex", check=True)
    entry = tomllib.loads((chatroom.path / ".codex/config.toml").read_text())["mcp_servers"]["gitchat"]
    assert (entry["command"], entry["args"]) == ("git-chat", ["mcp"])
    assert entry["env"] == {"AI_AGENT": "codex"}
    policy = tomllib.loads((chatroom.path / ".codex/config.toml").read_text())["shell_environment_policy"]
    assert policy == {"set": {"AI_AGENT": "codex"}}
    hooks = json.loads((chatroom.path / ".codex/hooks.json").read_text())["hooks"]
    line = "command -v git-chat-hook >/dev/null 2>&1 || exit 0; exec git-chat-hook codex stop"
    assert hooks["Stop"] == [{"hooks": [{"type": "command", "command": line, "timeout": 10}]}]


@pytest.mark.parametrize(
    "policy",
    [
        '[shell_environment_policy]\ninherit = "core" # little\n\n[features]\nhooks = true\n',
        '[shell_environment_policy]\nset = { LANG = "C" } # always\n',
        '[shell_environment_policy.set]\nLANG = "C" # always\n\n[features]\nhooks = true\n',
        'shell_environment_policy = { inherit = "core" }\n',
        "# none\n",
    ],
)
def test_the_shell_of_codex_is_told_the_client_too(chatroom: Chatroom, policy: str) -> None:
    """Beside the variables that the user gives it, and in whatever form; what is edited since keeps its form."""
    lay(chatroom.path, {".codex/config.toml": policy})
    chatroom.chat("setup", "codex", check=True)
    path = chatroom.path / ".codex/config.toml"
    before, after = (tomllib.loads(text).get("shell_environment_policy", {}) for text in (policy, path.read_text()))
    assert after == {**before, "set": {**before.get("set", {}), "AI_AGENT": "codex"}}
    with path.open("a") as file:
        file.write("# mine\n")
    chatroom.chat("setup", "codex", "--remove", check=True)
    text = path.read_text()
    assert tomllib.loads(text) in (tomllib.loads(policy), {"shell_environment_policy": {"inherit": "core"}})
    assert "AI_AGENT" not in text
    assert text.endswith("# mine\n")


def test_what_the_user_told_the_shell_of_codex_is_kept(chatroom: Chatroom) -> None:
    """It is told, and so is a list of variables that leaves ours out; neither is removed."""
    own = '[shell_environment_policy.set]\nAI_AGENT = "expert"\n'
    lay(chatroom.path, {".codex/config.toml": own})
    assert "have AI_AGENT already; kept as it is" in chatroom.chat("setup", "codex", check=True).stdout
    (chatroom.path / ".codex/config.toml").write_text(own)
    chatroom.chat("setup", "codex", "--remove", check=True)
    assert (chatroom.path / ".codex/config.toml").read_text() == own
    lay(chatroom.path, {".codex/config.toml": '[shell_environment_policy]\ninclude_only = ["PATH"]\n'})
    assert "include_only leaves AI_AGENT out" in chatroom.chat("setup", "codex", check=True).stdout


FORMER = """\
[mcp_servers.gitchat]
command = "git"
args = ["chat", "mcp"]
startup_timeout_sec = 20
tool_timeout_sec = 1800
env = { GITCHAT_NAME = "codex-repo" }

[shell_environment_policy.set]
GITCHAT_NAME = "codex-repo"
"""
"""What version 0.1.0 wrote."""


def test_a_name_of_an_older_file_is_taken_out(chatroom: Chatroom) -> None:
    """Until then the shell goes by it; a run leaves nothing of it, and neither does a removal."""
    path = chatroom.path / ".codex/config.toml"
    lay(chatroom.path, {".codex/config.toml": FORMER})
    chatroom.chat("send", "hello", check=True, CODEX_THREAD_ID="0199", GITCHAT_NAME="codex-repo")
    assert chatroom.newest().author == "codex-repo"
    chatroom.chat("setup", "codex", check=True)
    written = tomllib.loads(path.read_text())
    assert written["mcp_servers"]["gitchat"]["env"] == written["shell_environment_policy"]["set"]
    assert written["shell_environment_policy"]["set"] == {"AI_AGENT": "codex"}
    path.write_text(FORMER)
    chatroom.chat("setup", "codex", "--remove", check=True)
    assert not path.exists() or "GITCHAT" not in path.read_text()


@pytest.mark.parametrize("client", WRITTEN_SINCE)
def test_what_version_0_1_0_wrote_is_replaced(chatroom: Chatroom, client: str) -> None:
    """By what a run writes where nothing was, beside what is the user's: never both."""
    lay(chatroom.path, FILES[client])
    chatroom.chat("setup", client, check=True)
    wanted = contents(chatroom.path)
    chatroom.chat("setup", client, "--remove", check=True)
    before = contents(chatroom.path)
    released(chatroom, "setup", client)
    assert contents(chatroom.path) != before
    chatroom.chat("setup", client, check=True)
    text = b"".join(contents(chatroom.path).values())
    assert b"git chat hook" not in text
    assert b'"chat", "mcp"' not in text
    assert {name: _meant(name, content) for name, content in contents(chatroom.path).items()} == {
        name: _meant(name, content) for name, content in wanted.items()
    }
    chatroom.chat("setup", client, "--remove", check=True)
    assert {name: _meant(name, content) for name, content in contents(chatroom.path).items()} == {
        name: _meant(name, content) for name, content in before.items()
    }


def released(chatroom: Chatroom, *words: str) -> None:
    """Run a command of version 0.1.0."""
    if not RELEASED.exists():
        missing("version 0.1.0 is missing: make released")
    path = f"{RELEASED.parent}{os.pathsep}{chatroom.world.variables['PATH']}"
    chatroom.world.run(RELEASED, *words, cwd=chatroom.path, PATH=path)


def _meant(name: str, content: bytes) -> Any:
    """What a file says, whatever the order of its keys."""
    if name.endswith(".toml"):
        return tomllib.loads(content.decode())
    if name.endswith(".json") and b"//" not in content.replace(b"https://", b""):
        return json.loads(content)
    return sorted(content.splitlines())


def test_arguments_that_were_added_to_an_older_entry_stay(chatroom: Chatroom) -> None:
    """The program before them is renewed, and a limit that the user chose is told."""
    entry = {"type": "stdio", "command": "git", "args": ["chat", "mcp", "--tools", "core"], "timeout": 5000}
    lay(chatroom.path, {".mcp.json": json.dumps({"mcpServers": {"gitchat": entry}})})
    told = chatroom.chat("setup", "claude", check=True).stdout
    assert server(chatroom.path / ".mcp.json") == {**entry, "command": "git-chat", "args": ["mcp", "--tools", "core"]}
    assert "kept as it is: args, timeout" in told


def test_in_a_linked_worktree_the_hooks_of_codex_are_the_main_one_s(chatroom: Chatroom) -> None:
    """For Codex reads them there, and the server's entry here. It is told, and a removal finds both."""
    world = chatroom.world
    tree = world.root / "tree"
    world.git("worktree", "add", "-q", tree, cwd=chatroom.path)
    before = contents(chatroom.path)
    told = world.chat("setup", "codex", cwd=tree, check=True).stdout
    assert f"reads the hooks of the main one: {chatroom.path}/.codex/hooks.json" in told
    assert (tree / ".codex/config.toml").exists()
    assert not (tree / ".codex/hooks.json").exists()
    assert "git-chat-hook codex stop" in (chatroom.path / ".codex/hooks.json").read_text()
    world.chat("setup", "codex", "--remove", cwd=tree, check=True)
    assert contents(chatroom.path) == before


def test_hooks_that_the_main_worktree_needs_stay(chatroom: Chatroom) -> None:
    """A removal in a linked one takes only what is there."""
    world = chatroom.world
    tree = world.root / "tree"
    world.git("worktree", "add", "-q", tree, cwd=chatroom.path)
    chatroom.chat("setup", "codex", check=True)
    before = contents(chatroom.path)
    world.chat("setup", "codex", cwd=tree, check=True)
    world.chat("setup", "codex", "--remove", cwd=tree, check=True)
    assert contents(chatroom.path) == before
    assert not (tree / ".codex").exists()


def test_local_files_are_the_user_s_own(chatroom: Chatroom) -> None:
    """Claude Code keeps its servers by the main worktree's path in the home, and nothing that is committed changes."""
    world = chatroom.world
    tree = world.root / "tree"
    world.git("worktree", "add", "-q", tree, cwd=chatroom.path)
    lay(world.home, {".claude.json": '{"numStartups": 3}\n'})
    before = contents(world.home)
    world.chat("setup", "claude", "--local", cwd=tree, check=True)
    state = json.loads((world.home / ".claude.json").read_text())
    assert state["projects"][str(chatroom.path)]["mcpServers"]["gitchat"]["args"] == ["mcp"]
    assert "notice" in (tree / ".claude/settings.local.json").read_text()
    assert set(contents(tree)) == {"file.txt", "CLAUDE.local.md", ".claude/settings.local.json"}
    world.chat("setup", "claude", "--local", "--remove", cwd=tree, check=True)
    assert (contents(world.home), set(contents(tree))) == (before, {"file.txt"})


def test_gemini_counts_in_milliseconds(chatroom: Chatroom) -> None:
    """Its limits are a thousand times the others'; trusting our tools is left to the user."""
    chatroom.chat("setup", "gemini", check=True)
    settings = json.loads((chatroom.path / ".gemini/settings.json").read_text())
    assert settings["mcpServers"]["gitchat"] == {"command": "git-chat", "args": ["mcp"], "timeout": 600000}
    assert settings["hooks"]["AfterAgent"][0]["hooks"][0]["timeout"] == 10000


def test_the_server_that_is_written_starts(chatroom: Chatroom) -> None:
    """What stands in the file, run as a client runs it, answers the first request of the protocol."""
    chatroom.chat("setup", "claude", check=True)
    entry = server(chatroom.path / ".mcp.json")
    parameters = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    done = chatroom.world.run(
        entry["command"], *entry["args"], cwd=chatroom.path, stdin=json.dumps(request).encode() + b"\n"
    )
    assert json.loads(done.stdout.splitlines()[0])["result"]["serverInfo"]["name"] == "gitchat"


def test_without_git_chat_in_path_the_program_is_named_by_its_path(chatroom: Chatroom, tmp_path: Path) -> None:
    """And the user is told that this is of this machine only; once it is gone, a run puts in the new one."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "git").symlink_to(shutil.which("git") or "")
    program = Path(sys.executable).with_name("git-chat")
    world = chatroom.world
    told = world.run(program, "setup", "claude", "codex", cwd=chatroom.path, PATH=str(tools)).stdout
    assert f"{program} is a path of this machine" in told
    assert server(chatroom.path / ".mcp.json")["command"] == str(program)
    for name in (".mcp.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json"):
        path = chatroom.path / name
        path.write_text(path.read_text().replace(str(program), "/gone/bin/git-chat"))
    chatroom.chat("setup", "claude", "codex", check=True)
    assert not [name for name, content in contents(chatroom.path).items() if b"/gone" in content]
    assert server(chatroom.path / ".mcp.json")["args"] == ["mcp"]
    hooks = json.loads((chatroom.path / ".claude/settings.json").read_text())["hooks"]
    assert {event: sum(len(group["hooks"]) for group in groups) for event, groups in hooks.items()} == {
        "SessionStart": 1, "UserPromptSubmit": 1, "PreToolUse": 2, "PostToolUse": 1, "Stop": 2,
    }  # fmt: skip


def test_without_any_git_chat_its_file_is_started(chatroom: Chatroom, tmp_path: Path) -> None:
    """By an interpreter that has only the package: what is written runs nothing of a project along PYTHONPATH.

    It is known again: a second run changes nothing, one that is gone is renewed, and a removal leaves nothing.
    """
    world, tree = chatroom.world, chatroom.path
    venv.create(tmp_path / "alone", symlinks=True)
    python = tmp_path / "alone/bin/python"
    ours = Path(gitchat.__file__).parent
    [packages] = (tmp_path / "alone/lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text(f"{ours.parent}\n{Path(click.__file__).parents[1]}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git") or "")
    path = str(tmp_path / "bin")
    before, program = contents(tree), str(ours / "__main__.py")
    world.run(python, "-P", program, "setup", "claude", "codex", cwd=tree, PATH=path)
    entry = server(tree / ".mcp.json")
    assert [entry["command"], *entry["args"]] == [str(python), "-P", program, "mcp"]
    for name in ("types", "runpy", "re", "click", "gitchat", "functools"):
        (tree / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    ping = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    assert (
        '"result"'
        in world.run(entry["command"], *entry["args"], stdin=ping, cwd=tree, PATH=path, PYTHONPATH=".").stdout
    )
    [group] = json.loads((tree / ".claude/settings.json").read_text())["hooks"]["SessionStart"]
    begun = b'{"session_id": "s", "hook_event_name": "SessionStart"}'
    world.run("/bin/sh", "-c", group["hooks"][0]["command"], stdin=begun, cwd=tree, PATH=path, PYTHONPATH=".")
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    for module in tree.glob("*.py"):
        module.unlink()
    written = contents(tree)
    world.run(python, "-P", program, "setup", "claude", "codex", cwd=tree, PATH=path)
    assert contents(tree) == written
    for name in (".mcp.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json"):
        (tree / name).write_text((tree / name).read_text().replace(program, "/gone/gitchat/__main__.py"))
    world.run(python, "-P", program, "setup", "claude", "codex", cwd=tree, PATH=path)
    assert not [name for name, content in contents(tree).items() if b"/gone" in content]
    world.run(python, "-P", program, "setup", "--remove", "claude", "codex", cwd=tree, PATH=path)
    assert contents(tree) == before


def test_agents_md_that_claude_takes_in_is_enough(chatroom: Chatroom) -> None:
    """One section for both; it stays until the last client that reads it is removed."""
    (chatroom.path / "CLAUDE.md").write_text("@AGENTS.md\n")
    chatroom.chat("setup", "claude", "codex", check=True)
    assert (chatroom.path / "CLAUDE.md").read_text() == "@AGENTS.md\n"
    agents = chatroom.path / "AGENTS.md"
    assert agents.read_text().count("gitchat: begin") == 1
    chatroom.chat("setup", "--remove", "claude", check=True)
    assert "gitchat: begin" in agents.read_text()
    chatroom.chat("setup", "--remove", "codex", check=True)
    assert not agents.exists()


# --- permissions -------------------------------------------------------------


def test_permissions_are_written_where_they_are_asked_for(chatroom: Chatroom) -> None:
    """Printed without --allow, as somebody else's rules stay, and gone with the rest."""
    for client in ("claude", "codex", "gemini"):
        lay(chatroom.path, FILES[client])
    before = contents(chatroom.path)
    told = chatroom.chat("setup", "claude", "codex", "gemini", check=True).stdout
    assert 'claude --allow writes "mcp__gitchat" and "Bash(git chat:*)" in permissions.allow' in told
    assert "git chat setup codex --allow writes default_tools_approval_mode" in told
    settings = chatroom.path / ".claude/settings.json"
    assert json.loads(settings.read_text())["permissions"]["allow"] == ["Bash(make test)"]
    told = chatroom.chat("setup", "claude", "codex", "gemini", "--allow", check=True).stdout
    assert "--allow" not in told
    allowed = ["Bash(make test)", "mcp__gitchat", "Bash(git chat:*)"]
    assert json.loads(settings.read_text())["permissions"]["allow"] == allowed
    config = tomllib.loads((chatroom.path / ".codex/config.toml").read_text())
    assert config["mcp_servers"]["gitchat"]["default_tools_approval_mode"] == "approve"
    assert '"trust": true' in (chatroom.path / ".gemini/settings.json").read_text()
    told = chatroom.chat("setup", "claude", "codex", "gemini", check=True).stdout
    assert (told.count("unchanged"), "--allow" in told, "kept as it is" in told) == (8, False, False)
    settings.write_text(settings.read_text() + "\n")
    chatroom.chat("setup", "claude", "codex", "gemini", "--remove", check=True)
    assert contents(chatroom.path) == {**before, ".claude/settings.json": before[".claude/settings.json"] + b"\n"}


@pytest.mark.parametrize(("answer", "is_written"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_permissions_are_asked_for(
    chatroom: Chatroom, terminal: Terminal, answer: str, is_written: bool
) -> None:
    """What would be written is said first; an empty answer is no, and what is there is not asked for again."""
    command = ("git", "chat", "setup", "claude", "--no-color")
    told = terminal(*command, columns=200, typed=f"{answer}\n").stdout
    question = told.index("each time, by the above? [y/N]")
    assert told.index('"mcp__gitchat" and "Bash(git chat:*)" in permissions.allow') < question
    assert ('"mcp__gitchat"' in (chatroom.path / ".claude/settings.json").read_text()) == is_written
    assert ("claude --allow writes" in told) != is_written
    if is_written:
        assert "[y/N]" not in terminal(*command).stdout


def test_a_file_that_is_ours_altogether_is_brought_up_to_date(chatroom: Chatroom) -> None:
    """The plugin of opencode; another file of that name is refused."""
    plugin = chatroom.path / ".opencode/plugins/gitchat.js"
    chatroom.chat("setup", "opencode", check=True)
    text = plugin.read_text()
    plugin.write_text(f"{text.splitlines()[0]}\n// of before\n")
    chatroom.chat("setup", "opencode", check=True)
    assert plugin.read_text() == text
    chatroom.chat("setup", "opencode", "--remove", check=True)
    assert not (chatroom.path / ".opencode").exists()
    lay(chatroom.path, {"opencode.json": "{}"})
    plugin.parent.mkdir(parents=True)
    plugin.write_text("// mine\n")
    refused(chatroom.chat("setup", "opencode"), "is another file where ours would be", "another name")
    assert (chatroom.path / "opencode.json").read_text() == "{}"


# --- what is already there ---------------------------------------------------


def test_an_entry_that_the_user_changed_is_kept(chatroom: Chatroom) -> None:
    """It is told what is different; removing takes it out all the same."""
    path = chatroom.path / ".mcp.json"
    path.write_text(
        '{"mcpServers": {"gitchat": {"command": "uvx", "args": ["--from", "git-chatroom", "git-chat", "mcp"]}}}'
    )
    before = path.read_bytes()
    told = chatroom.chat("setup", "claude", check=True).stdout
    assert path.read_bytes() == before
    assert "'gitchat' is there already; kept as it is: args, command, timeout, type" in told
    chatroom.chat("setup", "--remove", "claude", check=True)
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "client", "text"),
    [
        (".mcp.json", "claude", '{"mcpServers": {"gitchat": {"command": "node", "args": ["chat.js"]}}}\n'),
        (".codex/config.toml", "codex", '[mcp_servers.gitchat]\nurl = "https://example.com"\n'),
        (".gemini/settings.json", "gemini", '{"mcpServers": {"gitchat": "x"}}\n'),
    ],
)
def test_another_server_of_our_name_is_left_alone(chatroom: Chatroom, name: str, client: str, text: str) -> None:
    """Neither written over nor removed."""
    lay(chatroom.path, {name: text})
    before = contents(chatroom.path)
    refused(chatroom.chat("setup", client), "another server called 'gitchat'", "another name")
    done = chatroom.chat("setup", "--remove", client, check=True)
    assert "is not ours, and was left alone" in done.stdout
    assert contents(chatroom.path) == before


def test_hooks_of_ours_in_another_form_are_not_doubled(chatroom: Chatroom) -> None:
    """A user may have put one into a group or a line of their own; removing leaves such a line."""
    mixed = {"type": "command", "command": "date >> log && git chat hook claude tool"}
    given = {"hooks": {"PostToolUse": [{"matcher": "*", "hooks": [mixed]}]}}
    lay(chatroom.path, {".claude/settings.json": json.dumps(given)})
    chatroom.chat("setup", "claude", check=True)
    path = chatroom.path / ".claude/settings.json"
    hooks = json.loads(path.read_text())["hooks"]
    assert hooks["PostToolUse"] == given["hooks"]["PostToolUse"]
    path.write_text(path.read_text() + "\n")
    chatroom.chat("setup", "--remove", "claude", check=True)
    assert json.loads(path.read_text()) == {"hooks": {"PostToolUse": [{"matcher": "*", "hooks": [mixed]}]}}


# --- what is refused ---------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "name", "content", "place"),
    [
        ("claude", ".mcp.json", b'{\n  "mcpServers": {},\n}\n', ".mcp.json is not JSON: line 3, column 1"),
        ("claude", ".claude/settings.json", b"{\n  // mine\n}\n", "settings.json is not JSON: line 2, column 3"),
        ("codex", ".codex/config.toml", b"a = 1\n[b\n", "config.toml is not TOML: line 2, column"),
        ("gemini", ".gemini/settings.json", b'{"a": "\xff"}', "settings.json is not UTF-8: line 1"),
        ("claude", "CLAUDE.md", b"<!-- gitchat: begin -->\n", "CLAUDE.md has markers of gitchat"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(
    chatroom: Chatroom, client: str, name: str, content: bytes, place: str
) -> None:
    """Also not the client's other files."""
    (chatroom.path / name).parent.mkdir(exist_ok=True)
    (chatroom.path / name).write_bytes(content)
    before = contents(chatroom.path)
    for options in ([], ["--dry-run"]):
        done = chatroom.chat("setup", client, *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert place in done.stderr
    assert contents(chatroom.path) == before


def test_a_link_is_followed_and_stays_a_link(chatroom: Chatroom) -> None:
    """CLAUDE.md is often a link to AGENTS.md: the section comes once, for both."""
    (chatroom.path / "AGENTS.md").write_text("Be kind.\n")
    (chatroom.path / "CLAUDE.md").symlink_to("AGENTS.md")
    chatroom.chat("setup", "claude", "codex", check=True)
    assert (chatroom.path / "CLAUDE.md").is_symlink()
    assert (chatroom.path / "AGENTS.md").read_text().count("gitchat: begin") == 1
    chatroom.chat("setup", "--remove", "claude", check=True)
    assert "gitchat: begin" in (chatroom.path / "AGENTS.md").read_text()
    chatroom.chat("setup", "--remove", "codex", check=True)
    assert (chatroom.path / "AGENTS.md").read_text() == "Be kind.\n"


@pytest.mark.parametrize("target", ["../elsewhere", ".git/hooks/post-commit", ".git"])
@pytest.mark.parametrize("name", ["CLAUDE.md", ".claude"])
def test_a_link_that_leads_out_is_refused(chatroom: Chatroom, name: str, target: str) -> None:
    """It may come from a stranger's commit, and would have us write into the user's own files or git's hooks."""
    (chatroom.path / name).symlink_to(target)
    before = contents(chatroom.path.parent)
    refused(chatroom.chat("setup", "claude"), "leads out of the work tree", "a file of its own")
    assert contents(chatroom.path.parent) == before


def test_what_is_no_file_is_refused(chatroom: Chatroom) -> None:
    """A pipe would make us wait, a directory cannot be written."""
    os.mkfifo(chatroom.path / ".mcp.json")
    refused(chatroom.chat("setup", "claude"), ".mcp.json is no file", "ls -ld")
    (chatroom.path / ".mcp.json").unlink()
    (chatroom.path / ".claude").write_text("")
    refused(chatroom.chat("setup", "claude"), ".claude is no directory", "ls -ld")


@pytest.mark.parametrize("name", [".mcp.json", ".claude/settings.json", "CLAUDE.md"])
def test_a_directory_where_a_file_would_be_is_refused(chatroom: Chatroom, name: str) -> None:
    """It is named, and of the other files none is written."""
    (chatroom.path / name).mkdir(parents=True)
    refused(chatroom.chat("setup", "claude"), f"{name} is no file", f"ls -ld '{chatroom.path / name}'")
    assert list(contents(chatroom.path)) == ["file.txt"]


@pytest.mark.parametrize("name", [".claude", ".git/chatroom", ".git/chatroom/setup"])
def test_a_file_where_a_directory_would_be_is_refused(chatroom: Chatroom, name: str) -> None:
    """Also where the copies would go, before anything is changed."""
    (chatroom.path / name).parent.mkdir(exist_ok=True)
    (chatroom.path / name).write_text("mine\n")
    refused(chatroom.chat("setup", "claude"), f"{name} is no directory", f"ls -ld '{chatroom.path / name}'")
    assert not (chatroom.path / ".mcp.json").exists()
    assert (chatroom.path / name).read_text() == "mine\n"


@pytest.mark.slow
def test_a_file_of_many_megabytes_is_edited(world: World) -> None:
    """A client keeps its conversations in the file with its servers: what is shown is the change alone."""
    talk = {"history": [{"display": "x" * 80, "pasted": {"a": [1, 2, 3]}}] * 60}
    state = {"projects": {f"/home/alice/{count}": talk for count in range(2400)}, "mcpServers": {}, "numStartups": 3}
    path = world.home / ".claude.json"
    path.write_text(json.dumps(state, indent=2))
    before = path.read_bytes()
    assert len(before) > 33_000_000
    told = world.chat("setup", "claude", "--user", check=True).stdout
    assert server(path)["command"] == "git-chat"
    line = before.count(b"\n", 0, before.index(b'"mcpServers"')) + 1
    assert f"@@ -{line - 3},6 +{line - 3},13 @@" in told
    assert len(told.splitlines()) < 200
    world.chat("setup", "claude", "--user", "--remove", check=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("option", [(), ("--user",)])
def test_the_copies_go_when_we_do(chatroom: Chatroom, option: tuple[str, ...]) -> None:
    """They may have keys that are to be nowhere else; also where the file was changed, or taken away, since."""
    (chatroom.path / ".mcp.json").write_text('{"secret": "s3cr3t"}')
    (chatroom.world.home / ".claude.json").write_text('{"secret": "s3cr3t"}')
    chatroom.chat("setup", "claude", *option, check=True)
    base = chatroom.world.home / ".local/state/gitchat" if option else chatroom.path / ".git/chatroom"
    kept = [path for path in (base / "setup").rglob("*") if path.is_file()]
    assert any(b"s3cr3t" in path.read_bytes() for path in kept)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    top = chatroom.world.home if option else chatroom.path
    (top / ("CLAUDE.md" if not option else ".claude/CLAUDE.md")).unlink()
    chatroom.chat("setup", "claude", *option, "--remove", check=True)
    assert not (base / "setup").exists()
    assert b"gitchat" not in (top / (".claude.json" if option else ".mcp.json")).read_bytes()


def test_a_file_without_write_permission_is_left(chatroom: Chatroom) -> None:
    """Its directory would allow to replace it, but its owner said otherwise."""
    path = chatroom.path / ".mcp.json"
    path.write_text(MCP_JSON)
    path.chmod(0o444)
    done = chatroom.chat("setup", "claude", under=as_ordinary_user())
    refused(done, "cannot write to", "write access")
    assert path.read_text() == MCP_JSON
    assert path.stat().st_mode & 0o777 == 0o444


def test_a_bare_repository_has_no_place_for_files(world: World) -> None:
    """In one of its worktrees it works, and the copies are shared."""
    world.git("clone", "-q", "--bare", world.repository(), world.root / "bare.git")
    bare = world.root / "bare.git"
    refused(world.chat("setup", "claude", cwd=bare), "no work tree here", "--user")
    world.git("worktree", "add", "-q", world.root / "tree", "main", cwd=bare)
    (world.root / "tree" / "deep").mkdir()
    world.chat("setup", "claude", cwd=world.root / "tree" / "deep", check=True)
    assert server(world.root / "tree" / ".mcp.json")["command"] == "git-chat"
    assert (bare / "chatroom" / "setup").is_dir()
    world.chat("setup", "claude", "--remove", cwd=world.root / "tree", check=True)
    assert not (world.root / "tree" / ".mcp.json").exists()


@pytest.mark.parametrize(
    ("words", "error", "hint", "status"),
    [
        (["setup", "emacs"], "no client is called 'emacs'", "claude, codex, gemini, agy", 1),
        (["setup", "codex", "--local"], "yours alone", "git chat setup codex --user", 1),
        (["setup", "claude", "--local", "--user"], "--local is for this work tree", "git chat setup -h", 2),
        (["setup", "cursor"], "untested", "git chat setup cursor --print", 1),
        (["setup", "--remove"], "name the client", "git chat setup -h", 2),
        (["setup", "claude", "--print", "--remove"], "--print changes nothing", "git chat setup -h", 2),
    ],
)
def test_what_makes_no_sense_is_refused(
    chatroom: Chatroom, words: list[str], error: str, hint: str, status: int
) -> None:
    """With the command that does."""
    refused(chatroom.chat(*words), error, hint, status)


# --- for a user --------------------------------------------------------------


def test_user_files_work_outside_of_any_repository(world: World) -> None:
    """In the home, with links followed wherever they lead, as those who keep dotfiles have them."""
    dotfiles = world.root / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "claude.json").write_text('{"numStartups": 3, "mcpServers": {}, "projects": {}}')
    (world.home / ".claude.json").symlink_to(dotfiles / "claude.json")
    before = contents(world.home) | contents(dotfiles)
    world.chat("setup", "claude", "codex", "gemini", "--user", check=True)
    assert (world.home / ".claude.json").is_symlink()
    assert server(dotfiles / "claude.json")["command"] == "git-chat"
    codex = tomllib.loads((world.home / ".codex/config.toml").read_text())["mcp_servers"]["gitchat"]
    assert codex["env"] == {"AI_AGENT": "codex"}
    assert "git chat" in (world.home / ".gemini/GEMINI.md").read_text()
    world.chat("setup", "claude", "codex", "gemini", "--user", "--remove", check=True)
    after = contents(world.home) | contents(dotfiles)
    assert {name: content for name, content in after.items() if not name.startswith(".local/")} == before


def test_a_client_moved_by_its_variable_is_found(world: World) -> None:
    """CLAUDE_CONFIG_DIR and CODEX_HOME say where their users keep them; what is new there is private."""
    claude, codex = world.root / "c", world.root / "x"
    places = {"CLAUDE_CONFIG_DIR": str(claude), "CODEX_HOME": str(codex)}
    world.chat("setup", "claude", "codex", "--user", check=True, **places)
    assert server(claude / ".claude.json")["command"] == "git-chat"
    assert (codex / "config.toml").stat().st_mode & 0o777 == 0o600
    assert not (world.home / ".claude").exists()


@pytest.mark.parametrize("home", ["", "relative"])
def test_without_a_home_there_is_no_user(chatroom: Chatroom, home: str) -> None:
    """Nothing is guessed; the files of a work tree need no home."""
    refused(chatroom.chat("setup", "claude", "--user", HOME=home), "HOME is not set", "--user")
    chatroom.chat("setup", "claude", HOME=home, check=True)


# --- several at once ---------------------------------------------------------


def test_many_at_once_make_one_change(chatroom: Chatroom) -> None:
    """Each file is whole, holds everything once, and is given back to the byte."""
    for client in FILES:
        lay(chatroom.path, FILES[client])
    before = contents(chatroom.path)
    orders = [list(FILES), list(reversed(FILES))] * 3
    running = [
        subprocess.Popen(
            ["git", "chat", "setup", *clients],
            cwd=chatroom.path, env=chatroom.world.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for clients in orders
    ]  # fmt: skip
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in running] == [(b"", 0)] * 6
    assert list(json.loads((chatroom.path / ".mcp.json").read_text())["mcpServers"]) == ["github", "gitchat"]
    assert (chatroom.path / "AGENTS.md").read_text().count("gitchat: begin") == 1
    assert not [name for name in contents(chatroom.path) if "gitchat-" in name]
    chatroom.chat("setup", "--remove", *FILES, check=True)
    assert contents(chatroom.path) == before


# --- what is told ------------------------------------------------------------


def test_without_a_client_those_found_are_listed(chatroom: Chatroom, tmp_path: Path) -> None:
    """By their program or by what they left, with what would be written and what is set up."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "claude").write_text("#!/bin/sh\n")
    (programs / "claude").chmod(0o755)
    (chatroom.path / ".gemini").mkdir()
    (chatroom.world.home / ".cursor").mkdir()
    chatroom.chat("setup", "gemini", check=True)
    path = f"{programs}{os.pathsep}{chatroom.world.variables['PATH']}"
    told = chatroom.chat("setup", check=True, PATH=path).stdout
    assert "Claude Code, found: claude in PATH\n          git chat setup claude: .mcp.json" in told
    assert "Gemini CLI, found: .gemini\n          is set up: .gemini/settings.json, GEMINI.md" in told
    assert "Cursor, found: ~/.cursor\n          untested, so by hand: git chat setup cursor --print" in told


@pytest.mark.parametrize("client", ["cursor", "vscode", "copilot", "zed", "devin"])
def test_a_client_that_is_not_written_has_a_snippet(chatroom: Chatroom, client: str) -> None:
    """Labelled as untested, and whole JSON of itself."""
    head, _, snippet = chatroom.chat("setup", client, "--print", check=True).stdout.partition("\n")
    assert head.endswith("(untested)")
    assert "mcp" in json.dumps(json.loads(snippet))


def test_a_damaged_file_of_one_client_is_no_matter_for_the_others(chatroom: Chatroom) -> None:
    """It is listed as such, and another client is set up and removed beside it."""
    lay(chatroom.path, {".gemini/settings.json": "{"})
    before = contents(chatroom.path)
    told = chatroom.chat("setup", check=True).stdout
    assert "cannot be set up" in told
    assert ".gemini/settings.json is not JSON: line 1, column 2" in told
    chatroom.chat("setup", "claude", check=True)
    chatroom.chat("setup", "claude", "--remove", check=True)
    assert contents(chatroom.path) == before


def test_what_only_the_user_can_do_is_told(chatroom: Chatroom) -> None:
    """A repository cannot approve its own server, folder or hooks."""
    told = chatroom.chat("setup", "claude", "codex", "gemini", check=True).stdout.partition("Left for you:")[2]
    for words in ("allow the server 'gitchat'", "trust this project", "Approve its hooks", "trust this folder"):
        assert words in told


def test_a_file_of_a_stranger_cannot_deceive_who_reads_the_difference(chatroom: Chatroom) -> None:
    """Controls in it are shown and not obeyed, with colour and without, and long lines are cut."""
    (chatroom.path / "CLAUDE.md").write_text(f"{NASTY}\n{'x' * 5000}\n")
    for color in ("never", "always"):
        told = chatroom.chat("setup", "claude", "--dry-run", f"--color={color}", check=True).stdout
        assert OBEYED.search(re.sub("\x1b\\[[0-9]*m", "", told) if color == "always" else told) is None
        assert max(map(len, told.splitlines())) < 200
    assert "\x1b[32m+" in told


# --- a server elsewhere ------------------------------------------------------


def test_a_server_is_connected_to_and_stays_so(chatroom: Chatroom) -> None:
    """Until another is named: what is set up again keeps its entry, and it is told where that forwards to."""

    def words() -> list[list[str]]:
        claude = json.loads((chatroom.path / ".mcp.json").read_text())["mcpServers"]["gitchat"]
        codex = tomllib.loads((chatroom.path / ".codex" / "config.toml").read_text())["mcp_servers"]["gitchat"]
        assert codex.get("env_vars") in (None, ["GITCHAT_TOKEN", "GITCHAT_TOKEN_FILE"])
        assert ("env_vars" in codex) == ("--connect" in codex["args"])  # Codex hands on what it is told of
        return [claude["args"], codex["args"]]

    both = ("setup", "claude", "codex", "--no-allow")
    chatroom.chat(*both, check=True)
    assert words() == [["mcp"]] * 2
    for there in ("http://127.0.0.1:8080", "auto"):
        told = chatroom.chat(*both, "--connect", there, check=True).stdout
        assert "GITCHAT_TOKEN" in told
        assert words() == [["mcp", "--connect", there]] * 2
        chatroom.chat(*both, check=True)
        assert words() == [["mcp", "--connect", there]] * 2
        checked = chatroom.chat("setup", "--check", check=True).stdout.splitlines()
        assert [line.endswith(f", forwards to {there}") for line in checked] == [True, True]
    chatroom.chat("setup", "claude", "codex", "--remove", check=True)
    assert not (chatroom.path / ".mcp.json").exists()


@pytest.mark.parametrize("option", [(), ("--user",)])
def test_a_server_that_forwards_works_here_again(chatroom: Chatroom, option: tuple[str, ...]) -> None:
    """Every client's files are then what they would be had it never forwarded, but for what somebody added."""

    def now() -> dict[str, bytes]:
        state = contents(chatroom.world.home if option else chatroom.path)
        return {path: text for path, text in state.items() if not path.startswith((".git/", ".local/"))}

    words = ("setup", "claude", "codex", "gemini", "opencode", "qwen", "--no-allow", *option)
    chatroom.chat(*words, check=True)
    plain = now()
    chatroom.chat(*words, "--connect", "http://127.0.0.1:8080", check=True)
    forwarding = now()
    assert len([path for path in plain if forwarding[path] != plain[path]]) == 5
    chatroom.chat(*words, check=True)
    assert now() == forwarding  # what was said stays, until something else is
    told = chatroom.chat(*words, "--no-connect", check=True).stdout
    assert now() == plain
    assert "GITCHAT_TOKEN" not in told.partition("Left for you")[2]
    assert "written" not in chatroom.chat(*words, "--no-connect", check=True).stdout
    assert now() == plain


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("claude", "--connect", "8080"), "is no address of a server"),
        (("claude", "--user", "--connect", "auto"), "git chat setup CLIENT --connect auto"),
        (("claude", "--remove", "--connect", "auto"), "leave --connect out"),
        (("--check", "--connect", "auto"), "--check changes nothing"),
        (("--check", "--no-connect"), "--check changes nothing"),
        (("claude", "--no-connect", "--connect", "auto"), "--no-connect lets a server work here"),
        (("claude", "--no-connect", "--remove"), "--no-connect lets a server work here"),
    ],
)
def test_what_cannot_be_connected_to_is_refused(chatroom: Chatroom, options: tuple[str, ...], said: str) -> None:
    """With what can be."""
    result = chatroom.chat("setup", *options)
    assert result.returncode != 0
    assert said in result.stderr


# --- the clients themselves --------------------------------------------------


@pytest.mark.clients
@pytest.mark.parametrize(
    ("client", "folder", "options", "expected"),
    [
        ("claude", "usual", (), "gitchat: git-chat mcp"),
        ("claude", "usual", ("--connect", "auto"), "gitchat: git-chat mcp --connect auto"),
        ("codex", "usual", (), "gitchat"),
        ("codex", "usual", ("--connect", "http://localhost:1"), "mcp --connect http://localhost:1"),
        pytest.param("gemini", "others", (), "gitchat: git-chat mcp (stdio)", marks=pytest.mark.others),
    ],
)
def test_the_client_lists_us(
    chatroom: Chatroom, client: str, folder: str, options: tuple[str, ...], expected: str
) -> None:
    """It reads what was written beside the user's own entries, and lists both."""
    program = AGENTS / folder / "node_modules" / ".bin" / client
    if not program.exists():
        missing(f"{client} is not in {AGENTS}: make test-clients")
    lay(chatroom.path, FILES[client])
    trust = f'[projects."{chatroom.path}"]\ntrust_level = "trusted"\n'
    folders = json.dumps({str(chatroom.path): "TRUST_FOLDER"})
    lay(chatroom.world.home, {".codex/config.toml": trust, ".gemini/trustedFolders.json": folders})
    chatroom.chat("setup", client, *options, check=True)
    path = f"{NODE}:{chatroom.world.variables['PATH']}"
    told = chatroom.world.run(str(program), "mcp", "list", cwd=chatroom.path, PATH=path)
    assert expected in told.stdout + told.stderr
    assert ("github" if client == "claude" else "docs") in told.stdout + told.stderr
