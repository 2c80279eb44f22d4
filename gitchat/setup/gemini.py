"""Gemini CLI, Qwen Code, which began as a copy of it, and Antigravity, which comes after it.

Source: Gemini CLI 0.61.0 and Qwen Code 0.24.4, run; Antigravity's documentation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitchat.setup.client import SHORT_CALL_SECONDS, Client, guard_hook, shell_hooks
from gitchat.setup.edits import JsonServer
from gitchat.setup.hooks import Hook, JsonHooks
from gitchat.setup.launch import Launch
from gitchat.setup.place import Place
from gitchat.setup.plan import Target

_EVENTS = {
    "SessionStart": ("session-start", 10),
    "BeforeAgent": ("prompt", 5),
    "AfterTool": ("tool", 5),
    "AfterAgent": ("stop", 10),
}


def _targets(place: Place) -> list[Target]:
    own = Path(".gemini")
    if place.is_user:
        own = place.user_directory("GEMINI_CLI_HOME", ".") / ".gemini"
    return [
        place.target(
            own / "settings.json",
            _server(place),
            JsonHooks("gemini", hooks_for(place.launch), has_comments=True),
        ),
        place.rules(own / "GEMINI.md" if place.is_user else Path("GEMINI.md")),
    ]


def _approvals(place: Place) -> list[str]:
    if place.is_user:
        return ["Start gemini anew; /mcp shows gitchat. In a folder that is not trusted it starts no server."]
    return ["Start gemini here and trust this folder (/permissions): until then it reads no .gemini/."]


def hooks_for(launch: Launch) -> tuple[Hook, ...]:
    """The hooks of Gemini CLI, which counts in milliseconds."""
    return (*shell_hooks(launch, "gemini", _EVENTS, 1000), guard_hook("BeforeTool", "write_file|replace", 5000))


def server_for(launch: Launch, *words: str) -> dict[str, Any]:
    """Its entry of our server, which ``words`` start."""
    return {**launch.split(*words), "timeout": SHORT_CALL_SECONDS * 1000}


def _server(place: Place, **more: Any) -> JsonServer:
    entry = {**server_for(place.launch, *place.server), **more}
    permission = {"trust": True}
    return JsonServer(
        ("mcpServers",),
        entry,
        permission,
        is_allowed=place.is_allowed,
        has_comments=True,
        disconnects=place.disconnects,
    )


def _qwen(place: Place) -> list[Target]:
    own = place.user_directory("QWEN_HOME", ".qwen") if place.is_user else Path(".qwen")
    return [
        place.target(own / "settings.json", _server(place, env={"AI_AGENT": "qwen"})),
        place.rules(own / "QWEN.md" if place.is_user else Path("QWEN.md")),
    ]


def _approve_qwen(place: Place) -> list[str]:
    if place.is_user:
        return ["Start qwen anew; /mcp shows gitchat."]
    return ["Start qwen here and approve the server 'gitchat' with /mcp: until then it is not started."]


def _antigravity(place: Place) -> list[Target]:
    server = JsonServer(("mcpServers",), place.launch.split(*place.server), disconnects=place.disconnects)
    if place.is_user:
        return [
            place.target(".gemini/config/mcp_config.json", server),
            place.rules(Path(".gemini/GEMINI.md")),
        ]
    return [place.target(".agents/mcp_config.json", server), place.rules(Path("AGENTS.md"))]


def _approve_antigravity(place: Place) -> list[str]:
    return ["Start agy anew; /mcp shows gitchat. This follows its documentation: nobody ran it."]


CLIENT = Client(
    "gemini", "Gemini CLI", "gemini", (".gemini",), _targets, _approvals,
    is_written=True, is_run=True, permission='"trust": true in its entry of the server',
)  # fmt: skip
QWEN = Client(
    "qwen", "Qwen Code", "qwen", (".qwen",), _qwen, _approve_qwen,
    is_written=True, is_run=True, permission='"trust": true in its entry of the server',
)  # fmt: skip
ANTIGRAVITY = Client(
    "agy", "Antigravity", "agy", (".agents", ".gemini/config"), _antigravity, _approve_antigravity, is_written=True
)
