"""A room that nobody has counted yet: the server is there at once, tells what is there, and has the rest later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest

from gitchat.index import building
from gitchat.model.names import Name
from gitchat.serve.contract import ROOT
from gitchat.serve.handing import Reader, Reset
from gitchat.serve.hub import Hub
from gitchat.storage import gate
from tests.serve.serving import in_process
from tests.soak.history import make_room
from tests.world import World

RECORDS = 10
PATIENCE_SECONDS = 60


def until(holds: Callable[[], bool]) -> None:
    """Wait for what comes by itself."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_server_answers_while_a_room_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its newest messages, writing, and that the rest is to be asked for again; health tells it."""
    monkeypatch.setattr(building, "SHORT", 3)  # what a thousand is
    path = make_room(world, "long", RECORDS)
    environment = world.environment(path)
    room = f"{ROOT}/rooms/lobby"
    with ExitStack() as turn:
        turn.enter_context(gate.hold(environment.store.directory, 0, building.TURN))
        with in_process(environment) as client:
            health = client.get("/health")
            assert (health.status_code, health.json()["counting"]) == (200, True)
            newest = client.get(f"{room}/messages", params={"as": "ana", "limit": 3}).json()
            assert len(newest["messages"]) == 3
            assert newest["counting"]
            rooms = client.get(f"{ROOT}/rooms", params={"as": "ana"}).json()
            assert [one["room"] for one in rooms["rooms"]] == ["lobby"]
            refused = client.get(f"{ROOT}/search", params={"q": "message"})
            assert (refused.status_code, refused.json()["code"]) == (503, "still-counting")
            assert int(refused.headers["Retry-After"]) > 0
            turn.close()
            until(lambda: "counting" not in client.get("/health").json())
            whole = client.get(f"{room}/messages", params={"as": "ana", "limit": 3}).json()
            assert whole["latest_id"] == RECORDS
            assert "counting" not in whole
            assert client.get(f"{ROOT}/search", params={"q": "message"}).status_code == 200


def test_who_waits_while_a_room_is_counted_reads_anew_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came meanwhile was handed over to nobody: a page is told so, and who waits for records looks again."""
    monkeypatch.setattr(building, "SHORT", 3)
    environment = world.environment(make_room(world, "long", RECORDS))

    async def main() -> None:
        hub = Hub(replace(environment))
        with ExitStack() as turn:
            turn.enter_context(gate.hold(environment.store.directory, 0, building.TURN))
            await hub.start()
            try:
                assert hub.is_counting
                with hub.subscribe(Reader(None, is_all=True)) as page, hub.subscribe(Reader(Name("ana"))) as ana:
                    turn.close()
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        assert await anext(page) == Reset()
                    assert ana.is_overrun
                    assert not hub.is_counting
            finally:
                await hub.close()

    asyncio.run(main())
