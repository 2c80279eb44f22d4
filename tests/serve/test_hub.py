"""The hub: calls in the worker, one look a change, and who waits is handed what reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.serve.actor import Actor
from gitchat.serve.frontier import key_of
from gitchat.serve.handing import QUEUED, CursorMoved, PresenceChanged, Reader, Record, Reset, Subscription
from gitchat.serve.hub import Hub
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.world import World

LOCAL = Actor("local", is_local=True)
LOBBY = RoomName("lobby")
LIMIT_SECONDS = 30
"""How long anything here may take, on whatever machine."""


@pytest.fixture
def environment(world: World) -> Environment:
    """A repository with one message."""
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    here = Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)
    Room(here, "lobby", "ana").send("first")
    return here


def run(environment: Environment, test: Callable[[Hub], Awaitable[None]]) -> None:
    """``test`` with a hub that has begun, and ends afterwards."""

    async def main() -> None:
        hub = Hub(replace(environment))  # what is open in it is for the worker's thread alone
        await hub.start()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await test(hub)
        finally:
            await hub.close()

    asyncio.run(main())


def send(body: str, **more: object) -> Callable[[Environment], object]:
    """An act that sends as ana."""
    return lambda here: Room(here, "lobby", "ana").send(body, **more)  # type: ignore[arg-type]


def nothing(here: Environment) -> int | None:
    """A look that finds nothing."""
    return None


async def bodies(subscription: Subscription, count: int) -> list[str]:
    """What the next ``count`` records say."""
    found: list[str] = []
    while len(found) < count:
        event = await anext(subscription)
        assert isinstance(event, Record)
        found.append(event.entry.record.body)
    return found


def test_who_subscribed_is_handed_what_reaches_it_and_nothing_else(environment: Environment) -> None:
    """To all, and to its name; not what another is told, nor what it wrote itself."""

    async def test(hub: Hub) -> None:
        with hub.subscribe(Reader(Name("bob"))) as bob, hub.subscribe(Reader(Name("ana"))) as ana:
            await hub.call(send("to cy", to="cy"), LOCAL)
            await hub.call(send("to bob", to="bob"), LOCAL)
            await hub.call(send("to all"), LOCAL)
            assert await bodies(bob, 2) == ["to bob", "to all"]
            assert not await ana.something(0)

    run(environment, test)


def test_who_waits_is_answered_when_something_came(environment: Environment) -> None:
    """The look is repeated when a record was handed over, and not before."""

    async def test(hub: Hub) -> None:
        looks = []

        def look(here: Environment) -> int | None:
            looks.append(here)
            count = Room(here, "lobby", "bob").overview().count
            return count if count > 1 else None

        waiting = asyncio.create_task(hub.wait(look, Reader(Name("bob")), LOCAL, None))
        while not looks:
            await asyncio.sleep(0.01)
        await hub.call(send("second"), LOCAL)
        assert await waiting == 2
        assert await hub.wait(nothing, Reader(Name("bob")), LOCAL, 0.01) is None

    run(environment, test)


def test_what_a_name_has_had_is_not_told_again_and_written_at_the_end(environment: Environment) -> None:
    """Or when it leaves; a page of its own hears of it at once."""

    async def test(hub: Hub) -> None:
        with hub.subscribe(Reader(Name("bob"), is_all=True)) as page:
            await hub.holdings.join(LOCAL, Name("bob"), LOBBY)
            for name in (Name("bob"), Name("cy")):
                reading = await hub.unread(LOCAL, name)
                hub.had(LOCAL, name, LOBBY, [key_of(entry) for entry in reading.entries])
                again = await hub.unread(LOCAL, name)
                assert [len(reading.entries), len(again.entries)] == [1, 0]
            assert page.taken() == [PresenceChanged(LOBBY), CursorMoved(Name("bob"), LOBBY)]
            assert cursor(environment, "bob") == 0
            await hub.holdings.leave(LOCAL, Name("bob"))
            assert cursor(environment, "bob") == 1
            assert cursor(environment, "cy") == 0

    run(environment, test)
    assert cursor(environment, "cy") == 1


def cursor(environment: Environment, name: str) -> int:
    """How far ``name`` has read, as anybody can see."""
    return Room(environment, "lobby", "ana").how_far(Name(name)).last_read


def test_a_reader_that_is_too_slow_is_let_go(environment: Environment) -> None:
    """After so many records; one in the middle of a write is told, and what comes then reaches it no more."""

    async def test(hub: Hub) -> None:
        with hub.subscribe(Reader(Name("bob"))) as slow, hub.subscribe(Reader(Name("cy"))) as quick:
            told: list[bool] = []
            slow.when_overrun = lambda: told.append(slow.is_overrun)
            await hub.call(send("a record"), LOCAL)
            record = await anext(quick)
            for count in range(QUEUED):
                assert not slow.is_closed, count
                slow.put(record)
            assert [slow.is_closed, slow.is_overrun, told] == [True, True, [True]]
            slow.put(record)
            assert len(slow.taken()) == QUEUED
            assert not await slow.something()

    run(environment, test)


def test_where_the_index_is_built_anew_everybody_reads_anew(environment: Environment) -> None:
    """Nobody can tell what came meanwhile: pages are told so, others are let go and come back by their numbers."""

    async def test(hub: Hub) -> None:
        def lose(here: Environment) -> None:
            here.index.close()
            for file in here.repository.directory.glob("index*"):
                file.unlink()

        with hub.subscribe(Reader(Name("bob"))) as bob, hub.subscribe(Reader(None, is_all=True)) as page:
            await hub.call(lose, LOCAL)
            await hub.call(send("while nobody could tell"), LOCAL)
            assert await anext(page) == Reset()
            assert [await bob.something(), bob.is_overrun] == [False, True]
            await hub.call(send("afterwards"), LOCAL)
            while not isinstance(event := await anext(page), Record):
                pass
            assert event.entry.record.body == "afterwards"

    run(environment, test)


def test_a_name_is_spelled_as_its_owner_did_at_a_server_before(environment: Environment) -> None:
    """Also when it has not come back yet."""

    async def join(hub: Hub) -> None:
        await hub.holdings.join(LOCAL, Name("beta"), LOBBY, label="Beta", given="beta-01TYEi4M", session_id="s")

    async def test(hub: Hub) -> None:
        known = [hub.holdings.spelled(Name("beta")), hub.holdings.label_of(Name("beta"))]
        assert known == ["beta-01TYEi4M", "Beta"]
        assert [hub.holdings.spelled(Name("ana")), hub.holdings.label_of(Name("ana"))] == ["ana", "ana"]

    run(environment, join)
    run(environment, test)
