"""A poll of a topic over HTTP: answered from what the hub hands over, once and in order, and without a reading."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import RoomName
from gitchat.presence.holding import Holding
from gitchat.serve import handing
from gitchat.serve.actor import Actor
from gitchat.serve.ground import HubGround, Memory
from gitchat.serve.hub import Hub
from gitchat.server import taking
from gitchat.server.desk import Call
from gitchat.server.service import Service
from gitchat.server.topics import Topics
from gitchat.verbs import tools
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment
from tests.world import World

LOCAL = Actor("local", is_local=True)
TOPIC = RoomName("build")
LIMIT_SECONDS = 30
"""How long anything here may take, on whatever machine."""


@pytest.fixture
def environment(world: World) -> Environment:
    """A repository with a topic."""
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    here = Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)
    Room(here, TOPIC, "ana").describe(state="open")
    return here


class Desk:
    """Members of one topic, as connections over HTTP serve them."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.topics = Topics()
        self.looks = 0
        """How often the room was read for who polls."""
        self._ground = self.counted(Memory())

    def counted(self, memory: Memory) -> HubGround:
        """A ground that counts looks."""
        desk = self

        class Counted(HubGround):
            def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
                desk.looks += 1
                return super().unread(room, limit, with_own=with_own)

        return Counted(self.hub, LOCAL, memory)

    async def join(self, name: str) -> str:
        """The token of a new member."""
        return (await self.hub.call(lambda here: self.topics.join(here, TOPIC, name, ""), LOCAL))[0]

    async def send(self, body: str, to: str = "all") -> None:
        """Send as somebody on the command line does."""
        await self.hub.call(lambda here: Room(here, TOPIC, "ana").send(body, to=to), LOCAL)

    async def waiting(self, count: int) -> None:
        """Until ``count`` polls wait, and have looked."""
        while len(self.hub._subscribers) < count:
            await asyncio.sleep(0)
        await self.hub.finish(lambda: None)  # what was asked of the worker before is done

    async def poll(
        self, token: str, seconds: float = LIMIT_SECONDS, count: int = 20, is_gone: Callable[[], bool] = lambda: False
    ) -> list[str]:
        """What a poll is answered."""

        async def progress(done: float, total: float, message: str) -> None:
            if is_gone():
                raise asyncio.CancelledError

        call = Call(tools.Caller("bench"), None, progress, 1.0, self._ground, is_gone)
        return [one.record.body for one in await taking.received(call, self.topics, token, seconds, count)]


def run(environment: Environment, test: Callable[[Desk], Awaitable[None]]) -> None:
    """``test`` with members of a hub that has begun, and ends afterwards."""

    async def main() -> None:
        hub = Hub(replace(environment))  # what is open in it is for the worker's thread alone
        await hub.start()
        desk = Desk(hub)
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await test(desk)
            await hub.finish(desk.topics.close)
        finally:
            await hub.close()

    asyncio.run(main())


def test_who_polls_again_and_again_reads_once(environment: Environment) -> None:
    """What is handed over is not looked up; what came between two polls is."""

    async def test(desk: Desk) -> None:
        token = await desk.join("pat")
        looks = []
        for number in range(5):
            poll = asyncio.create_task(desk.poll(token))
            await desk.waiting(1)
            looks.append(desk.looks)
            await desk.send(f"message {number}")
            assert await poll == [f"message {number}"]
        assert looks == [looks[0]] * 5
        assert desk.looks == looks[0]
        await desk.send("between")
        assert await desk.poll(token) == ["between"]

    run(environment, test)


def test_what_nobody_is_there_to_get_is_left_for_the_next_poll(environment: Environment) -> None:
    """A poll whose client went takes nothing of what it is handed, and one whose token was replaced ends at once."""

    async def test(desk: Desk) -> None:
        token, gone = await desk.join("pat"), asyncio.Event()
        for body, end in (("one", "goes"), ("two", "is cancelled")):
            gone.clear()
            poll = asyncio.create_task(desk.poll(token, is_gone=gone.is_set))
            await desk.waiting(1)
            if end == "goes":
                gone.set()
            else:
                poll.cancel()
            await desk.send(body)
            await asyncio.wait([poll])
            assert poll.cancelled() or poll.result() == []
            assert await desk.poll(token) == [body]
        poll = asyncio.create_task(desk.poll(token))
        await desk.waiting(1)
        membership = desk.topics.of(token)
        await desk.hub.call(lambda here: desk.topics.end(membership), LOCAL)
        with pytest.raises(UserError) as refused:
            await poll
        assert refused.value.code == "unknown-token"

    run(environment, test)


