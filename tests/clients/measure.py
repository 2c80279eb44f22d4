"""Measures with the real clients what our hooks and bells cost: a table in Markdown, in the order of docs/clients.md.

    python -m tests.clients.measure [ROUNDS [IDLE_SECONDS]]

Each figure with us is paired with one without, run just before it in the same scratch home. A call of a tool is the
time from one request of the model to the next. Needs ``tests/clients/fetch.sh``.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.clients.loopback import Loopback
from tests.clients.real.client import Client
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Script, serving
from tests.clients.waiting import quiet, until

CALLS = 12
WAKES_SECONDS = 30.0


@contextmanager
def client_of(kind: type[Client]) -> Iterator[Client]:
    """A client in a scratch home, without us."""
    with tempfile.TemporaryDirectory() as root, Loopback() as network:
        script = Script(["done"], ["done"])
        with serving(script, network.listen()) as address:
            client = kind(Path(root).resolve(), network, address, script)
            try:
                yield client
            finally:
                client.kill()


def run(client: Client) -> tuple[float, list[float]]:
    """How long a run with some calls of a tool takes in seconds, and each call in it but the first."""
    before = len(client.script.asked)
    client.script.go_on(*[client.shell("true")] * CALLS, "done")
    seconds = client.headless("go").seconds
    at = [request.at_seconds for request in client.script.asked[before:]]
    return seconds, [after - first for first, after in itertools.pairwise(at[1:])]


def costs(kind: type[Client], rounds: int) -> Iterator[str]:
    """What hooks cost a run and a call, in a room where one message stays unread."""
    runs: list[tuple[float, float]] = []
    calls: list[tuple[float, float]] = []
    for _ in range(rounds):
        with client_of(kind) as client:
            without, calls_without = run(client)
            client.setup()
            client.chat("send", "--as", "ann", "hello")
            ours, calls_ours = run(client)
        runs.append((without, ours))
        calls.append((statistics.median(calls_without), statistics.median(calls_ours)))
    yield row(f"{kind.name}: a call of a tool", [pair[0] for pair in calls], [pair[1] for pair in calls])
    yield row(f"{kind.name}: a run with {CALLS} calls", [pair[0] for pair in runs], [pair[1] for pair in runs])


def row(name: str, without: Sequence[float], ours: Sequence[float]) -> str:
    """A line of the table: medians, and the median of the ratios of each pair."""
    ratio = statistics.median(after / before for before, after in zip(without, ours, strict=True))
    first, second = (statistics.median(side) * 1000 for side in (without, ours))
    return f"| {name} | {first:,.0f} ms | {second:,.0f} ms | {ratio:.2f} |"


def waking(kind: type[Client], rounds: int) -> str:
    """From the end of the ``send`` to the model's request, in an idle session at a terminal."""
    with client_of(kind) as client:
        client.setup()
        client.chat("send", "--as", "ann", "welcome")
        found = []
        with client.terminal() as terminal:
            client.script.go_on(*client.calls("check_in"), "done")
            client.turns(terminal, "go", len(client.calls("check_in")) + 1)
            for number in range(rounds):
                quiet(lambda: len(client.script.asked), 5.0)
                before = len(client.script.asked)
                client.script.go_on(*client.calls("check_in"), "done")
                # Long, and each from somebody else: nothing about it is a volley.
                client.chat("send", "--as", f"ann{number}", "--type", "question", "x" * 300)
                sent = time.time()
                with suppress(AssertionError):
                    until(lambda at=before: len(client.script.asked) > at, limit_seconds=WAKES_SECONDS)
                found += [request.at_seconds - sent for request in client.script.asked[before : before + 1]]
    shown = f"{statistics.median(found) * 1000:,.0f} ms" if found else "-"
    return f"| {kind.name}: message to request, idle | | {shown} | {len(found)} of {rounds} woken |"


def idleness(kind: type[Client], seconds: float) -> str:
    """What of ours lives while a session is idle, and the time of a processor that it takes."""
    with client_of(kind) as client:
        client.setup()
        client.chat("send", "--as", "ann", "welcome")
        with client.terminal() as terminal:
            client.script.go_on(*client.calls("check_in"), "done")
            client.turns(terminal, "go", len(client.calls("check_in")) + 1)
            quiet(lambda: len(client.script.asked), 5.0)
            before = _processor_seconds(client)
            time.sleep(seconds)
            after = _processor_seconds(client)
    used = sum(after.values()) - sum(before.get(pid, 0.0) for pid in after)
    return (
        f"| {kind.name}: idle for {seconds:.0f} s | | {used * 1000:,.0f} ms of a processor | {len(after)} processes |"
    )


def _processor_seconds(client: Client) -> dict[int, float]:
    found = {}
    for pid, words in client.processes():
        if "git-chat" in words or "git chat" in words:
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                found[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    idle_seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    print("| what | without | with us | ratio |\n|---|---|---|---|")
    for kind in (Claude, Codex):
        for line in [*costs(kind, rounds), waking(kind, rounds), idleness(kind, idle_seconds)]:
            print(line, flush=True)


if __name__ == "__main__":
    main()
