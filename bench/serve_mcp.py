"""What sessions of tools cost a server, and how soon those who wait hear: Markdown. Run by ``make bench``.

The client is by hand: the SDK's would measure itself. What a message takes is from the moment before the call that
sends it to the moment at which its answer is there.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aims
from figures import make_repository, sealed_variables, table

SESSIONS = 500
BROADCASTS = 3
WAKES = 11
POLL_MS = 600_000
SETTLE_SECONDS = 5.5
"""Longer than positions are kept before they are written."""
PATH = "/mcp/collaboration"

Json = dict[str, Any]


class Session:
    """One session over one connection at a time, as a client holds it."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._id = ""
        self._headers = ""
        self.token = ""

    async def begin(self) -> None:
        """Shake hands."""
        about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        await self.ask("initialize", about)
        await self.ask("notifications/initialized", {}, is_told=True)

    async def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool answers."""
        answer = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        return json.loads(answer["result"]["content"][0]["text"])

    async def ask(self, method: str, params: Json, *, is_told: bool = False) -> Json:
        """The answer to a request; nothing to a notification."""
        reader, writer = await asyncio.open_connection(*self._place)
        try:
            body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params} | ({} if is_told else {"id": 1}))
            writer.write(
                f"POST {PATH} HTTP/1.1\r\nHost: {self._place[0]}:{self._place[1]}\r\nContent-Type: application/json\r\n"
                f"Accept: application/json, text/event-stream\r\n{self._headers}Connection: close\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            async for line in reader:
                field, _, value = line.decode().strip().partition(":")
                if field.lower() == "mcp-session-id":
                    self._headers = f"Mcp-Session-Id: {value.strip()}\r\nMcp-Protocol-Version: 2025-11-25\r\n"
                if field == "data" and value.strip():
                    said: Json = json.loads(value)
                    if "id" in said:
                        return said
            return {}
        finally:
            writer.close()


@contextmanager
def server(repository: Path) -> Iterator[tuple[int, str, int]]:
    """A running one: its process, host and port."""
    # The process that is measured, and not git, which starts it.
    words = [str(Path(sys.executable).with_name("git-chat")), "serve", "--port", "0"]
    variables = sealed_variables(repository.parent)
    with subprocess.Popen(words, cwd=repository, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            place = urlsplit(process.stdout.readline().split()[-1])
            assert place.hostname is not None
            assert place.port is not None
            yield process.pid, place.hostname, place.port
        finally:
            process.terminate()


def resident(pid: int) -> float:
    """The memory of a process, in kB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return float(status.partition("VmRSS:")[2].split()[0])


def processor(pid: int) -> float:
    """Seconds of processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(pid: int, host: str, port: int) -> tuple[list[tuple[str, str]], list[str]]:
    """The rows of the table, and what they say of aims."""
    sender, first = Session(host, port), Session(host, port)
    for one, name in ((sender, "sender"), (first, "first")):
        await one.begin()
        one.token = (await one.call("join_topic", topic="bench", agent_name=name, create_if_missing=True))["join_token"]
    before = resident(pid)
    sessions = [Session(host, port) for _ in range(SESSIONS)]
    for session in sessions:
        await session.begin()
        await session.ask("tools/list", {})  # a session is there for the server with its first request
        await session.ask("ping", {})  # of each the SDK keeps the last answer until the next: here not the long list
    with_sessions = resident(pid)
    for number, session in enumerate(sessions):
        session.token = (await session.call("join_topic", topic="bench", agent_name=f"n{number}"))["join_token"]
        await session.ask("ping", {})  # nor the list of all members
    joined = resident(pid)
    polls = [asyncio.create_task(_poll(session)) for session in sessions]
    await asyncio.sleep(SETTLE_SECONDS)
    waiting, began, idle = resident(pid), time.monotonic(), processor(pid)
    await asyncio.sleep(SETTLE_SECONDS)
    idle = (processor(pid) - idle) / (time.monotonic() - began)
    times, spent = [], []
    for _ in range(BROADCASTS):
        taken, start = processor(pid), time.monotonic()
        await sender.call("send_message", join_token=sender.token, body="to all", include_self=False)
        times += [at - start for at in await asyncio.gather(*polls)]
        spent.append(processor(pid) - taken)
        polls = [asyncio.create_task(_poll(session)) for session in sessions]
        await asyncio.sleep(SETTLE_SECONDS)  # their first looks, and what they have had is written
    wakes = []
    while (await first.call("read_messages", join_token=first.token, max_messages=100))["messages"]:
        pass
    behind: list[float] = []
    for _ in range(WAKES):
        poll = asyncio.create_task(_poll(first))
        await asyncio.sleep(0.3)
        start = time.monotonic()
        await sender.call("send_message", join_token=sender.token, body="to one", recipient="first")
        acknowledged, woken = time.monotonic(), await poll
        wakes.append(woken - start)
        behind.append(woken - acknowledged)
    for poll in polls:
        poll.cancel()
    said = [
        aims.measured("sessions-memory", (with_sessions - before) / SESSIONS),
        aims.measured("sessions-waiting", (waiting - joined) / SESSIONS),
        aims.measured("sessions-one", [1000 * taken for taken in wakes]),
        aims.measured("sessions-all", _percentile(times, 99)),
    ]
    rows = [
        ("a session, kB", f"{(with_sessions - before) / SESSIONS:.0f}"),
        ("a name in a topic, kB", f"{(joined - with_sessions) / SESSIONS:.0f}"),
        ("a call that waits, kB", f"{(waiting - joined) / SESSIONS:.0f}"),
        (f"idle with {SESSIONS} that wait, CPU", f"{idle:.1%}"),
        ("to one that waits, p50 / max ms", f"{statistics.median(wakes) * 1000:.0f} / {max(wakes) * 1000:.0f}"),
        (
            "the same from the moment the sender is told, p50 / max ms",
            f"{statistics.median(behind) * 1000:.0f} / {max(behind) * 1000:.0f}",
        ),
        (f"to {SESSIONS} that wait, p50 / p99 ms", f"{_percentile(times, 50):.0f} / {_percentile(times, 99):.0f}"),
        ("CPU of the server for that, ms", f"{statistics.median(spent) * 1000:.0f}"),
    ]
    return rows, said


async def _poll(session: Session) -> float:
    """When a poll of 600 s was answered with a message."""
    answer = await session.call("read_messages", join_token=session.token, timeout_ms=POLL_MS)
    assert answer["messages"]
    return time.monotonic()


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] * 1000


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repository = make_repository(Path(scratch) / "repository", 1)
        with server(repository) as (pid, host, port):
            rows, said = asyncio.run(measured(pid, host, port))
    print(
        f"{SESSIONS} sessions of MCP over HTTP, each joined a topic and waits in a call of 600 s; {BROADCASTS} "
        f"broadcasts to all, {WAKES} messages to one of them, from the sender's call to the answer.\n\n"
        + table(["what", "figure"], rows)
        + "\n\n"
        + "\n".join(said)
    )


if __name__ == "__main__":
    main()
