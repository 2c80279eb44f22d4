"""`git chat serve` with a thousand clients: memory, idle CPU, delivery; a sending, and what a page loads. Run by
``make bench``.

The clients are one process of bare sockets, so that their own work is little; who sends is another. Takes a directory
for repositories that other benchmarks may have made already. Prints Markdown; needs Linux. In a source tree:
``.venv/bin/python bench/serve.py DIRECTORY``.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import aims
from figures import (
    BODY,
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_environment,
    ratios,
    sealed_variables,
    seconds,
    spread,
    table,
)
from history import SIZES, histories
from opening import opened

from gitchat.model.names import DEFAULT_ROOM
from gitchat.verbs.room import Room

CLIENTS = 1_000
RECORDS = 100
BROADCASTS = 3
DIRECT = 8
ACTS = 30
LOADS = 20
WARM_UPS = 1
IDLE_SECONDS = 5.0
CALM = 0.05
"""So much of a core the server uses at most when it has nothing left to do."""

CALM_SECONDS = 1.0
"""For so long it is looked at."""

REST_SECONDS = 0.1
"""Before each sending: the server has then looked at what the one before wrote, and told everybody of it."""

PAUSE_SECONDS = 0.3
"""Between two records, and longer where all were told: who waits for one has to ask for the next, and that is not part
of what is measured."""

SETTLE_SECONDS = 5.5
"""Longer than positions are kept before they are written, which a message costs, too."""

BEAT_SECONDS = 30.0
"""A WebSocket that is silent for three times that is closed."""

HANG_SECONDS = 120.0
"""Who was not told by then ends the benchmark and does not make it wait."""

_BEAT = b'{"type": "heartbeat"}'
HEARTBEAT = bytes([0x81, 0x80 | len(_BEAT), 0, 0, 0, 0]) + _BEAT
"""As a frame of a client, with a mask that changes nothing."""

GIT_CHAT = str(Path(sys.executable).with_name("git-chat"))
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the three tables, and how busy the machine was."""
    if sys.argv[1] == "sender":
        return send_when_told(Path(sys.argv[2]))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    long = histories(Path(sys.argv[1]))[SIZES[-1]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repository = make_repository(Path(scratch) / "repository", RECORDS)
        subprocess.run(["git", "config", "chat.serveRate", "100000"], cwd=repository, check=True)
        os.sync()  # what was just written must not be flushed while something is measured
        found = {name: measured(repository, request_of) for name, request_of in WAYS.items()}
        rows = [[name, *map(number, row)] for name, row in found.items()]
        said = [aims.measured(aim, found["WebSocket"][place]) for aim, place in AIMS.items()]
        parts = [table(HEADER, rows), "\n".join(said), acts(repository), loads(long)]
    load = f"While this was measured, {os.getloadavg()[2]:.1f} processes wanted a core, on average of 15 minutes."
    print("\n\n".join([*parts, load]))
    return None


# --- the server ------------------------------------------------------------------


class Server:
    """`git chat serve`, as a user starts it."""

    def __init__(self, repository: Path) -> None:
        self.process = subprocess.Popen(
            [GIT_CHAT, "serve", "--port", "0"],
            cwd=repository,
            env=sealed_variables(repository.parent),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.door = self.process.stdout.readline().split()[-1]
        url = urlsplit(self.door)
        assert url.hostname is not None
        assert url.port is not None
        self.host, self.port = url.hostname, url.port
        self._http = http.client.HTTPConnection(self.host, self.port, timeout=HANG_SECONDS)

    def get(self, path: str) -> bytes:
        """What it answers."""
        self._http.request("GET", path)
        answer = self._http.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"error: {path} was answered with {answer.status}: {body.decode()}")
        return body

    def post(self, path: str, value: object, method: str = "POST") -> bytes:
        """What it answers to JSON."""
        self._http.request(method, path, json.dumps(value), {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        body = answer.read()
        if answer.status != 200:
            sys.exit(f"error: {path} was answered with {answer.status}: {body.decode()}")
        return body

    def resident_kb(self) -> int:
        """The memory that it has now."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def cpu_seconds(self) -> float:
        """The time of a core that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def serving(repository: Path) -> Iterator[Server]:
    """A server of ``repository``, that has answered once."""
    server = Server(repository)
    try:
        server.get("/health")
        server.get("/api/v1/rooms")
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


# --- the clients -----------------------------------------------------------------


def web_socket(name: str, latest: int) -> str:
    """What opens a WebSocket."""
    return (
        f"GET /ws/{name}?since_id={latest} HTTP/1.1\r\nHost: {{host}}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


def events(name: str, latest: int) -> str:
    """What opens a stream of events."""
    return f"GET /api/v1/events?as={name} HTTP/1.1\r\nHost: {{host}}\r\n\r\n"


def waiting(name: str, latest: int) -> str:
    """What waits for what comes next."""
    return f"GET /api/v1/messages?agent_id={name}&since_id={latest}&wait=600 HTTP/1.1\r\nHost: {{host}}\r\n\r\n"


WAYS: dict[str, Callable[[str, int], str]] = {"WebSocket": web_socket, "events": events, "waiting requests": waiting}
HEADER = (
    f"{CLIENTS:,} clients", "each kB", "idle CPU %", "to all: p50 ms", "p99 ms", "CPU a message ms", "to one: p50 ms",
    "p99 ms", "SIGTERM to the end ms",
)  # fmt: skip


AIMS = {"served-memory": 0, "served-idle": 1, "served-all": 2, "served-all-late": 3, "served-one": 5}
"""Which figure of a row tells how it stands with them."""


class Client(asyncio.Protocol):
    """A socket that asks, and notes when it was told of a record."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        self.name = name
        self.latest = fleet.latest
        self._fleet = fleet
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.ask()

    def ask(self) -> None:
        """Ask for what comes after what is there."""
        self._transport.write(self._fleet.request(self))

    def say(self, frame: bytes) -> None:
        """Send a frame."""
        self._transport.write(frame)

    def data_received(self, data: bytes) -> None:
        text = self._tail + data
        mark = self._fleet.mark
        if mark in text:
            self._fleet.told(self)
            text = text[text.rindex(mark) + len(mark) :]
        self._tail = text[-len(mark) :]


class Fleet:
    """All clients of one way."""

    def __init__(self, server: Server, request_of: Callable[[str, int], str], latest: int) -> None:
        self.mark = b"mark-0"
        self._only: str | None = None
        self.latest = latest
        self.server = server
        self._request_of = request_of
        self._clients: list[Client] = []
        self._times: list[float] = []
        self._done = asyncio.Event()
        self._left = 0

    def request(self, client: Client) -> bytes:
        """What a client asks now."""
        text = self._request_of(client.name, client.latest)
        return text.format(host=f"{self.server.host}:{self.server.port}").encode()

    async def come(self, count: int) -> None:
        """Connect ``count`` clients more, a few at a time."""
        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(50)

        async def one(name: str) -> None:
            async with room:
                made = partial(Client, self, name)
                _, client = await loop.create_connection(made, self.server.host, self.server.port)
                self._clients.append(client)

        first = len(self._clients)
        await asyncio.gather(*(one(f"agent-{number}") for number in range(first, first + count)))

    def expect(self, mark: bytes, count: int, only: str | None) -> None:
        """From now on ``count`` clients are told of a record with ``mark``; of ``only``, if given, it is noted when."""
        self.mark, self._left, self._only, self._times, self._done = mark, count, only, [], asyncio.Event()

    def told(self, client: Client) -> None:
        """A client was; one that waited for it waits for the next one."""
        if self._only in (None, client.name):
            self._times.append(time.monotonic())
        client.latest = self.latest + 1
        if self._request_of is waiting:
            client.ask()
        self._left -= 1
        if not self._left:
            self._done.set()

    async def beat(self) -> None:
        """Let the clients of WebSockets say that they are here, as they have to; until it is cancelled."""
        while self._request_of is web_socket:
            await asyncio.sleep(BEAT_SECONDS)
            for client in self._clients:
                client.say(HEARTBEAT)

    async def times(self) -> list[float]:
        """When each was told."""
        async with asyncio.timeout(HANG_SECONDS):
            await self._done.wait()
        return self._times


# --- who sends -------------------------------------------------------------------


def send_when_told(repository: Path) -> None:
    """Send a record for each line of standard input, ``NAME TEXT``, and print when that began."""
    room = Room(open_environment(repository, fsync=True), DEFAULT_ROOM, "sender")
    for line in sys.stdin:
        to, _, text = line.rstrip("\n").partition(" ")
        began = time.monotonic()
        room.send(text, to=to)
        print(began, flush=True)


class Sender:
    """A process that sends when it is told to."""

    def __init__(self, repository: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "sender", str(repository)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    async def send(self, to: str, text: str) -> float:
        """Send, and return when that began."""

        def ask() -> float:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(f"{to} {text}\n")
            self.process.stdin.flush()
            return float(self.process.stdout.readline())

        return await asyncio.to_thread(ask)


# --- the tables ------------------------------------------------------------------


def measured(repository: Path, request_of: Callable[[str, int], str]) -> list[float]:
    """The figures of HEADER: one way with all its clients."""
    with serving(repository) as server:
        sender = Sender(repository)
        try:
            return list(asyncio.run(_measured(server, sender, request_of, repository)))
        finally:
            sender.process.kill()
            sender.process.wait()


async def _measured(
    server: Server, sender: Sender, request_of: Callable[[str, int], str], repository: Path
) -> Iterable[float]:
    room = Room(open_environment(repository, fsync=False), DEFAULT_ROOM, "bench")
    fleet = Fleet(server, request_of, room.overview().count)
    beating = asyncio.create_task(fleet.beat())
    await fleet.come(10)
    await calm(server)
    before_kb = server.resident_kb()
    await fleet.come(CLIENTS)
    await calm(server)
    each_kb = (server.resident_kb() - before_kb) / CLIENTS
    used = server.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (server.cpu_seconds() - used) / IDLE_SECONDS * 100
    everybody = CLIENTS + 10
    used = server.cpu_seconds()
    to_all = await _told(fleet, sender, BROADCASTS, everybody, lambda number: "all")
    await asyncio.sleep(SETTLE_SECONDS)
    await calm(server)
    cpu = (server.cpu_seconds() - used) / (WARM_UPS + BROADCASTS) * 1000
    reached = everybody if request_of is events else 1  # a page is told all that is said in its rooms
    to_one = await _told(fleet, sender, DIRECT, reached, lambda number: f"agent-{number}")
    beating.cancel()
    began = time.monotonic()
    server.process.terminate()
    await asyncio.to_thread(server.process.wait)
    ended = time.monotonic() - began
    return each_kb, idle, *_spread(to_all), cpu, *_spread(to_one), ended * 1000


async def _told(fleet: Fleet, sender: Sender, rounds: int, reached: int, to: Callable[[int], str]) -> list[float]:
    """Seconds from the sender's call to each client that a record reaches, in all rounds but the first ones."""
    found: list[float] = []
    for round_ in range(WARM_UPS + rounds):
        mark = f"mark-{to(round_)}-{round_}."
        fleet.expect(mark.encode(), reached, only=None if to(round_) == "all" else to(round_))
        sent = asyncio.create_task(sender.send(to(round_), f"{mark} {BODY}"))
        times = await fleet.times()
        began = await sent
        fleet.latest += 1
        await asyncio.sleep(PAUSE_SECONDS)
        if len(times) > 1:
            await calm(fleet.server)
        if round_ >= WARM_UPS:
            found += [told - began for told in times]
    return found


async def calm(server: Server) -> None:
    """Wait until the server has answered all who came, and written what they read."""
    async with asyncio.timeout(HANG_SECONDS):
        used = -1.0
        while server.cpu_seconds() - used > CALM * CALM_SECONDS:
            used = server.cpu_seconds()
            await asyncio.sleep(CALM_SECONDS)


def _spread(times: list[float]) -> tuple[float, float]:
    """p50 and p99, in milliseconds."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def acts(repository: Path) -> str:
    """The table of a sending and a marking over REST, each beside the same inside a process."""
    environment = open_environment(repository, fsync=True)
    room, reader = (Room(environment, DEFAULT_ROOM, name) for name in ("sender", "reader"))
    inside, over = "`Room.send` inside a process", "`POST /api/v1/messages`"
    marked, told = "`Room.set_cursor` inside a process", f"`PUT /api/v1/rooms/{DEFAULT_ROOM}/cursor`"
    here, there = count(1), count(1)
    with serving(repository) as server:
        message = {"from": "poster", "to": "ALL", "message": BODY}
        path = f"/api/v1/rooms/{DEFAULT_ROOM}/cursor"
        actions: dict[str, Callable[[], object]] = {
            inside: lambda: room.send(BODY),
            over: lambda: server.post("/api/v1/messages", message),
            marked: lambda: reader.set_cursor(next(here)),
            told: lambda: server.post(path, {"as": "marker", "upto": next(there)}, method="PUT"),
        }
        interleaved(actions, WARM_UPS)
        times = interleaved(actions, ACTS, _seconds_at_rest)
    beside = {over: inside, told: marked}
    rows = [[one, milliseconds(times[one]), spread(ratios(times[one], times[beside.get(one, one)]))] for one in actions]
    return table(["what is done", "ms", "÷ inside a process: median (quartiles)"], rows)


def _seconds_at_rest(action: Callable[[], object]) -> float:
    """How long it takes when the server has looked at what the one before wrote, and told everybody of it."""
    time.sleep(REST_SECONDS)
    return seconds(action)


def loads(repository: Path) -> str:
    """The table of what a page loads of a long room."""
    room = f"/api/v1/rooms/{DEFAULT_ROOM}"
    paths = {
        "the rooms": "/api/v1/rooms",
        "the room": room,
        "its newest messages": f"{room}/messages?limit=60",
        "messages in its middle": f"{room}/messages?at={SIZES[-1] // 2}&limit=60",
        "a search": "/api/v1/search?q=parser&limit=20",
    }
    with serving(repository) as server:
        actions = {name: partial(server.get, path) for name, path in paths.items()}
        interleaved(actions, WARM_UPS)
        times = interleaved(actions, LOADS)
        rows = [[name, milliseconds(times[name]), number(len(server.get(paths[name])) / 1000)] for name in paths]
        page = opened(server.door, SIZES[-1])
    return table([f"a page of a room of {SIZES[-1]:,}", "ms", "kB"], rows) + "\n\n" + page


if __name__ == "__main__":
    main()
