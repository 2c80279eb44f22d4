"""Writes the plugins from what ``git chat setup`` writes: run by ``make plugins``.

A plugin is for its user in all repositories, as ``setup --user`` is. The tests hold the files to this.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gitchat import __version__
from gitchat.setup import claude, codex, gemini
from gitchat.setup.edits import NAME
from gitchat.setup.hooks import Hook, JsonHooks
from gitchat.setup.launch import PORTABLE
from gitchat.setup.place import RULES

TOP = Path(__file__).parents[1]

ABOUT = "A chatroom inside your git repository, for people and coding agents."

SERVER = ("mcp", "--user-wide")

OWNER = {"name": "The gitchat authors"}

SKILL = """\
---
name: gitchat
description: Talk with the people and agents who work in this repository. Use it when you begin or end work here, \
hear of unread messages, change what others rely on, or are stuck.
---

"""

README = """\
# gitchat for {client}

{about} This plugin gives {client} the tools of gitchat, tells an agent how many messages are unread, and when to look.
It needs the program (`pipx install .` in a clone of gitchat); without it nothing happens. It works in every
repository that has a room, and joins no room of a remote where you never used gitchat. Do not use it together with
`git chat setup {name}`: then each would be there twice.

    {install}

These files are made by `make plugins` from what `git chat setup {name} --user` writes.
"""


def files() -> dict[str, str]:
    """All files of the plugins, by their paths from the top of this repository."""
    return {
        ".claude-plugin/marketplace.json": _json(
            {
                "name": NAME,
                "description": ABOUT,
                "owner": OWNER,
                "plugins": [{"name": NAME, "source": "./plugins/claude", "description": ABOUT}],
            }
        ),
        "plugins/claude/.claude-plugin/plugin.json": _json(
            {"name": NAME, "version": version(), "description": ABOUT, "author": OWNER, "license": "MIT"}
        ),
        "plugins/claude/.mcp.json": _json({"mcpServers": {NAME: claude.server_for(PORTABLE, *SERVER)}}),
        "plugins/claude/hooks/hooks.json": _hooks(
            # So Claude Code calls the server of a plugin.
            claude.hooks_for(PORTABLE, has_server=True, server=f"plugin:{NAME}:{NAME}")
        ),
        "plugins/claude/skills/gitchat/SKILL.md": SKILL + RULES,
        "plugins/claude/README.md": _readme(
            "Claude Code",
            "claude",
            "claude plugin marketplace add PATH-OF-A-CLONE-OF-GITCHAT; claude plugin install gitchat@gitchat",
        ),
        # Codex would take the marketplace of Claude Code's plugins where it has none of its own.
        ".agents/plugins/marketplace.json": _json(
            {
                "name": NAME,
                "interface": {"displayName": NAME},
                "plugins": [
                    {
                        "name": NAME,
                        "source": {"source": "local", "path": "./plugins/codex"},
                        "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
                        "category": "Productivity",
                    }
                ],
            }
        ),
        "plugins/codex/.codex-plugin/plugin.json": _json(
            {
                "name": NAME,
                "version": version(),
                "description": ABOUT,
                "mcpServers": "./.mcp.json",
                "hooks": "./hooks/hooks.json",
                "skills": "./skills/",
            }
        ),
        "plugins/codex/.mcp.json": _json({"mcpServers": {NAME: codex.server_for(PORTABLE, *SERVER)}}),
        "plugins/codex/hooks/hooks.json": _hooks(codex.hooks_for(PORTABLE)),
        "plugins/codex/skills/gitchat/SKILL.md": SKILL + RULES,
        "plugins/codex/README.md": _readme(
            "Codex",
            "codex",
            "codex plugin marketplace add PATH-OF-A-CLONE-OF-GITCHAT; codex plugin add gitchat@gitchat",
        ),
        "plugins/gemini/gemini-extension.json": _json(
            {
                "name": NAME,
                "version": version(),
                "description": ABOUT,
                "mcpServers": {NAME: gemini.server_for(PORTABLE, *SERVER)},
                "contextFileName": "GEMINI.md",
            }
        ),
        "plugins/gemini/hooks/hooks.json": _hooks(gemini.hooks_for(PORTABLE)),
        "plugins/gemini/GEMINI.md": RULES,
        "plugins/gemini/README.md": _readme(
            "Gemini CLI", "gemini", "gemini extensions link PATH-OF-A-CLONE-OF-GITCHAT/plugins/gemini"
        ),
    }


def version() -> str:
    """The package's version as these programs spell one: ``0.2.0.dev0`` is ``0.2.0-dev0``."""
    return re.sub(r"^(\d+\.\d+\.\d+)\.?(?=[a-z])", r"\1-", __version__)


def _hooks(hooks: tuple[Hook, ...]) -> str:
    return JsonHooks("", hooks).snippet()


def _readme(client: str, name: str, install: str) -> str:
    return README.format(client=client, name=name, install=install, about=ABOUT)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def main() -> None:
    """Write them all."""
    for name, text in files().items():
        path = TOP / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"wrote {len(files())} files")


if __name__ == "__main__":
    main()
