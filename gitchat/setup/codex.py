"""Codex: its server, its hooks, its variables and its note. Source: 0.171.0, run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitchat.model.names import suggest_slug
from gitchat.setup.client import CALL_SECONDS, Client, guard_hook, shell_hooks
from gitchat.setup.edits import CodexVariable, TomlServer
from gitchat.setup.hooks import Hook, JsonHooks
from gitchat.setup.launch import CONNECT, TOKENS, Launch
from gitchat.setup.place import Place
from gitchat.setup.plan import Target

_CLIENT = CodexVariable("AI_AGENT", "codex")
"""Codex hands its servers nothing of its environment, and its shell the session: so both know at least the client.

No name, which a committed file would give to every clone and worktree.
"""

_EVENTS = {
    "SessionStart": ("session-start", 10),
    "UserPromptSubmit": ("prompt", 5),
    "PostToolUse": ("tool", 5),
    "Stop": ("stop", 10),
    "SessionEnd": ("session-end", 3),  # it takes no longer, and says so
}


def _targets(place: Place) -> list[Target]:
    own = place.user_directory("CODEX_HOME", ".codex") if place.is_user else Path(".codex")
    entry = server_for(place.launch, *place.server)
    former = suggest_slug(f"codex-{place.worktree_name}") or "codex"  # what 0.1.0 wrote for a work tree
    server = TomlServer(
        "mcp_servers", entry, {"env": {"GITCHAT_NAME": former}},
        {"default_tools_approval_mode": "approve"}, is_allowed=place.is_allowed,
        disconnects=place.disconnects,
    )  # fmt: skip
    hooks = JsonHooks("codex", hooks_for(place.launch))
    variables = (_CLIENT, CodexVariable("GITCHAT_NAME", former, is_former=True))
    return [
        place.target(own / "config.toml", server, *variables),
        place.main_target(own / "hooks.json", hooks),
        place.rules(own / "AGENTS.md" if place.is_user else Path("AGENTS.md")),
    ]


def server_for(launch: Launch, *words: str) -> dict[str, Any]:
    """Its entry of our server, which ``words`` start. Of its variables it hands on those alone that it is told of."""
    return {
        **launch.split(*words),
        "startup_timeout_sec": 20,
        "tool_timeout_sec": CALL_SECONDS,
        "env": {_CLIENT.name: _CLIENT.value},
        **({"env_vars": list(TOKENS)} if CONNECT in words else {}),
    }


def hooks_for(launch: Launch) -> tuple[Hook, ...]:
    """Its hooks. It counts in seconds."""
    return (*shell_hooks(launch, "codex", _EVENTS, 1), guard_hook("PreToolUse", "apply_patch", 5))


def _approvals(place: Place) -> list[str]:
    trust = [] if place.is_user else ["Start codex here and trust this project: until then it reads no .codex/."]
    elsewhere = [f"In a linked worktree it reads the hooks of the main one: {place.main}/.codex/hooks.json."]
    return [
        *trust,
        *(elsewhere if place.main else ()),
        "Approve its hooks with /hooks in codex: until then they are skipped, and it says nothing.",
    ]


CLIENT = Client(
    "codex", "Codex", "codex", (".codex",), _targets, _approvals,
    is_written=True, is_run=True, permission='default_tools_approval_mode = "approve" in its entry of the server',
)  # fmt: skip
