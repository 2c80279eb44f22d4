"""Gemini CLI. Source: 0.61.0, run."""

from __future__ import annotations

from pathlib import Path

from gitchat.setup.client import SHORT_CALL_SECONDS, Client, shell_hooks
from gitchat.setup.edits import JsonServer
from gitchat.setup.hooks import JsonHooks
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
    entry = {**place.launch.split(*place.server), "timeout": SHORT_CALL_SECONDS * 1000}
    return [
        place.target(
            own / "settings.json",
            JsonServer(("mcpServers",), entry, has_comments=True),
            JsonHooks("gemini", shell_hooks(place.launch, "gemini", _EVENTS, 1000), has_comments=True),
        ),
        place.rules(own / "GEMINI.md" if place.is_user else Path("GEMINI.md")),
    ]


def _approvals(place: Place) -> list[str]:
    if place.is_user:
        return ["Start gemini anew; /mcp shows gitchat. In a folder that is not trusted it starts no server."]
    return ["Start gemini here and trust this folder (/permissions): until then it reads no .gemini/."]


CLIENT = Client("gemini", "Gemini CLI", "gemini", (".gemini",), _targets, _approvals, is_written=True, is_run=True)
