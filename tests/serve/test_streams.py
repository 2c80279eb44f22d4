"""Streams of a real server: server-sent events, readers that are too slow, a kill, and the server's own end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gitchat.model.names import Name, RoomName
from gitchat.presence.holding import Holding
from gitchat.serve.handing import QUEUED
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.serve.serving import SECONDS, Serving, serving
from tests.world import World

LONG_BYTES = 60_000
"""So that some seconds of records are more than the buffers of two sockets, which grow to megabytes."""
WAITING = 20
"""How many of each kind wait when the server ends."""

Event = tuple[str, str, dict[str, Any]]
"""Kind, id and data; a kind that is blank is no event, and only tells the id."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A world with a repository that has a room."""
    world = World(tmp_path_factory.mktemp("streams"))
    repo = world.repository()
    world.git("config", "chat.fsync", "false", cwd=repo)
    Room(opened(world, repo), "lobby", "ana").send("first")
    return world, repo


@pytest.fixture(scope="module")
def running(place: tuple[World, Path]) -> Iterator[Serving]:
    """One server for all that does not end it."""
    world, repo = place
    with serving(world, cwd=repo) as running:
        yield running


@pytest.fixture
def ana(place: tuple[World, Path], running: Serving) -> Room:
    """The room of the server, as another program of the clone has it."""
    return Room(opened(*place), "lobby", "ana")


def opened(world: World, repo: Path) -> Environment:
    """What another program finds here."""
    return Environment(cwd=str(repo), variables=world.variables, is_terminal=False)


def run(test: Callable[[], Awaitable[None]]) -> None:
    """``test``, within the time that anything here may take."""

    async def main() -> None:
        async with asyncio.timeout(SECONDS):
            await test()

    asyncio.run(main())


