"""From a ref's move until somebody who waits is woken: a hook, a tool, a channel, a pipe. Run by ``make bench``.

Each way is a program as a client or a script starts it, in a repository of its own. Each
time is divided by that of a process that only holds the record, in the same round. Prints
Markdown. Needs an installed wheel, and for the idle figures Linux.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from figures import (
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_environment,
    programs,
    ratios,
    sealed_variables,
    spread,
    table,
)
from server import Server
from wake import OURS, RECORDS, Reader, Writer, reader_of

from gitchat.agenthook import WAKE_STATUS
from gitchat.model.names import DEFAULT_ROOM, Name
from gitchat.verbs.room import Room
from gitchat.workspace.attended import IN_TERMINAL

ROUNDS = 15
WARM_UPS = 2
IDLE_SECONDS = 15.0
STARTING_SECONDS = 1.0
"""How long a program that was just started has, until it sleeps."""

ASKING_SECONDS = 0.1
"""How long a server that was just asked has, until it sleeps."""

READER = Name("bob")
BASE = f"{OURS}, in a process that holds the record"

HOOK = "`git chat hook claude wait`, its exit"
TOOL = "`read_unread` with `wait_seconds`, its answer"
CHANNEL = "`git chat mcp --channel`, its notification"
WATCH = "`git chat watch --json` in a pipe, its line"
WAIT = "`git chat wait`, its exit"
TERMINAL = "`git chat watch` on a terminal, with a line to write in"


def main() -> None:
    """Print both tables."""
    programs()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        first = make_repository(Path(scratch) / "0" / "repository", RECORDS)
        places = {way: Path(scratch) / str(count) / "repository" for count, way in enumerate([*WAYS, TERMINAL], 1)}
        for place in places.values():
            shutil.copytree(first, place)
            read_all(place)
        os.sync()  # what was just written must not be flushed while something is measured
        print(latencies(first, {way: places[way] for way in WAYS}) + "\n\n" + idle(places))


# --- who waits -----------------------------------------------------------------


class Waiter(Protocol):
    """Somebody who waits for what bob has not read."""

    process: subprocess.Popen[Any]

    def begin(self) -> None:
        """Begin to wait; it sleeps soon after."""

    def woken(self) -> None:
        """Return when it tells that something came."""

    def end(self) -> None:
        """End it."""


class Ending:
    """A program that ends when it is woken, and is started anew for each time."""

    def __init__(self, repository: Path, *arguments: str, status: int = 0, **variables: str) -> None:
        self._repository = repository
        self._arguments = arguments
        self._status = status
        self._variables = variables

    def begin(self) -> None:
        read_all(self._repository)
        self.process = start(self._repository, *self._arguments, variables=self._variables)
        time.sleep(STARTING_SECONDS)
        processor_seconds(self.process)  # it waits

    def woken(self) -> None:
        if self.process.wait() != self._status:
            sys.exit(f"error: {self._arguments} ended with {self.process.returncode}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Printing:
    """A program that prints a line whenever something comes."""

    def __init__(self, repository: Path, *arguments: str) -> None:
        self.process = start(repository, *arguments)
        time.sleep(STARTING_SECONDS)

    def begin(self) -> None:
        pass

    def woken(self) -> None:
        line_of(self.process)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Asking:
    """A server whose tool is asked to wait, for each time anew; or, as a channel, that tells unasked."""

    def __init__(self, repository: Path, *arguments: str) -> None:
        self._server = Server(repository, "mcp", *arguments, fsync=False)
        self.process = self._server.process
        self._is_channel = "--channel" in arguments
        self._server.call("join", name=READER)

    def begin(self) -> None:
        if not self._is_channel:
            given = {"name": READER, "wait_seconds": 60}
            self._asked = self._server.ask("tools/call", {"name": "read_unread", "arguments": given})
        time.sleep(ASKING_SECONDS)

    def woken(self) -> None:
        if self._is_channel:
            line_of(self.process)
        else:
            self._server.answer(self._asked)

    def end(self) -> None:
        self._server.end()


def on_terminal(repository: Path) -> subprocess.Popen[bytes]:
    """``git chat watch`` on a terminal that somebody reads."""
    outer, inner = pty.openpty()
    variables = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = start(repository, "watch", stdin=inner, stdout=inner, variables=variables)
    os.close(inner)
    subprocess.Popen(["cat"], stdin=outer, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(outer)
    return process


WAYS: dict[str, Callable[[Path], Waiter]] = {
    HOOK: lambda repository: Ending(
        repository, "hook", "claude", "wait", status=WAKE_STATUS, CLAUDE_CODE_ENTRYPOINT=IN_TERMINAL
    ),
    TOOL: lambda repository: Asking(repository),
    CHANNEL: lambda repository: Asking(repository, "--channel"),
    WATCH: lambda repository: Printing(repository, "watch", "--json"),
    WAIT: lambda repository: Ending(repository, "wait"),
}


def start(
    repository: Path,
    *arguments: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.Popen[bytes]:
    """``git-chat <arguments>`` as bob."""
    own = {**sealed_variables(repository.parent, fsync=False), "GITCHAT_NAME": READER, **variables}
    command = [str(Path(sys.executable).with_name("git-chat")), *arguments]
    return subprocess.Popen(
        command, cwd=repository, env=own, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL
    )  # fmt: skip


def line_of(process: subprocess.Popen[Any]) -> None:
    """Return when the process has printed a line."""
    assert process.stdout is not None
    if not process.stdout.readline():
        sys.exit("error: a program that should wait has ended")


def read_all(repository: Path) -> None:
    """Mark everything as read by bob."""
    room = Room(open_environment(repository, fsync=False), DEFAULT_ROOM, READER)
    room.set_cursor(room.overview().count)


# --- latency -------------------------------------------------------------------


def latencies(first: Path, places: dict[str, Path]) -> str:
    """The table of wake-ups."""
    nowhere = first.parent / "no-doorbell"
    readers = {BASE: reader_of(OURS, first, nowhere)}
    readers |= {way: Reader(partial(observe, way, place), nowhere) for way, place in places.items()}
    writers = {way: Writer(place, nowhere) for way, place in ({BASE: first} | places).items()}
    actions = {way: partial(writers[way].wake, reader) for way, reader in readers.items()}
    interleaved(actions, WARM_UPS, measure=lambda wake: wake())
    times = interleaved(actions, ROUNDS, measure=lambda wake: wake())
    for reader in readers.values():
        reader.end()
    rows = [
        (way, spread(ratios(taken, times[BASE])), milliseconds(taken), number(1000 * max(taken)))
        for way, taken in times.items()
    ]
    return (
        f"From the beginning of a ref's move in one process until somebody who waits is told, {ROUNDS} interleaved "
        f"rounds, one at a time, in rooms of {RECORDS:,} records, `chat.fsync` off. Each time is divided by that of "
        "the first row in the same round.\n\n"
        + table(["who is woken", "÷ the first row: median (quartiles)", "ms, median", "ms, longest"], rows)
    )


def observe(way: str, repository: Path, pipe: Connection) -> None:
    """A process that sees one waiter woken, each time it is told to, and tells when."""
    waiter = WAYS[way](repository)
    pipe.send(0.0)
    while pipe.recv():
        waiter.begin()
        pipe.send(0.0)
        waiter.woken()
        pipe.send(time.monotonic())
    waiter.end()


# --- idle ----------------------------------------------------------------------


def idle(places: dict[str, Path]) -> str:
    """The table of what waiting costs while nothing happens; all wait at the same time."""
    processes = {TERMINAL: on_terminal(places[TERMINAL])}
    for way, wait in WAYS.items():
        read_all(places[way])
        waiter = wait(places[way])
        waiter.begin()
        processes[way] = waiter.process
    time.sleep(2 * STARTING_SECONDS)
    before = {way: processor_seconds(process) for way, process in processes.items()}
    time.sleep(IDLE_SECONDS)
    rows = [
        (way.partition(", its ")[0], f"{(processor_seconds(process) - before[way]) / IDLE_SECONDS:.2%}")
        for way, process in processes.items()
    ]
    for process in processes.values():
        process.kill()
        process.wait()
    return f"What each takes of a core while nothing happens for {IDLE_SECONDS:.0f} s.\n\n" + table(
        ["who waits", "share of a core"], rows
    )


def processor_seconds(process: subprocess.Popen[Any]) -> float:
    """What a process has used, in all threads. Ends the benchmark when it has ended."""
    if process.poll() is not None:
        sys.exit(f"error: {process.args!r} should wait, and ended with {process.returncode}")
    return time.clock_gettime(~process.pid << 3 | 2)  # its clock, made as clock_getcpuclockid(3) does on Linux


if __name__ == "__main__":
    main()
