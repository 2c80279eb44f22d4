"""What the benchmarks share: a sealed environment, a room to measure, figures as text."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from gitchat.environment import Environment
from gitchat.log import Log
from gitchat.names import RoomName
from gitchat.record import Draft, Identity

Action = TypeVar("Action", bound=Callable[[], object])

BODY = ("The parser reads quoted keys now; two tests of the lexer still fail. " * 3)[:200]


def sealed_variables(home: Path, *, fsync: bool = True) -> dict[str, str]:
    """An environment without this machine's git configuration, with ``chat.fsync`` set."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Alice",
        "GIT_CONFIG_KEY_1": "user.email",
        "GIT_CONFIG_VALUE_1": "alice@example.com",
        "GIT_CONFIG_KEY_2": "chat.fsync",
        "GIT_CONFIG_VALUE_2": str(fsync).lower(),
    }


def make_repository(path: Path, records: int) -> Path:
    """A new repository at ``path`` whose room has ``records`` records."""
    subprocess.run(["git", "init", "-q", str(path)], env=sealed_variables(path.parent), check=True)
    room, sender = open_room(path, fsync=False)
    for _ in range(records):
        room.send(Draft(body=BODY), sender)
    return path


def open_room(repository: Path, *, fsync: bool) -> tuple[Log, Identity]:
    """The room of ``repository``, and somebody who writes to it."""
    variables = sealed_variables(repository.parent, fsync=fsync)
    environment = Environment(cwd=str(repository), variables=variables, is_terminal=False)
    return environment.log(RoomName("lobby")), environment.identity()


def seconds(action: Callable[[], object]) -> float:
    """How long ``action`` takes."""
    start = perf_counter()
    action()
    return perf_counter() - start


def interleaved(
    actions: Mapping[str, Action], rounds: int, measure: Callable[[Action], float] = seconds
) -> dict[str, list[float]]:
    """Seconds of each action in each round. Every round runs all of them, in an order of chance."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    chance = random.Random(1)
    for _ in range(rounds):
        for name in chance.sample(list(actions), len(actions)):
            times[name].append(measure(actions[name]))
    return times


def ratios(times: Sequence[float], to: Sequence[float]) -> list[float]:
    """Each time divided by its pair of the same round."""
    return [time / other for time, other in zip(times, to, strict=True)]


def spread(values: Sequence[float]) -> str:
    """Median and quartiles: ``2.31 (2.25 to 2.40)``."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{number(middle)} ({number(low)} to {number(high)})"


def milliseconds(times: Sequence[float]) -> str:
    """The median of ``times`` in milliseconds."""
    return number(statistics.median(times) * 1000)


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are figures."""
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
