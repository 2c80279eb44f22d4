"""Claude Code: its server, its hooks, its permissions and its note. Source: 2.1.332 and 2.1.197, run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gitchat.setup.client import CALL_SECONDS, Client, guard_hook, shell_hook
from gitchat.setup.edits import NAME, JsonServer
from gitchat.setup.hooks import TOOL, Hook, JsonHooks
from gitchat.setup.launch import Launch
from gitchat.setup.parts import JsonWords
from gitchat.setup.place import Place
from gitchat.setup.plan import Target

WAIT_SECONDS = 7 * 24 * 3600
"""How long it lets the hook run that wakes an idle session."""


ALLOWED = (f"mcp__{NAME}", "Bash(git chat:*)")
"""The permissions with which it asks neither for our tools nor for our commands."""


def _targets(place: Place) -> list[Target]:
    entry = server_for(place.launch, *place.server)
    is_own = place.is_user or place.is_local
    settings = (
        JsonHooks("claude", hooks_for(place.launch, has_server=is_own)),
        JsonWords(("permissions", "allow"), ALLOWED, is_wanted=place.is_allowed),
    )
    if place.is_local:
        project = JsonServer(
            ("projects", str(place.main or place.top), "mcpServers"), entry, disconnects=place.disconnects
        )
        return [
            place.own_target(_state(place), project),
            place.target(".claude/settings.local.json", *settings),
            place.rules(Path("CLAUDE.local.md")),
        ]
    server = JsonServer(("mcpServers",), entry, disconnects=place.disconnects)
    if place.is_user:
        own = _own(place)
        return [
            place.own_target(_state(place), server),
            place.own_target(own / "settings.json", *settings),
            place.rules(own / "CLAUDE.md"),
        ]
    return [
        place.target(".mcp.json", server),
        place.target(".claude/settings.json", *settings),
        place.rules(Path("CLAUDE.md")),
    ]


def _own(place: Place) -> Path:
    return place.user_directory("CLAUDE_CONFIG_DIR", ".claude")


def _state(place: Place) -> Path:
    """Where it keeps the servers of its user: of all work trees, and of each by the path of the main one."""
    return (_own(place) if place.variables.get("CLAUDE_CONFIG_DIR") else place.home) / ".claude.json"


def server_for(launch: Launch, *words: str) -> dict[str, Any]:
    """Its entry of our server, which ``words`` start."""
    return {"type": "stdio", **launch.split(*words), "timeout": CALL_SECONDS * 1000}


def hooks_for(launch: Launch, *, has_server: bool, server: str = NAME) -> tuple[Hook, ...]:
    """Its hooks. With ``has_server`` whoever reads them has our server, too, which it calls ``server``.

    Then that server, which runs already, answers what it can. Where it is missing a client says at each such
    hook that it failed: so in a file that is committed they pass the gate, which is silent. Always commands are
    those of a session that begins, for it has no server yet, and of one that waits, which is for versions
    before 2.1.224: they have no inbox.
    """

    def command(action: str, seconds: int, **more: Any) -> dict[str, Any]:
        return shell_hook(launch, "claude", action, seconds, **more)

    def notice(event: str, **more: str) -> dict[str, Any]:
        given = {"event": event, "session": "${session_id}", "agent": "${agent_id}", "stop": "${stop_hook_active}"}
        return {"type": "mcp_tool", "server": server, "tool": TOOL, "input": {**given, **more}, "timeout": 5}

    return (
        Hook("SessionStart", "session-start", command("session-start", 10)),
        Hook("UserPromptSubmit", "prompt", notice("UserPromptSubmit") if has_server else command("prompt", 5)),
        # With the call's id the server knows a subagent's call when it comes. Its tools are called where it is.
        Hook(
            "PreToolUse", "call", notice("PreToolUse", call="${tool_use_id}"), matcher=f"mcp__{_in_tools(server)}__.*"
        ),
        guard_hook("PreToolUse", "Edit|MultiEdit|Write|NotebookEdit", 5),
        Hook("PostToolUse", "tool", notice("PostToolUse") if has_server else command("tool", 5)),
        Hook("Stop", "stop", notice("Stop") if has_server else command("stop", 10)),
        Hook("Stop", "wait", command("wait", WAIT_SECONDS, asyncRewake=True)),
    )


def _in_tools(server: str) -> str:
    """A server's name as it stands in those of its tools."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", server)


def _approvals(place: Place) -> list[str]:
    if place.is_user:
        return ["Start claude anew; /mcp shows gitchat, /hooks its hooks."]
    if place.is_local:
        return [
            "Start claude here and trust this folder when it asks; /mcp shows gitchat, /hooks its hooks.",
            "Commit neither .claude/settings.local.json nor CLAUDE.local.md: they are yours alone.",
        ]
    return [
        "Start claude here, trust this folder when it asks, and allow the server 'gitchat' of .mcp.json.",
        "Look at its hooks with /hooks: they tell the agent how many messages are unread.",
    ]


CLIENT = Client(
    "claude", "Claude Code", "claude", (".claude", ".mcp.json"), _targets, _approvals,
    is_written=True, is_run=True, has_local=True,
    permission=" and ".join(f'"{word}"' for word in ALLOWED) + " in permissions.allow",
)  # fmt: skip
