"""The clients: where each keeps its configuration, and what of ours belongs in there.

The shapes are those of late 2026. Claude Code, Codex and Gemini CLI are written; for the
others there is a snippet to put in by hand, because nobody ran them with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import suggest_slug
from gitchat.setup import disk
from gitchat.setup.edits import CodexVariable, JsonHooks, JsonServer, TomlServer
from gitchat.setup.launch import Launch
from gitchat.setup.place import Place
from gitchat.setup.plan import Target, holds

CALL_SECONDS = 1800
"""How long a client may wait for one answer of ours: an agent that waits for a message waits long."""

GEMINI_CALL_SECONDS = 600

WAIT_SECONDS = 3600
"""How long Claude Code lets the hook run that wakes an idle session."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that agents run in. ``name`` is what it is called here."""

    name: str
    title: str
    program: str
    traces: tuple[str, ...]
    """Directories that show that somebody uses it, in a work tree or a home."""
    targets: Callable[[Place], list[Target]]
    """What is ours in its files."""
    approvals: Callable[[Place], list[str]]
    """What only its user can do, a sentence each."""
    is_written: bool = False
    """Whether we change its files. Of the others only the snippet is known, and it is untested."""

    def where_found(self, home: Path | None, top: Path | None, search_path: str | None) -> list[str]:
        """What tells that it is used here; nothing when nothing does."""
        found = [f"{self.program} in PATH"] if shutil.which(self.program, path=search_path) else []
        for base, shown in ((home, "~/"), (top, "")):
            found += [f"{shown}{trace}" for trace in self.traces if base is not None and (base / trace).exists()]
        return found


def find(name: str) -> Client:
    """The client called ``name``. Raises UserError ``no-such-client``."""
    for client in CLIENTS:
        if client.name == name.lower():
            return client
    raise UserError(
        f"no client is called '{name}'",
        hint=f"clients: {', '.join(client.name for client in CLIENTS)}",
        code="no-such-client",
    )


def targets(chosen: list[Client], place: Place, *, is_removal: bool) -> list[Target]:
    """The files of the ``chosen`` clients, each once; for a removal without those that another client still uses.

    Raises:
        UserError, StorageError: a file cannot be read.
    """
    listed = {_real(target): target for client in chosen for target in client.targets(place)}
    if is_removal:
        for other in CLIENTS:
            if other.is_written and other not in chosen:
                for path in _used_by(other, place):
                    listed.pop(path, None)
    return list(listed.values())


def _used_by(client: Client, place: Place) -> set[Path]:
    """The files in which ``client`` needs what is ours; none when its own cannot be read."""
    try:
        return set(map(_real, client.targets(place))) if is_set_up(client, place) else set()
    except ChatError:
        return set()


def _real(target: Target) -> Path:
    return disk.resolve(target.path, target.top)


def is_set_up(client: Client, place: Place) -> bool:
    """Whether the client has our server here. Raises as :func:`targets`."""
    return holds(client.targets(place)[0])


# --- those that are written --------------------------------------------------


def _claude(place: Place) -> list[Target]:
    entry = {"type": "stdio", **place.launch.split(*place.server), "timeout": CALL_SECONDS * 1000}
    server = JsonServer(("mcpServers",), entry)
    hooks = JsonHooks("claude", _claude_hooks(place.launch))
    if not place.is_user:
        return [
            place.target(".mcp.json", server),
            place.target(".claude/settings.json", hooks),
            place.rules(Path("CLAUDE.md")),
        ]
    own = place.user_directory("CLAUDE_CONFIG_DIR", ".claude")
    state = own if place.variables.get("CLAUDE_CONFIG_DIR") else place.top
    return [
        place.target(state / ".claude.json", server),
        place.target(own / "settings.json", hooks),
        place.rules(own / "CLAUDE.md"),
    ]


def _claude_hooks(launch: Launch) -> dict[str, tuple[dict[str, Any], ...]]:
    def hook(action: str, seconds: int, **more: Any) -> dict[str, Any]:
        return {"type": "command", **launch.split("hook", "claude", action), **more, "timeout": seconds}

    return {
        "SessionStart": (hook("session-start", 10),),
        "UserPromptSubmit": (hook("prompt", 5),),
        "PostToolUse": (hook("tool", 5),),
        "Stop": (hook("stop", 10), hook("wait", WAIT_SECONDS, asyncRewake=True)),
    }


def _codex(place: Place) -> list[Target]:
    own = place.user_directory("CODEX_HOME", ".codex") if place.is_user else Path(".codex")
    entry = {
        **place.launch.split(*place.server),
        "startup_timeout_sec": 20,
        "tool_timeout_sec": CALL_SECONDS,
        "env": {_CODEX.name: _CODEX.value},
    }
    return [
        place.target(own / "config.toml", TomlServer("mcp_servers", entry), _CODEX, _former_name(place)),
        place.target(own / "hooks.json", JsonHooks("codex", _shell_hooks(place.launch, "codex", _CODEX_EVENTS, 1))),
        place.rules(own / "AGENTS.md" if place.is_user else Path("AGENTS.md")),
    ]


_CODEX = CodexVariable("AI_AGENT", "codex")
"""Codex hands its servers nothing of its environment, and its shell the session: so both know at least the client.

No name, which a committed file would give to every clone and worktree.
"""


def _former_name(place: Place) -> CodexVariable:
    """The name that version 0.1.0 wrote for a work tree. It goes on working, and is only taken out."""
    return CodexVariable("GITCHAT_NAME", suggest_slug(f"codex-{place.worktree_name}") or "codex", is_former=True)


