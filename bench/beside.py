"""Appending, reading and delivering beside others, all asked in turn. Run by ``make bench``, which fetches them.

Each writer is a process of its own (:mod:`peers`), and what is compared was measured in the same round. Takes a
directory for repositories that other benchmarks may have made already. Prints Markdown.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from figures import interleaved, make_repository, milliseconds, number, ratios, spread, table
from history import SIZES, histories

ROUNDS = 60
AT_ONCE = 5
"""Appends of one peer in a round: a process that slept first has cold caches."""

WRITERS = 8
EACH = 30
WRITER_ROUNDS = 5
PACED = 32
PACED_EACH = 20
GAP_SECONDS = 0.05
PACED_ROUNDS = 3
WARM_UPS = 2
DELIVERIES = 60
PEERS = Path(__file__).parent.parent / ".tools" / "peers"
"""What ``bench/fetch-peers.sh`` unpacked."""

LONG = f"gitchat, {SIZES[-1]:,} records"
SHORT = "gitchat, 100 records"


def main() -> None:
    """Print the tables."""
    long = histories(Path(sys.argv[1]))[SIZES[-1]]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        field = Field(Path(scratch), long, stack)
        os.sync()  # what was just written must not be flushed while something is measured
        parts = [
            appends(field, synced=False), appends(field, synced=True), writers(field, synced=False),
            writers(field, synced=True), paced(field), readings(field), deliveries(field),
        ]  # fmt: skip
        parts.append(field.versions())
    print("\n\n".join(parts))


# --- who is there -----------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """A peer in one of its settings."""

    name: str
    kind: str
    place: str
    synced: bool

    @property
    def python(self) -> str:
        """The Python that has what it needs."""
        return str(PEERS / "nats" / "bin" / "python") if self.kind == "nats" else sys.executable


class Field:
    """All ways that there are here, and their servers."""

    def __init__(self, scratch: Path, long: Path, stack: ExitStack) -> None:
        self._scratch = scratch
        self._stack = stack
        self._count = 0
        self.missing: list[str] = []
        self._long = long
        self._servers: dict[str, str | None] = {
            "nats": self._server("nats-server", lambda port, at: ["-js", "-a", "127.0.0.1", "-p", port, "-sd", at]),
            "everysec": self._server("redis-server", partial(_redis, "everysec")),
            "always": self._server("redis-server", partial(_redis, "always")),
        }
        if not (PEERS / "nats" / "bin" / "python").exists():
            self._servers["nats"] = None

    def directory(self) -> str:
        """A new place."""
        self._count += 1
        path = self._scratch / str(self._count)
        path.mkdir()
        return str(path)

    def ways(self, *, synced: bool) -> list[Way]:
        """All of one setting, gitchat's first. A place of its own for each that has a file."""
        files = [Way(SHORT, "gitchat", self.repository(100), synced), Way(LONG, "gitchat", self.repository(), synced)]
        lines = "a flocked JSON line, synced" if synced else "a flocked JSON line"
        files.append(Way(lines, "json", self.directory(), synced))
        files.append(Way(f"SQLite, WAL, {'FULL' if synced else 'NORMAL'}", "sqlite", self.directory(), synced))
        if synced:
            return files + self.served("Redis Streams, always", "redis", "always", synced=True)
        files += [Way("`pygit2.create_commit`", "pygit2", self.directory(), False)]
        files += [Way("`git commit`", "git", self.directory(), False)]
        return [
            *files,
            *self.served("NATS JetStream", "nats", "nats", synced=False),
            *self.served("Redis Streams, everysec", "redis", "everysec", synced=False),
        ]

    def served(self, name: str, kind: str, server: str, *, synced: bool) -> list[Way]:
        """The way that a server has, if it runs."""
        place = self._servers[server]
        return [Way(name, kind, place, synced)] if place is not None else []

    def repository(self, records: int | None = None) -> str:
        """A new one: the long one, or with so many records."""
        place = Path(self.directory()) / "room"
        if records is None:
            shutil.copytree(self._long, place)
            return str(place)
        return str(make_repository(place, records))

    def versions(self) -> str:
        """What was measured beside, and what could not be."""
        found = [line for line in (_version("nats-server"), _version("redis-server")) if line]
        lacking = sorted(
            {
                name
                for name, place in (("NATS", self._servers["nats"]), ("Redis", self._servers["always"]))
                if place is None
            }
        )
        text = f"Beside: {'; '.join(found)}." if found else ""
        return text + (f" Could not be had here: {', '.join(lacking)}." if lacking else "")

    def _server(self, program: str, words: Callable[[str, str], list[str]]) -> str | None:
        """The port of a server that was started; None without its program."""
        path = _program(program)
        if path is None:
            return None
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        process = subprocess.Popen(
            [path, *words(port, self.directory())],
            env=_variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                return port
            time.sleep(0.05)
        return None


def _redis(synced: str, port: str, at: str) -> list[str]:
    return ["--port", port, "--dir", at, "--appendonly", "yes", "--appendfsync", synced, "--save", ""]


def _program(name: str) -> str | None:
    places = os.pathsep.join(map(str, (PEERS / "root/usr/sbin", PEERS / "root/usr/bin", "/usr/sbin")))
    return shutil.which(name, path=places + os.pathsep + os.environ["PATH"])


def _variables() -> dict[str, str]:
    libraries = sorted((PEERS / "root/usr/lib").glob("*-linux-gnu*"))
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


def _version(program: str) -> str | None:
    path = _program(program)
    if path is None:
        return None
    done = subprocess.run([path, "--version"], env=_variables(), capture_output=True, text=True)
    words = done.stdout.split()
    number_ = next((word.removeprefix("v=").strip(":,") for word in words if any(map(str.isdigit, word))), "")
    return f"{program} {number_}"


class Process:
    """A peer's process."""

    def __init__(self, way: Way) -> None:
        words = [way.python, str(Path(__file__).with_name("peers.py")), way.kind, way.place, str(way.synced).lower()]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self, word: str) -> None:
        """Wait until it says ``word``."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != word:
            sys.exit(f"error: a peer said {said!r} and not {word!r}")

    def tell(self, *words: object) -> None:
        """Let it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What it answers."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def ask(self, *words: object) -> list[float]:
        """Let it do something; how long each took, in seconds."""
        self.tell(*words)
        times: list[float] = self.answer()["times"]
        return times

    def end(self) -> None:
        """Wait for its end."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def processes(ways: Sequence[Way], count: int = 1) -> Iterator[list[list[Process]]]:
    """``count`` processes of each way, all ready."""
    with ExitStack() as stack:
        found = []
        for way in ways:
            found.append([Process(way) for _ in range(count)])
            for process in found[-1]:
                stack.callback(process.end)
                process.hear("ready")
        yield found


# --- the tables -------------------------------------------------------------------


def appends(field: Field, *, synced: bool) -> str:
    """The table of one that appends."""
    ways = field.ways(synced=synced)
    with processes(ways) as asked:
        actions = {
            way.name: lambda one=one: statistics.median(one.ask("append", AT_ONCE, 0))
            for way, (one,) in zip(ways, asked, strict=True)
        }
        interleaved(actions, WARM_UPS, lambda action: action())
        times = interleaved(actions, ROUNDS, lambda action: action())
    text = "and synced" if synced else "not synced"
    return (
        f"A message of 200 bytes appended, {text}, by a process that has it open; {ROUNDS} interleaved rounds.\n\n"
        + (_compared("append", times))
    )


def _compared(what: str, times: Mapping[str, Sequence[float]]) -> str:
    """Each way with its time, and gitchat's divided by it."""
    ours = [name for name in times if name.startswith("gitchat")]
    header = [what, "ms, median", *(f"{name} ÷ it: median (quartiles)" for name in ours)]
    rows = [
        [name, milliseconds(taken), *(spread(ratios(times[our], taken)) for our in ours)]
        for name, taken in times.items()
    ]
    return table(header, rows)


