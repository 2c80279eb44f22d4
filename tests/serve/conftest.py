"""One application for the tables of a module: a repository with a few records, and a program of the same user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gitchat.serve.settings import Settings
from gitchat.verbs.room import Room
from tests.serve.serving import in_process
from tests.world import World


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A sealed world for a whole module; its repository ``repo`` has a lobby with one message of alice."""
    world = World(tmp_path_factory.mktemp("served"))
    Room(world.environment(world.repository()), name="alice").send("first")
    return world


@pytest.fixture(scope="module")
def client(shared_world: World) -> Iterator[TestClient]:
    """A program of the same user, which may ask as often as it likes."""
    with in_process(shared_world.environment(shared_world.root / "repo"), Settings(rate=100_000)) as made:
        yield made
