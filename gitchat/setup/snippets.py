"""Clients whose files are not written: what belongs in them, to put in by hand. Nobody ran them with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitchat.setup.client import Client
from gitchat.setup.edits import JsonServer
from gitchat.setup.place import Place
from gitchat.setup.plan import Target


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


def _copilot(place: Place) -> dict[str, Any]:
    return {"type": "local", **place.launch.split(*place.server), "tools": ["*"], "timeout": 600_000}


CLIENTS = (
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
