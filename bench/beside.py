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

from aims import CREATE, LINES, NATS, REDIS, measured, not_had
from figures import as_in_use, interleaved, make_repository, milliseconds, number, ratios, spread, table
from history import SIZES, histories

ROUNDS = 60
AT_ONCE = 5
"""Appends of one peer in a round: a process that slept first has cold caches."""

WRITERS = 8
EACH = 30
WRITER_ROUNDS = 7
PACED = 32
PACED_EACH = 20
GAP_SECONDS = 0.05
PACED_ROUNDS = 5
WARM_UPS = 2
DELIVERIES = 60
PEERS = Path(__file__).parent.parent / ".tools" / "peers"
"""What ``bench/fetch-peers.sh`` unpacked."""

LONG = f"gitchat, {SIZES[-1]:,} records"
SHORT = "gitchat, 100 records"


def main() -> None:
    """Print the tables."""
    long = histories(Path(sys.argv[1]))[SIZES[-1]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, ExitStack() as stack:
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
        self._long = long
        self._long_copy: str | None = None
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
        files = [Way(SHORT, "gitchat", self.short(), synced), Way(LONG, "gitchat", self._long_room(), synced)]
        files.append(Way(LINES if synced else "a flocked JSON line", "json", self.directory(), synced))
        files.append(Way(f"SQLite, WAL, {'FULL' if synced else 'NORMAL'}", "sqlite", self.directory(), synced))
        if synced:
            return files + self._served("Redis Streams, always", "redis", "always", synced=True)
        files.append(Way("the files of an append alone", "files", self.directory(), False))
        files += [Way(CREATE, "pygit2", self.directory(), False), Way("`git commit`", "git", self.directory(), False)]
        return [
            *files,
            *self._served(NATS, "nats", "nats", synced=False),
            *self._served(REDIS, "redis", "everysec", synced=False),
        ]

    def _served(self, name: str, kind: str, server: str, *, synced: bool) -> list[Way]:
        """The way that a server has, if it runs."""
        place = self._servers[server]
        return [Way(name, kind, place, synced)] if place is not None else []

    def short(self) -> str:
        """A new repository with 100 records."""
        return str(as_in_use(make_repository(Path(self.directory()) / "room", 100)))

    def _long_room(self) -> str:
        """A copy of the long one, the same at each call: some more records change nothing there."""
        if self._long_copy is None:
            self._long_copy = str(as_in_use(shutil.copytree(self._long, Path(self.directory()) / "room")))
        return self._long_copy

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
    said = [
        f"A message of 200 bytes appended, {text}, by a process that has it open; {ROUNDS} interleaved rounds.",
        _compared("append", times),
    ]
    others = {"lines": LINES} if synced else {"nats": NATS, "create": CREATE}
    for records, ours in ((100, SHORT), (100_000, LONG)):
        for key, other in others.items():
            said.append(_beside(f"{'synced' if synced else 'append'}-{records}-{key}", times, ours, other))
    return "\n\n".join(said if synced else [*said, _beside("append-flat", times, LONG, SHORT)])


def _beside(aim: str, times: Mapping[str, Sequence[float]], ours: str, other: str) -> str:
    """What is said of an aim that is a ratio."""
    return measured(aim, ratios(times[ours], times[other])) if other in times else not_had(aim, f"without {other}")


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
    aim, other = ("writers-lines", LINES) if synced else ("writers-nats", NATS)
    return (
        f"{WRITERS} writers, each its own process, append {EACH} messages each at once, "
        f"{'and synced' if synced else 'not synced'}; {WRITER_ROUNDS} interleaved rounds.\n\n"
        + table(["writers of", "messages a second", "gitchat's throughput ÷ its: median (quartiles)"], rows)
        + "\n\n"
        + (measured(aim, ratios(times[other], times[SHORT])) if other in times else not_had(aim, f"without {other}"))
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
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    late: dict[str, list[float]] = {way.name: [] for way in ways}
    with processes(ways, PACED) as asked:
        everybody = dict(zip(late, asked, strict=True))

        def write(name: str) -> None:
            for one in everybody[name]:
                one.tell("append", PACED_EACH, GAP_SECONDS)
            found = [time_ for one in everybody[name] for time_ in one.answer()["times"]]
            taken[name] += found
            late[name].append(statistics.quantiles(found, n=100)[98])

        actions = {name: partial(write, name) for name in everybody}
        interleaved(actions, 1)
        for times in (*taken.values(), *late.values()):
            times.clear()
        interleaved(actions, PACED_ROUNDS)
    rows = []
    for name, times in taken.items():
        cuts = statistics.quantiles(times, n=100)
        rows.append([name, number(cuts[49] * 1000), number(cuts[98] * 1000), spread(ratios(late[SHORT], late[name]))])
    return (
        f"{PACED} writers, each its own process, that append a message each {GAP_SECONDS * 1000:.0f} ms, not synced; "
        f"{PACED_ROUNDS} interleaved rounds of {PACED_EACH} messages each.\n\n"
        + table(["writers of", "ms, median", "ms, 99th percentile", "gitchat's 99th ÷ its, by rounds"], rows)
        + "\n\n"
        + _beside("paced-nats", late, SHORT, NATS)
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
    in_ms = {name: [1000 * one for one in taken] for name, taken in times.items()}
    said = [
        f"10 unread messages read and marked, by a process that has it open, not synced; {ROUNDS} interleaved rounds.",
        _compared("reading", times),
        measured("read-100", in_ms[SHORT]),
        measured("read-100000", in_ms[LONG]),
        _beside("read-flat", times, LONG, SHORT),
    ]
    return "\n\n".join(said)


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
        f"{DELIVERIES} interleaved rounds, not synced.\n\n"
        + _compared("delivery", times)
        + "\n\n"
        + _beside("delivered-redis", times, SHORT, REDIS)
    )


if __name__ == "__main__":
    main()
