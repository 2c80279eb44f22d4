"""opencode: its server, a plugin that wakes its sessions, and its note. Source: 1.18.33, run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from gitchat.setup.client import Client
from gitchat.setup.edits import JsonServer
from gitchat.setup.launch import PORTABLE, Launch
from gitchat.setup.parts import OwnFile
from gitchat.setup.place import Place
from gitchat.setup.plan import Target

PLUGIN = Path(__file__).with_name("gitchat.js")


def _targets(place: Place) -> list[Target]:
    own = Path()
    if place.is_user:
        own = place.user_directory("XDG_CONFIG_HOME", ".config") / "opencode"
    program = [*place.launch.words, *place.server]
    entry = {"type": "local", "command": program, "enabled": True, "timeout": 300_000}
    plugins = own / "plugins" if place.is_user else Path(".opencode/plugins")
    config = place.target(
        _config(place, own), JsonServer(("mcp",), entry, has_comments=True, disconnects=place.disconnects)
    )
    names = (place.top / own / name for name in ("opencode.json", "opencode.jsonc"))
    return [
        replace(config, chosen_by=tuple(names)),
        place.target(plugins / PLUGIN.name, OwnFile(plugin_for(place.launch), also=(plugin_for(PORTABLE),))),
        place.rules(own / "AGENTS.md"),
    ]


def plugin_for(launch: Launch) -> str:
    """The plugin's text, for a gitchat that is started in this way."""
    text = PLUGIN.read_text("utf-8")
    return text.replace(json.dumps([*PORTABLE.words]), json.dumps([*launch.words]), 1)


def _config(place: Place, own: Path) -> Path:
    """Its configuration has two names, of which it reads both."""
    name = "opencode.jsonc"
    is_there = (place.top / own / name).exists() and not (place.top / own / "opencode.json").exists()
    return own / (name if is_there else "opencode.json")


def _approvals(place: Place) -> list[str]:
    return ["Start opencode anew: it reads its plugins and servers when it starts."]


CLIENT = Client(
    "opencode", "opencode", "opencode", ("opencode.json", "opencode.jsonc", ".opencode", ".config/opencode"),
    _targets, _approvals, is_written=True, is_run=True,
)  # fmt: skip
