"""REST as the seed has it, over the application in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gitchat.verbs.room import Room
from tests.serve.serving import in_process
from tests.world import World


@pytest.fixture
def repository(world: World) -> Path:
    """A repository whose lobby has begun."""
    path = world.repository()
    Room(world.environment(path), name="alice").send("first")
    return path


@pytest.fixture
def client(world: World, repository: Path) -> Iterator[TestClient]:
    """A program of the same user."""
    with in_process(world.environment(repository)) as made:
        yield made


def ok(response: Any) -> dict[str, Any]:
    """What was answered, which is no error."""
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


BETA = {"agent_id": "beta-01TYEi4M", "session_id": "01TYEi4Mjf2Tft2SWjjVtdQ3", "name": "Beta",
        "capabilities": ["detection", "analysis"]}  # fmt: skip
ALPHA = {"agent_id": "alpha-01RXGe86", "session_id": "01RXGe86WesQ8yxBsVwvKvdc", "name": "Alpha"}


def test_two_agents_meet_and_talk(client: TestClient) -> None:
    """Register, peers, send, list and fetch answer with the seed's keys, and names as they were spelled."""
    assert ok(client.post("/api/v1/agents/register", json=ALPHA))["peers"] == []
    assert ok(client.post("/api/v1/agents/register", json=BETA)) == {
        "success": True,
        "agent_id": "beta-01TYEi4M",
        "websocket_url": "/ws/beta-01TYEi4M",
        "peers": [{"agent_id": "alpha-01RXGe86", "name": "Alpha", "status": "active"}],
    }
    sent = {"from": "beta-01TYEi4M", "to": "alpha-01RXGe86", "message": "Hello Alpha!"}
    stored = ok(client.post("/api/v1/messages", json=sent))
    assert {key: stored[key] for key in ("success", "message_id")} == {"success": True, "message_id": 2}
    listed = ok(client.get("/api/v1/agents"))
    assert listed["total"] == 2
    (beta,) = [one for one in listed["agents"] if one["name"] == "Beta"]
    assert beta["session_id"] == BETA["session_id"]
    assert beta["capabilities"] == ["detection", "analysis"]
    (found,) = ok(client.get("/api/v1/messages?agent_id=ALPHA-01RXGe86&limit=1"))["messages"]
    assert found == {
        "id": 2, "type": "message", "from": "beta-01TYEi4M", "to": "alpha-01RXGe86", "message": "Hello Alpha!",
        "timestamp": stored["timestamp"], "room": "lobby",
    }  # fmt: skip