_CODEX_EVENTS = {
    "SessionStart": ("session-start", 10),
    "UserPromptSubmit": ("prompt", 5),
    "PostToolUse": ("tool", 5),
    "Stop": ("stop", 10),
}


def _gemini(place: Place) -> list[Target]:
    own = Path(".gemini")
    if place.is_user:
        own = place.user_directory("GEMINI_CLI_HOME", ".") / ".gemini"
    entry = {**place.launch.split(*place.server), "timeout": GEMINI_CALL_SECONDS * 1000}
    hooks = _shell_hooks(place.launch, "gemini", _GEMINI_EVENTS, 1000)
    return [
        place.target(
            own / "settings.json",
            JsonServer(("mcpServers",), entry, has_comments=True),
            JsonHooks("gemini", hooks, has_comments=True),
        ),
        place.rules(own / "GEMINI.md" if place.is_user else Path("GEMINI.md")),
    ]


_GEMINI_EVENTS = {
    "SessionStart": ("session-start", 10),
    "BeforeAgent": ("prompt", 5),
    "AfterTool": ("tool", 5),
    "AfterAgent": ("stop", 10),
}


def _shell_hooks(
    launch: Launch, client: str, events: Mapping[str, tuple[str, int]], units_per_second: int
) -> dict[str, tuple[dict[str, Any], ...]]:
    """Hooks of a client that gives a line to a shell, and counts its limit in its own unit."""
    return {
        event: ({"type": "command", "command": launch.line("hook", client, action), "timeout": limit},)
        for event, (action, seconds) in events.items()
        for limit in (seconds * units_per_second,)
    }


def _approve_claude(place: Place) -> list[str]:
    if place.is_user:
        return ["Start claude anew; /mcp shows gitchat, /hooks its hooks."]
    return [
        "Start claude here, trust this folder when it asks, and allow the server 'gitchat' of .mcp.json.",
        "Look at its hooks with /hooks: they run git chat and tell the agent how many messages are unread.",
    ]


def _approve_codex(place: Place) -> list[str]:
    trust = [] if place.is_user else ["Start codex here and trust this project: until then it reads no .codex/."]
    return [*trust, "Approve its hooks with /hooks in codex: until then they are skipped, and it says nothing."]


def _approve_gemini(place: Place) -> list[str]:
    if place.is_user:
        return ["Start gemini anew; /mcp shows gitchat. In a folder that is not trusted it starts no server."]
    return ["Start gemini here and trust this folder (/permissions): until then it reads no .gemini/."]


# --- those of which only the snippet is known --------------------------------


def _elsewhere(
    project: str, user: str, path: tuple[str, ...], entry: Callable[[Place], dict[str, Any]]
) -> Callable[[Place], list[Target]]:
    def listed(place: Place) -> list[Target]:
        server = JsonServer(path, entry(place), has_comments=True)
        return [place.target(user if place.is_user else project, server)]

    return listed


def _server(place: Place) -> dict[str, Any]:
    return place.launch.split(*place.server)


def _by_hand(place: Place) -> list[str]:
    return ["Put it in by hand and start the client anew."]


def _opencode(place: Place) -> dict[str, Any]:
    return {"type": "local", "command": [*place.launch.words, *place.server], "enabled": True, "timeout": 300_000}


def _copilot(place: Place) -> dict[str, Any]:
    return {"type": "local", **place.launch.split(*place.server), "tools": ["*"], "timeout": 600_000}


CLIENTS = (
    Client("claude", "Claude Code", "claude", (".claude", ".mcp.json"), _claude, _approve_claude, is_written=True),
    Client("codex", "Codex", "codex", (".codex",), _codex, _approve_codex, is_written=True),
    Client("gemini", "Gemini CLI", "gemini", (".gemini",), _gemini, _approve_gemini, is_written=True),
    Client(
        "cursor", "Cursor", "cursor", (".cursor",),
        _elsewhere(".cursor/mcp.json", ".cursor/mcp.json", ("mcpServers",), _server),
        _by_hand,
    ),
    Client(
        "vscode", "VS Code", "code", (".vscode",),
        _elsewhere(
            ".vscode/mcp.json", ".config/Code/User/mcp.json", ("servers",),
            lambda place: {"type": "stdio", **place.launch.split(*place.server)},
        ),
        _by_hand,
    ),
    Client(
        "opencode", "opencode", "opencode", ("opencode.json", "opencode.jsonc", ".config/opencode"),
        _elsewhere("opencode.json", ".config/opencode/opencode.json", ("mcp",), _opencode), _by_hand,
    ),
    Client(
        "copilot", "Copilot CLI", "copilot", (".copilot",),
        _elsewhere(".github/mcp.json", ".copilot/mcp-config.json", ("mcpServers",), _copilot), _by_hand,
    ),
    Client(
        "zed", "Zed", "zed", (".zed", ".config/zed"),
        _elsewhere(
            ".zed/settings.json", ".config/zed/settings.json", ("context_servers",),
            _server,
        ),
        _by_hand,
    ),
    Client(
        "devin", "Devin Desktop", "devin", (".devin", ".config/devin"),
        _elsewhere(
            ".devin/mcp_config.json", ".config/devin/mcp_config.json", ("mcpServers",),
            _server,
        ),
        _by_hand,
    ),
)  # fmt: skip
"""In the order in which they are listed."""