def writers(field: Field, *, synced: bool) -> str:
    """The table of many writers without a pause."""
    ways = [way for way in field.ways(synced=synced) if way.kind in ("gitchat", "json", "nats", "redis", "sqlite")]
    ways = [way for way in ways if way.name != LONG]
    with processes(ways, WRITERS) as asked:
        actions = {way.name: partial(_together, all_) for way, all_ in zip(ways, asked, strict=True)}
        interleaved(actions, 1, lambda action: action())
        times = interleaved(actions, WRITER_ROUNDS, lambda action: action())
    rows = [
        [name, number(WRITERS * EACH / statistics.median(taken)), spread(ratios(taken, times[SHORT]))]
        for name, taken in times.items()
    ]
    return (
        f"{WRITERS} writers, each its own process, append {EACH} messages each at once, "
        f"{'and synced' if synced else 'not synced'}; {WRITER_ROUNDS} interleaved rounds.\n\n"
        + table(["writers of", "messages a second", "gitchat's throughput ÷ its: median (quartiles)"], rows)
    )


def _together(all_: Sequence[Process]) -> float:
    """How long all take, from the first that begins to the last that ends."""
    for one in all_:
        one.tell("append", EACH, 0)
    answers = [one.answer() for one in all_]
    return float(max(one["ended"] for one in answers) - min(one["began"] for one in answers))