def test_who_is_handed_too_much_looks_it_up(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a queue holds, while its poll has no turn: all of it comes, in order."""

    queued = 5
    monkeypatch.setattr(handing, "QUEUED", queued)

    async def test(desk: Desk) -> None:
        token = await desk.join("pat")
        poll = asyncio.create_task(desk.poll(token, count=100))
        await desk.waiting(1)
        sent = [f"message {number}" for number in range(queued + 5)]

        def send(here: Environment) -> None:
            for body in sent:
                Room(here, TOPIC, "ana").send(body)

        await desk.hub.call(send, LOCAL)
        got: list[str] = await poll
        while len(got) < len(sent):
            got += await desk.poll(token)
        assert got == sent

    run(environment, test)


@pytest.mark.parametrize("seed", range(2))
def test_each_member_has_each_message_once_and_in_order(environment: Environment, seed: int) -> None:
    """Whatever polls are cut off, in whatever moment, and however few messages each takes at most."""
    chance = random.Random(seed)

    async def member(desk: Desk, token: str, wanted: list[str], is_all: asyncio.Event) -> list[str]:
        got: list[str] = []
        while not (is_all.is_set() and len(got) >= len(wanted)):
            poll = asyncio.create_task(desk.poll(token, chance.choice([0, 0.2, 5]), chance.choice([1, 3, 20])))
            await asyncio.wait([poll], timeout=chance.choice([0, 0.01, 0.05, 1]))
            if not poll.done():
                poll.cancel()
                await asyncio.wait([poll])
            if not poll.cancelled():
                got += poll.result()
        return got

    async def test(desk: Desk) -> None:
        names, is_all = [f"m{number}" for number in range(6)], asyncio.Event()
        tokens = [await desk.join(name) for name in names]
        wanted: dict[str, list[str]] = {name: [] for name in names}
        members = [
            asyncio.create_task(member(desk, token, wanted[name], is_all))
            for name, token in zip(names, tokens, strict=True)
        ]
        for number in range(25):
            to = chance.choice(["all", *names])
            for name in names:
                if to in ("all", name):
                    wanted[name].append(f"message {number}")
            await desk.send(f"message {number}", to)
            await asyncio.sleep(chance.choice([0, 0, 0.02]))
        is_all.set()
        assert dict(zip(names, await asyncio.gather(*members), strict=True)) == wanted

    run(environment, test)


def test_a_wait_of_our_own_tools_is_ended_by_what_is_handed_over(environment: Environment) -> None:
    """It looks as it begins and to answer; what it marks in memory no other call gives again, and is written."""

    async def test(desk: Desk) -> None:
        ground = desk.counted(Memory(with_own=False))
        here = await desk.hub.call(lambda here: here.holding(Holding(), client="x", session="uma"), LOCAL)
        service = Service(environment=here, ground=ground)

        async def call(tool: str, **arguments: Any) -> str:
            async def progress(done: float, total: float, message: str) -> None:
                pass

            arguments = {"name": "uma", "room": TOPIC, **arguments}
            return (await service.call(tool, arguments, progress, tools.Caller("x", is_model=True))).text

        await call("join")
        for number in range(3):
            wait = asyncio.create_task(call("read_unread", wait_seconds=LIMIT_SECONDS))
            await desk.waiting(1)
            await call("send_message", content="my own")  # ends no wait
            await desk.send(f"message {number}")
            told = await wait
            assert f"message {number}" in told
            assert "my own" not in told
            assert desk.looks == 2 * (number + 1)
        wait = asyncio.create_task(call("read_unread", wait_seconds=LIMIT_SECONDS, sender="ben"))
        await desk.waiting(1)
        await desk.send("not this")
        await desk.hub.call(lambda here: Room(here, TOPIC, "ben").send("but this"), LOCAL)
        told = await wait
        assert "but this" in told
        assert "not this" not in told
        told = await call("read_unread")
        assert "not this" in told
        assert "message 2" not in told

    run(environment, test)
