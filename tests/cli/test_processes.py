"""How many programs a command starts: each costs as much as reading a hundred messages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.programs import until
from tests.world import World

NEEDED = ["rev-parse --absolute-git-dir --git-common-dir --is-bare-repository", "config --list -z"]
"""Where we are, and how it is configured: asked of git once."""


@pytest.fixture
def started(world: World) -> Path:
    """A file to which each git that is started adds a line with its arguments."""
    programs, lines = world.root / "programs", world.root / "started"
    programs.mkdir()
    wrapper = programs / "git"
    wrapper.write_text(f'#!/bin/sh\necho "$*" >>"{lines}"\nexec "{shutil.which("git")}" "$@"\n')
    wrapper.chmod(0o755)
    world.variables["PATH"] = f"{programs}:{world.variables['PATH']}"
    return lines


QUICK = ["send hello", "log -n 20", "inbox", "status"]
COMMANDS = [
    "read", "handoff", "who", "show 1", "search parser", "rooms",
]  # fmt: skip


@pytest.mark.parametrize("command", QUICK)
def test_what_is_typed_all_day_asks_git_once(world: World, started: Path, command: str) -> None:
    """How it is configured, and never again while nothing of that changed."""
    repository = world.repository()
    world.chat("send", "the parser is done", "--as", "bob", cwd=repository, check=True)
    started.unlink()
    for _ in range(2):
        world.run("git-chat", *command.split(), cwd=repository)
    asked = started.read_text().splitlines() if started.exists() else []
    assert set(asked) <= {"config --list -z --show-origin"}
    assert len(asked) <= 2
    started.unlink(missing_ok=True)
    until(lambda: world.run("git-chat", *command.split(), cwd=repository) and not forgotten(started))


def forgotten(started: Path) -> bool:
    """Whether git was asked once more: a file that was written in the same moment is not trusted yet."""
    was_asked = started.exists()
    started.unlink(missing_ok=True)
    return was_asked


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_asks_git_two_things(world: World, started: Path, command: str) -> None:
    """The place of the repository and its configuration; messages are read and written in this process."""
    repository = world.repository()
    world.chat("send", "the parser is done", "--as", "bob", cwd=repository, check=True)
    started.unlink()
    world.run("git-chat", *command.split(), cwd=repository)
    # Who reads for the first time has no position yet: the quick way finds that out when it knows the settings.
    again = ["config --list -z --show-origin"] if command.startswith("read") else []
    assert sorted(started.read_text().splitlines()) == sorted([*NEEDED, *again])