def paced(field: Field) -> str:
    """The table of many who write now and then."""
    ways = [way for way in field.ways(synced=False) if way.name == SHORT or way.kind == "nats"]
    times: dict[str, list[float]] = {way.name: [] for way in ways}
    for way in ways:  # one after the other: as many processes again that sleep would take memory
        with processes([way], PACED) as (all_,):
            for round_ in range(1 + PACED_ROUNDS):
                for one in all_:
                    one.tell("append", PACED_EACH, GAP_SECONDS)
                found = [taken for one in all_ for taken in one.answer()["times"]]
                times[way.name] += found if round_ else []
    rows = []
    for name, taken in times.items():
        cuts = statistics.quantiles(taken, n=100)
        rows.append([name, number(cuts[49] * 1000), number(cuts[98] * 1000)])
    return (
        f"{PACED} writers, each its own process, that append a message each {GAP_SECONDS * 1000:.0f} ms, not synced; "
        f"{PACED_ROUNDS} rounds of {PACED_EACH} messages each.\n\n"
        + table(["writers of", "ms, median", "ms, 99th percentile"], rows)
    )


def readings(field: Field) -> str:
    """The table of a reading that marks."""
    ways = [way for way in field.ways(synced=False) if way.kind in ("gitchat", "nats", "redis", "sqlite")]
    with processes(ways, 2) as asked:

        def read(writer: Process, reader: Process) -> float:
            writer.ask("append", 10, 0)
            return reader.ask("read")[0]

        actions = {way.name: partial(read, *both) for way, both in zip(ways, asked, strict=True)}
        interleaved(actions, WARM_UPS, lambda action: action())
        times = interleaved(actions, ROUNDS, lambda action: action())
    return (
        f"10 unread messages read and marked, by a process that has it open, not synced; {ROUNDS} interleaved rounds."
        "\n\n" + _compared("reading", times)
    )


def deliveries(field: Field) -> str:
    """The table of a message on its way to who waits."""
    ways = [way for way in field.ways(synced=False) if way.kind in ("gitchat", "nats", "redis")]
    with processes(ways, 2) as asked:

        def deliver(sender: Process, waiter: Process) -> float:
            waiter.tell("wait")
            waiter.hear("waiting")
            time.sleep(0.02)  # until it does
            sender.tell("append", 1, 0)
            sent, came = sender.answer(), waiter.answer()
            return float(came["ended"] - sent["began"])

        actions = {way.name: partial(deliver, *both) for way, both in zip(ways, asked, strict=True)}
        interleaved(actions, WARM_UPS, lambda action: action())
        times = interleaved(actions, DELIVERIES, lambda action: action())
    return (
        "From the beginning of an append in one process until another one that waits has the message; "
        f"{DELIVERIES} interleaved rounds, not synced.\n\n" + _compared("delivery", times)
    )


if __name__ == "__main__":
    main()
