"""Fixtures that every test can ask for."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.clones.conftest import Hub
from tests.world import World

# Who is started in the background by a shell inherits that Ctrl-C is ignored, and by nohup that a hang-up is; both
# would be handed on to the programs that the tests interrupt.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A sealed world in a directory of its own."""
    return World(tmp_path)


@pytest.fixture
def hub(world: World) -> Hub:
    """A bare repository without a room."""
    return Hub(world, world.root / "hub.git")
