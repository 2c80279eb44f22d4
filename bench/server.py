"""The MCP server as a client meets it: its start, a call, the size of its answers, its memory. Run by ``make bench``.

Starts are compared with ``python -c pass``, a call with the same append made inside a process.
Takes a directory for repositories that other benchmarks may have made already. Prints Markdown. In a source tree:
``.venv/bin/python bench/server.py DIRECTORY``.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from figures import (
    BODY,
    as_in_use,
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_writer,
    ratios,
    sealed_variables,
    spread,
    table,
)
from history import histories

from gitchat.model.record import Draft

STARTS = 15
WARM_UPS = 3
SIZES = (100, 100_000)
ROUNDS = 50
MESSAGES = 20
"""In the answer that is counted."""

NOTHING = "`python -c pass`"
INSIDE = "inside a process"
LINE_MB = (5, 30, 50)
"""Lengths of a line; the last is refused."""

GIT_CHAT = str(Path(sys.executable).with_name("git-chat"))
SERVERS = {"`git-chat mcp`": ("mcp",), "`git-chat mcp --sdk`": ("mcp", "--sdk")}
"""The server as it comes, and on the MCP SDK."""

HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def main() -> None:
    """Print the five tables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        short, long = (Path(scratch) / f"with-{size}" for size in SIZES)
        shutil.copytree(histories(Path(sys.argv[1]))[SIZES[1]], long)
        repositories = {SIZES[0]: as_in_use(make_repository(short, SIZES[0])), SIZES[1]: as_in_use(long)}
        os.sync()  # what was just written must not be flushed while something is measured
        small = repositories[SIZES[0]]
        parts = [starts(small), memory(small), answers(small), sends(repositories), long_lines(small)]
    print("\n\n".join(parts))