@asynccontextmanager
async def events(url: str, last: str = "", query: str = "") -> AsyncIterator[AsyncIterator[Event]]:
    """An open stream of events, which goes on after ``last``."""
    headers = {"Last-Event-ID": last} if last else {}
    async with (
        httpx2.AsyncClient(timeout=None) as http,
        http.stream("GET", f"{url}/api/v1/events{query}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events_of(answer)


async def _events_of(answer: httpx2.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        key, _, value = line.partition(": ")
        if key:
            fields[key] = value
            continue
        if fields.keys() & {"event", "id"}:
            yield fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "{}"))
        fields = {}


def line(running: Serving, path: str, receive_buffer: int | None = None) -> connect:
    """A WebSocket; one whose system takes only ``receive_buffer`` bytes, where that is given."""
    url = urlsplit(running.url)
    wire = socket.socket()
    if receive_buffer is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    wire.connect((url.hostname, url.port))
    wire.setblocking(False)
    return connect(f"ws://{url.netloc}{path}", sock=wire, compression=None, ping_interval=None, max_queue=1, proxy=None)


async def of_kind(stream: AsyncIterator[Event], *kinds: str) -> Event:
    """The next event of one of these kinds."""
    async for event in stream:
        if event[0] in kinds:
            return event
    raise EOFError


def test_a_page_that_comes_back_goes_on_exactly_where_it_was(running: Serving, ana: Room) -> None:
    """Also one that had not been told anything; what it cannot be told any more, it reads anew."""

    async def test() -> None:
        async with events(running.url) as stream:
            kind, began, _ = await anext(stream)
            assert kind == ""
            ana.send("one")
            _, first, frame = await of_kind(stream, "message")
            assert (frame["message"], frame["room"], frame["to"]) == ("one", "lobby", "ALL")
        for text in ("two", "three"):
            ana.send(text)
        for last, texts in ((began, ["one", "two", "three"]), (first, ["two", "three"])):
            async with events(running.url, last) as stream:
                assert [(await of_kind(stream, "message", "reset"))[2]["message"] for _ in texts] == texts
                assert (await anext(stream))[0] == ""
        for wrong in ("e0-1", "x", first.rpartition("-")[0] + "-99999999999999999999", f"{first}0"):
            async with events(running.url, wrong) as stream:
                assert (await anext(stream))[0] == "reset", wrong

    run(test)


def test_a_page_hears_of_people_titles_and_of_what_its_name_reads_elsewhere(
    running: Serving, ana: Room, place: tuple[World, Path]
) -> None:
    """Through whatever program of the clone; of the rooms that it asked for."""

    async def test() -> None:
        here = opened(*place).holding(Holding())
        async with events(running.url, query="?as=cy&room=lobby") as stream:
            await anext(stream)
            Room(here, "other", "cy").send("elsewhere")
            with here.hold(Name("dan")) as held:
                held.join(RoomName("lobby"), role="review", now=here.now().seconds)
                assert await of_kind(stream, "presence") == ("presence", "", {"room": "lobby"})
            assert await of_kind(stream, "presence") == ("presence", "", {"room": "lobby"})
            ana.describe(title="A title")
            assert await of_kind(stream, "room", "message") == ("room", "", {"room": "lobby"})
            Room(opened(*place), "lobby", "cy").set_cursor(1)
            assert (await of_kind(stream, "cursor"))[2] == {"room": "lobby", "name": "cy"}

    run(test)


def test_a_page_that_is_open_does_not_hold_its_name(running: Serving, place: tuple[World, Path]) -> None:
    """So it is not shown as living, and a terminal of the same person can hold the name meanwhile."""

    async def test() -> None:
        async with events(running.url, query="?as=eva&room=lobby") as stream:
            await anext(stream)
            terminal = opened(*place).holding(Holding())
            assert "eva" not in [one.name for one in terminal.roll.participants(RoomName("lobby")) if one.is_living]
            with terminal.hold(Name("eva")) as held:
                held.join(RoomName("lobby"), role="", now=terminal.now().seconds)
                assert "eva" in [one.name for one in terminal.roll.participants(RoomName("lobby")) if one.is_living]

    run(test)


def test_who_is_too_slow_is_let_go_and_misses_nothing(running: Serving, ana: Room) -> None:
    """Closed with 1013; it goes on after the last number that it had."""

    async def read(socket: ClientConnection, got: list[int]) -> int | None:
        try:
            while True:
                got.append(json.loads(await socket.recv())["id"])
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else None

    async def test() -> None:
        begin = ana.overview().count
        count = QUEUED + 150
        async with line(running, f"/ws/slow?since_id={begin}", receive_buffer=4096) as socket:
            for number in range(count):
                ana.send(f"{number} " + "x" * LONG_BYTES)
            got: list[int] = []
            assert await read(socket, got) in (1013, None)
        assert len(got) < count
        async with line(running, f"/ws/slow?since_id={got[-1] if got else begin}") as socket:
            while len(got) < count:
                got.append(json.loads(await socket.recv())["id"])
        assert got == list(range(begin + 1, begin + count + 1))

    run(test)


def test_a_killed_server_frees_every_name_at_once(world: World) -> None:
    """Of those that registered and of those that only listen; what they had is told at most once more."""
    repo = world.repository()
    here = opened(world, repo)
    Room(here, "lobby", "ana").send("first")

    async def test() -> None:
        with serving(world, cwd=repo) as running:
            async with (
                httpx2.AsyncClient(base_url=running.url, timeout=SECONDS) as http,
                line(running, "/ws/b") as wire,
            ):
                for name in ("b", "c"):
                    given = {"agent_id": name, "session_id": "s"}
                    assert (await http.post("/api/v1/agents/register", json=given)).status_code == 200
                assert json.loads(await wire.recv())["message"] == "first"
                assert [one.name for one in Room(here, "lobby", "ana").participants()] == ["b", "c"]
                running.kill(signal.SIGKILL)
            assert Room(here, "lobby", "ana").participants() == []
            for name in ("b", "c"):
                Room(here, "lobby", name).join()

    run(test)


def test_it_ends_at_once_however_many_wait_and_tells_each(world: World) -> None:
    """A WebSocket is closed with 1001, a stream comes to its end, a waiting request is answered; no word on stderr."""
    repo = world.repository()
    Room(opened(world, repo), "lobby", "ana").send("first")

    async def closed(running: Serving, number: int, begun: asyncio.Semaphore) -> int | None:
        async with line(running, f"/ws/w{number}") as socket:
            await socket.recv()
            begun.release()
            with pytest.raises(ConnectionClosed) as end:
                await socket.recv()
        return end.value.rcvd.code if end.value.rcvd is not None else None

    async def ended(running: Serving, begun: asyncio.Semaphore) -> None:
        async with events(running.url) as stream:
            await anext(stream)
            begun.release()
            assert [event async for event in stream if event[0] == "message"] == []

    async def answered(http: httpx2.AsyncClient, number: int) -> Any:
        asked: dict[str, str | int] = {"agent_id": f"p{number}", "since_id": 1, "wait": 600}
        return (await http.get("/api/v1/messages", params=asked)).json()

    async def test() -> None:
        begun = asyncio.Semaphore(0)
        limits = httpx2.Limits(max_connections=None)
        with serving(world, cwd=repo) as running:
            async with (
                httpx2.AsyncClient(base_url=running.url, timeout=None, limits=limits) as http,
                asyncio.TaskGroup() as tasks,
            ):
                lines = [tasks.create_task(closed(running, number, begun)) for number in range(WAITING)]
                [tasks.create_task(ended(running, begun)) for _ in range(WAITING)]
                polls = [tasks.create_task(answered(http, number)) for number in range(WAITING)]
                for _ in range(2 * WAITING):
                    await begun.acquire()
                await http.get("/health")
                status = await asyncio.to_thread(running.kill)
            assert status == 0
            assert running.process.stderr.read() == ""
            assert {task.result() for task in lines} == {1001}
            assert all(task.result().get("timed_out") or task.result()["code"] == "ending" for task in polls)

    run(test)
