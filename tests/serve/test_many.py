"""Many who listen in all three ways, who come and go, to a server that is killed and comes back."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.serve.serving import Serving, serving
from tests.world import World

pytestmark = pytest.mark.web

CLIENTS = 200
RECORDS = 60
LAST = "that was all"
SEED = 20261128
LIMIT_SECONDS = 240
"""How long it may take on a machine under load; on a quiet one it takes some seconds."""

LEAVES = 0.05
"""How likely it is that a client goes away after a record."""


class Server:
    """A server that may be killed, and is then started again on the same port."""

    def __init__(self, world: World, project: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._world, self._project = world, project
        self._again = threading.Event()
        self._is_over = threading.Event()
        self.is_up = threading.Event()
        self._now: Serving | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._is_over.is_set():
            with serving(self._world, "--port", str(self.port), cwd=self._project) as self._now:
                self.is_up.set()
                self._again.wait()
                self._again.clear()
                if not self._is_over.is_set():
                    self.is_up.clear()
                    self._now.kill(signal.SIGKILL)

    def __enter__(self) -> Server:
        self._thread.start()
        assert self.is_up.wait(LIMIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._again.set()
        self._thread.join(LIMIT_SECONDS)

    def kill(self) -> None:
        """Kill it; it comes back."""
        self.is_up.clear()
        self._again.set()


class Client:
    """Somebody who listens until the last record, and comes back whenever it was cut off."""

    def __init__(self, http: httpx2.AsyncClient, name: str, chance: random.Random) -> None:
        self.name = name
        self.got: list[int] = []
        self.is_done = False
        self.comings = 0
        self._http = http
        self._line = str(http.base_url).replace("http://", "ws://").rstrip("/")
        self._chance = chance

    def __str__(self) -> str:
        return f"{self.name}, {type(self).__name__}, came {self.comings} times, and then had {self.got[-3:]}"

    async def run(self) -> None:
        """Listen to the end."""
        while not self.is_done:
            self.comings += 1
            try:
                await self._listen()
            except (OSError, WebSocketException, httpx2.HTTPError, EOFError):
                await asyncio.sleep(0.05)  # the server is not there: who retries at once only loads the machine

    async def _listen(self) -> None:
        raise NotImplementedError

    def _take(self, frame: Any) -> bool:
        """Take a record; whether to go on listening here."""
        self.got.append(frame["id"])
        self.is_done = frame["message"] == LAST
        return not self.is_done and self._chance.random() >= LEAVES

    @property
    def _last(self) -> int:
        return self.got[-1] if self.got else 0


class OverWebSocket(Client):
    """Goes on after the last id that it had."""

    async def _listen(self) -> None:
        address = f"{self._line}/ws/{self.name}?since_id={self._last}"
        async with connect(address, compression=None, ping_interval=None, proxy=None) as line:
            while self._take(json.loads(await line.recv())):
                pass
            line.transport.abort()


class WithAcks(Client):
    """Is given what it did not acknowledge, and takes nothing twice."""

    async def _listen(self) -> None:
        address = f"{self._line}/ws/{self.name}?ack=1"
        async with connect(address, compression=None, ping_interval=None, proxy=None) as line:
            goes_on = True
            while goes_on:
                frame = json.loads(await line.recv())
                if frame["id"] > self._last:
                    goes_on = self._take(frame)
                await line.send(json.dumps({"type": "ack", "id": frame["id"]}))
            line.transport.abort()


class OverEvents(Client):
    """Reads the whole room, and goes on after the last event that it had."""

    _id = ""

    async def _listen(self) -> None:
        headers = {"Last-Event-ID": self._id} if self._id else {}
        async with self._http.stream("GET", "/api/v1/events", headers=headers) as answer:
            kind = told = ""
            async for text in answer.aiter_lines():
                key, _, value = text.partition(": ")
                if key == "event":
                    kind = value
                elif key == "id":
                    told = value
                elif key == "data" and kind == "message":
                    goes_on = self._take(json.loads(value))
                    self._id = told
                    if not goes_on:
                        return
                elif key == "" and told:
                    self._id = told  # where a stream without a record begins
                assert kind != "reset"


class Polling(Client):
    """Asks again and again, and waits each time."""

    async def _listen(self) -> None:
        asked: dict[str, str | int] = {"agent_id": self.name, "since_id": self._last, "wait": 30}
        answer = await self._http.get("/api/v1/messages", params=asked)
        if answer.status_code == 503:  # it ends
            raise EOFError
        assert answer.status_code == 200, answer.text
        for frame in answer.json()["messages"]:
            self._take(frame)


WAYS: list[Callable[[httpx2.AsyncClient, str, random.Random], Client]] = [OverWebSocket, WithAcks, OverEvents, Polling]


def test_each_of_many_gets_every_record_once_and_in_order(world: World) -> None:
    """Over reconnects at random places, through a server that is killed in the middle; nothing acknowledged is lost."""
    chance = random.Random(SEED)
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    environment = Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)
    Room(environment, "lobby", "ana").send("first")
    here = Environment(cwd=environment.cwd, variables=world.variables, is_terminal=False)
    beside = ThreadPoolExecutor(1)  # as another program of the clone speaks

    async def say(text: str, to: str) -> None:
        def act() -> None:
            Room(here, "lobby", "ana").send(text, to=to)

        await asyncio.get_running_loop().run_in_executor(beside, act)

    async def talk(server: Server, http: httpx2.AsyncClient, clients: list[Client]) -> list[int]:
        while not all(client.comings for client in clients):
            await asyncio.sleep(0.01)
        posted: list[int] = []
        for count in range(RECORDS):
            if count == RECORDS // 2:
                server.kill()
            to = chance.choice(clients).name if count % 4 == 3 else "all"
            if count % 3:
                await say(f"{count}", to)
            else:
                posted.append(await post(http, {"from": "ana", "to": to, "message": f"{count}", "key": f"{count}"}))
        await say(LAST, "all")
        return posted

    async def main(server: Server) -> tuple[list[Client], list[int]]:
        address, limits = f"http://127.0.0.1:{server.port}", httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=address, timeout=None, limits=limits) as http:
            clients = [WAYS[i % len(WAYS)](http, f"agent-{i}", random.Random(SEED + i)) for i in range(CLIENTS)]
            try:
                async with asyncio.timeout(LIMIT_SECONDS), asyncio.TaskGroup() as tasks:
                    for client in clients:
                        tasks.create_task(client.run())
                    talking = tasks.create_task(talk(server, http, clients))
            except TimeoutError:
                pytest.fail(f"these did not hear the last record: {[str(one) for one in clients if not one.is_done]}")
        return clients, talking.result()

    with Server(world, world.root / "project") as server:
        clients, posted = asyncio.run(main(server))
    entries = Room(environment, "lobby", "ana").log(limit=None).entries
    said = [entry.record.body for entry in entries if entry.record.kind == "message"]
    assert said == ["first", *map(str, range(RECORDS)), LAST]
    assert set(posted) <= {entry.number for entry in entries}
    for client in clients:
        begins = client.got[0] if isinstance(client, OverEvents) else 0
        wanted = [
            entry.number
            for entry in entries
            if entry.number is not None
            and entry.number >= begins
            and (isinstance(client, OverEvents) or not entry.record.to or client.name in entry.record.to)
        ]
        assert client.got == wanted, str(client)
        assert begins <= 2
    assert sum(client.comings for client in clients) > 2 * CLIENTS


async def post(http: httpx2.AsyncClient, given: dict[str, str]) -> int:
    """Say it through the server, as often as it takes; its number."""
    while True:
        try:
            answer = await http.post("/api/v1/messages", json=given)
        except httpx2.HTTPError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == 200:
            return int(answer.json()["message_id"])
        assert answer.status_code in (429, 503), answer.text
        await asyncio.sleep(0.1)