class Server:
    """A server's process, and a client that waits for each answer."""

    def __init__(self, repository: Path, *arguments: str, fsync: bool = True) -> None:
        self.process = subprocess.Popen(
            [GIT_CHAT, *arguments],
            cwd=repository,
            env=sealed_variables(repository.parent, fsync=fsync),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ids = itertools.count()
        self.request("initialize", HANDSHAKE)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The result of a request; the benchmark ends when there is none."""
        return self.answer(self.ask(method, params))

    def ask(self, method: str, params: dict[str, Any]) -> int:
        """Send a request, and return its number."""
        asked = next(self._ids)
        self._write({"jsonrpc": "2.0", "id": asked, "method": method, "params": params})
        return asked

    def answer(self, wanted: int) -> dict[str, Any]:
        """The result of the request of that number; the benchmark ends when there is none."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == wanted:
                result: dict[str, Any] = message.get("result", {})  # none where it is refused
                return result
        sys.exit("error: the server has ended")

    def call(self, tool: str, **arguments: Any) -> str:
        """The text of a tool's answer."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        text: str = result["content"][0]["text"]
        if result.get("isError"):
            sys.exit(text)
        return text

    def resident_mib(self) -> float:
        """Memory of the process that is in use."""
        done = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, check=True, text=True
        )
        return int(done.stdout) / 1024

    def end(self) -> None:
        """Hang up, and wait."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def served(repository: Path, *arguments: str, fsync: bool = True) -> Iterator[Server]:
    """A server that ends with the block."""
    server = Server(repository, *arguments, fsync=fsync)
    try:
        yield server
    finally:
        server.end()


def starts(repository: Path) -> str:
    """The table of starts, until the tools are listed."""

    def nothing() -> None:
        subprocess.run([sys.executable, "-c", "pass"], cwd=repository, check=True)

    def start(arguments: tuple[str, ...]) -> None:
        with served(repository, *arguments) as server:
            server.request("tools/list", {})

    actions: dict[str, Callable[[], object]] = {NOTHING: nothing}
    actions |= {name: partial(start, arguments) for name, arguments in SERVERS.items()}
    interleaved(actions, WARM_UPS)
    times = interleaved(actions, STARTS)
    rows = [(name, spread(ratios(taken, times[NOTHING])), milliseconds(taken)) for name, taken in times.items()]
    return (
        f"From the start of a process over the handshake to the list of tools, and to its end, {STARTS} interleaved "
        f"rounds; each time is divided by that of {NOTHING} in the same round.\n\n"
        + table(["process", f"÷ {NOTHING}: median (quartiles)", "ms, median"], rows)
    )


def memory(repository: Path) -> str:
    """The table of memory."""
    rows = []
    for name, arguments in SERVERS.items():
        with served(repository, *arguments) as server:
            server.request("tools/list", {})
            listed = server.resident_mib()
            server.call("send_message", name="alice", content=BODY)
            rows.append((name, number(listed), number(server.resident_mib())))
    return "Resident memory.\n\n" + table(
        ["process", "MiB after the list of tools", "MiB after the first message sent"], rows
    )


def long_lines(repository: Path) -> str:
    """The table of lines of megabytes: what comes of each byte is the same, however long its line is."""
    with served(repository, "mcp") as server:
        actions: dict[str, Callable[[], object]] = {
            f"{size}": partial(server.request, "ping", {"pad": "x" * (size * 1_000_000)}) for size in LINE_MB
        }
        interleaved(actions, WARM_UPS)
        times = interleaved(actions, WARM_UPS)
    rows = [
        (size, milliseconds(taken), number(1000 * statistics.median(taken) / int(size)))
        for size, taken in times.items()
    ]
    return "A `ping` with so much in it, from its first byte to the answer; the longest is refused.\n\n" + table(
        ["MB on a line", "ms, median", "ms a MB"], rows
    )


def answers(repository: Path) -> str:
    """The table of bytes that a model pays for."""
    rows = []
    for name, arguments in {"text": ("mcp",), "`--json`": ("mcp", "--json")}.items():
        with served(repository, *arguments) as server:
            size = len(server.call("read_messages", limit=MESSAGES).encode())
        rows.append((name, f"{size:,}", f"{size / 4:,.0f}", number(size / (MESSAGES * len(BODY)))))
    return (
        f"`read_messages` of {MESSAGES} messages of {len(BODY)} bytes: what a client passes on to its model, a token "
        "taken as four bytes.\n\n" + table(["answer", "bytes", "tokens", "÷ bytes of the messages"], rows)
    )


def sends(repositories: dict[int, Path]) -> str:
    """The table of round trips."""
    rows = []
    for fsync, (size, repository) in itertools.product((True, False), repositories.items()):
        times = send_times(repository, fsync=fsync)
        rows += [
            (
                name,
                f"{size:,}",
                str(fsync).lower(),
                spread(ratios(taken, times[INSIDE])),
                milliseconds(taken),
                number(1000 * statistics.quantiles(taken, n=100)[98]),
            )
            for name, taken in times.items()
        ]
    return (
        f"A message of {len(BODY)} bytes sent with `send_message`, from the request to the answer, {ROUNDS} "
        "interleaved rounds; each time is divided by that of an append inside a process in the same round.\n\n"
        + table(
            [
                "send",
                "records at the start",
                "`chat.fsync`",
                f"÷ {INSIDE}: median (quartiles)",
                "ms, median",
                "ms, 99th percentile",
            ],
            rows,
        )
    )


def send_times(repository: Path, *, fsync: bool) -> dict[str, list[float]]:
    """Seconds of each send in one repository; all servers and this process write in turn."""
    writer, sender = open_writer(repository, fsync=fsync)
    actions: dict[str, Callable[[], object]] = {INSIDE: lambda: writer.send(Draft(body=BODY), sender)}
    servers = {name: Server(repository, *arguments, fsync=fsync) for name, arguments in SERVERS.items()}
    for name, server in servers.items():
        actions[name] = partial(server.call, "send_message", name="alice", content=BODY)
    interleaved(actions, WARM_UPS)
    times = interleaved(actions, ROUNDS)
    for server in servers.values():
        server.end()
    return times


if __name__ == "__main__":
    main()
