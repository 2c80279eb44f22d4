"""How many programs a command starts: each costs as much as reading a hundred messages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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


COMMANDS = [
    "send hello", "log -n 20", "inbox", "read", "handoff", "status", "who", "show 1", "search parser", "rooms",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_asks_git_two_things(world: World, started: Path, command: str) -> None:
    """The place of the repository and its configuration; messages are read and written in this process."""
    repository = world.repository()
    world.chat("send", "the parser is done", "--as", "bob", cwd=repository, check=True)
    started.unlink()
    world.run("git-chat", *command.split(), cwd=repository)
    assert sorted(started.read_text().splitlines()) == sorted(NEEDED)
