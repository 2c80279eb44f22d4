"""The plugins are what ``git chat setup`` writes, for clients that install them from a clone."""

from __future__ import annotations

import json

from gitchat import __version__
from plugins.make_plugins import TOP, files, version
from tests.world import World

FOLDERS = (".claude-plugin", ".agents", "plugins/claude", "plugins/codex", "plugins/gemini")


def test_the_files_are_those_that_setup_would_write() -> None:
    """To the byte, and no others: ``make plugins`` was run."""
    there = {
        str(path.relative_to(TOP)): path.read_text("utf-8")
        for folder in FOLDERS
        for path in (TOP / folder).rglob("*")
        if path.is_file()
    }
    assert there == files()


def test_the_version_is_the_package_s() -> None:
    """Spelt as npm's programs read one."""
    told = [
        json.loads(text)["version"]
        for name, text in files().items()
        if name.endswith(("plugin.json", "extension.json"))
    ]
    assert told == [version()] * 3
    assert version().replace("-", ".") == __version__.replace("-", ".")
    assert version().count(".") == 2


def test_the_hooks_are_those_of_a_user_s_own_files(world: World) -> None:
    """But for the name by which a client calls the server of a plugin."""
    places = {"claude": ".claude/settings.json", "codex": ".codex/hooks.json", "gemini": ".gemini/settings.json"}
    world.chat("setup", *places, "--user", check=True)
    for client, path in places.items():
        hooks = (TOP / "plugins" / client / "hooks" / "hooks.json").read_text()
        text = hooks.replace("plugin:gitchat:gitchat", "gitchat").replace("plugin_gitchat_gitchat", "gitchat")
        assert json.loads(text)["hooks"] == json.loads((world.home / path).read_text())["hooks"]
