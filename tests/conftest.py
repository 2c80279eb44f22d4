"""Fixtures that every test can ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A sealed world in a directory of its own."""
    return World(tmp_path)
