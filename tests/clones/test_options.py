"""No name, address or argument of somebody else's is an option of git's. Proves what SECURITY.md says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clones.conftest import Hub
from tests.world import World


@pytest.fixture
def owned(world: World) -> Path:
    """A file that is only there when a command of the configuration's was run."""
    return world.root / "owned"


def test_a_remotes_name_that_is_an_option_runs_nothing(world: World, hub: Hub, owned: Path) -> None:
    """However it is reached: typed, by a setting, or by the note of a room."""
    clone = hub.clone("clone")
    clone.say("hello")
    clone.sync()
    name = f"--upload-pack=touch {owned};"
    clone.git("config", f"remote.{name}.url", str(hub.path))
    refused = clone.chat("sync", "--", name)
    assert (refused.returncode, "cannot be called" in refused.stderr) == (1, True), refused
    assert name in world.run("sh", "-c", refused.stderr.split("for: ")[1], cwd=clone.path).stdout
    for setting in ("chat.remote", "chatroom.lobby.remote"):
        clone.git("config", setting, name)
        for words in (("sync",), ("push",), ("pull",), ("send", "x", "--sync=1"), ("status",), ("rooms",)):
            done = clone.chat(*words)
            assert "Traceback" not in done.stderr, (setting, words, done)
        clone.git("config", "--unset", setting)
    assert not owned.exists()
    assert clone.chat("log").returncode == 0


@pytest.mark.parametrize(
    "address", ["--upload-pack=touch {owned};", "ssh://-oProxyCommand=touch {owned}/x", "ext::touch {owned}"]
)
def test_an_address_that_is_an_option_or_a_command_runs_nothing(
    world: World, hub: Hub, owned: Path, address: str
) -> None:
    """git's own rules hold: a host that begins with a dash is refused, and ``ext::`` is used where it was allowed."""
    clone = hub.clone("clone")
    clone.say("hello")
    clone.sync()
    clone.git("config", "remote.origin.url", address.format(owned=owned))
    for words in (("sync",), ("push",), ("remote", "attach", "origin"), ("send", "x", "--sync=1")):
        clone.chat(*words)
    assert not owned.exists()


def test_arguments_that_begin_with_a_dash_are_words(world: World) -> None:
    """A room, a type, a name or a commit of such a form is refused, or taken as what it is."""
    repository = world.repository()
    world.chat("send", "hello", cwd=repository, check=True)
    owned = world.root / "owned"
    option = f"--output={owned}"
    for words in (
        ("send", "x", "--commit", option), ("send", "x", "--room", option), ("log", "--room", option),
        ("log", f"--since={option}"), ("log", f"--commit={option}"), ("send", "x", f"--as={option}"),
        ("show", "--", option),
    ):  # fmt: skip
        done = world.chat(*words, cwd=repository)
        assert "Traceback" not in done.stderr, words
    assert not owned.exists()


def test_hooks_and_maintenance_of_the_configuration_are_not_run(world: World, hub: Hub, owned: Path) -> None:
    """What a send, a reading and an unattended round do starts no hook, gc, file monitor, signer, editor or pager."""
    clone = hub.clone("clone")
    clone.say("hello")
    clone.sync()
    hooks = clone.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    names = (
        "pre-push",
        "reference-transaction",
        "post-update",
        "pre-auto-gc",
        "fsmonitor-watchman",
        "post-index-change",
    )
    for name in names:
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >>{owned}\n")
        (hooks / name).chmod(0o755)
    for key, value in (
        ("core.fsmonitor", f"touch {owned}"), ("core.editor", f"touch {owned};"), ("core.pager", f"touch {owned};"),
        ("gc.auto", "1"), ("core.hooksPath", str(hooks)), ("diff.external", f"touch {owned};"),
        ("gpg.program", f"touch {owned};"), ("commit.gpgSign", "true"), ("push.gpgSign", "if-asked"),
    ):  # fmt: skip
        clone.git("config", key, value)
    for words in (("send", "again"), ("log",), ("search", "again"), ("who",), ("status",), ("doctor",)):
        assert clone.chat(*words).returncode in (0, 1), words
    clone.chat("deliver", "origin")
    assert not owned.exists(), owned.read_text()
