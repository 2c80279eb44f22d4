"""What the benchmarks share: a sealed environment, a room to measure, figures as text."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeVar
from unittest.mock import patch

from aims import number as number
from aims import table as table

import gitchat
from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.record import Draft, Identity
from gitchat.rooms.log import Log
from gitchat.rooms.writing import Writer
from gitchat.storage import git
from gitchat.storage.written import PACK_OBJECTS
from gitchat.workspace.environment import Environment

Action = TypeVar("Action", bound=Callable[[], object])

NOTHING = "`python -c pass`"
"""The process that others are compared with."""

BODY = ("The parser reads quoted keys now; two tests of the lexer still fail. " * 3)[:200]


def programs() -> tuple[str, str]:
    """The running Python and the ``git-chat`` beside it, which must come from a wheel.

    In a source tree Python may compile the modules anew each time: then the benchmark ends.
    """
    if "site-packages" not in gitchat.__file__:
        sys.exit("error: gitchat runs from a source tree here\nhint: make bench")
    return sys.executable, str(Path(sys.executable).with_name("git-chat"))


def sealed_variables(home: Path, *, fsync: bool = True) -> dict[str, str]:
    """An environment without this machine's git configuration, with ``chat.fsync`` set.

    By a file, as users have it: variables of git's that change a configuration are unusual, and take the long way.
    """
    settings = home / f".gitconfig-{'synced' if fsync else 'unsynced'}"
    if not settings.exists():
        home.mkdir(parents=True, exist_ok=True)
        text = f"[user]\n\tname = Alice\n\temail = alice@example.com\n[chat]\n\tfsync = {str(fsync).lower()}\n"
        settings.write_text(text, encoding="ascii")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(settings),
    }


def make_repository(path: Path, records: int) -> Path:
    """A new repository at ``path`` whose room has ``records`` records, packed where they are many.

    Nothing is at it any more when it is there: a packer would change it while it is copied, and take time from what is
    measured.
    """
    subprocess.run(["git", "init", "-q", str(path)], env=sealed_variables(path.parent), check=True)
    environment = open_environment(path, fsync=False)
    with patch.object(Environment, "start_aside", lambda *_, **__: None):
        writer, sender = environment.writer(DEFAULT_ROOM), environment.caller.identity()
        for number in range(1, records + 1):
            writer.send(Draft(body=BODY), sender)
            if number % PACK_OBJECTS == 0:
                environment.store.pack(git.scrub(environment.variables))
    return path


def as_in_use(repository: Path) -> Path:
    """The repository, with all directories that loose objects lie in, as it is after some hundred messages.

    Rooms of different lengths have made different numbers of them, and to make one takes longer than all else of an
    append.
    """
    for byte in range(256):
        (repository / ".git" / "objects" / f"{byte:02x}").mkdir(exist_ok=True)
    return repository


def open_environment(repository: Path, *, fsync: bool) -> Environment:
    """What a process that was just started in ``repository`` has."""
    variables = sealed_variables(repository.parent, fsync=fsync)
    return Environment(cwd=str(repository), variables=variables, is_terminal=False)


def open_room(repository: Path, *, fsync: bool) -> Log:
    """The room of ``repository``, to be read."""
    return open_environment(repository, fsync=fsync).log(DEFAULT_ROOM)


def open_writer(repository: Path, *, fsync: bool) -> tuple[Writer, Identity]:
    """What adds to the room of ``repository``, and somebody who does so."""
    environment = open_environment(repository, fsync=fsync)
    return environment.writer(DEFAULT_ROOM), environment.caller.identity()


def run_measured(cwd: Path, command: list[str]) -> tuple[str, float]:
    """What a command prints, run to its end, and the most memory in MB that it had at any time."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
    variables = sealed_variables(cwd.parent)
    done = subprocess.run([*launcher, *command], cwd=cwd, env=variables, check=True, capture_output=True, text=True)
    return done.stdout, int(done.stderr.split()[-1]) / 1024


_LAUNCHER = (
    "import os, sys; process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); "
    "_, status, usage = os.wait4(process, 0); "
    "print(usage.ru_maxrss, file=sys.stderr); sys.exit(os.waitstatus_to_exitcode(status))"
)
"""Tells the memory of a program, or of one that it started, if that took more, in KiB. Has less itself: a new
process counts what the one had that started it."""


def seconds(action: Callable[[], object]) -> float:
    """How long ``action`` takes."""
    start = perf_counter()
    action()
    return perf_counter() - start


def after(prepare: Callable[[], object], action: Callable[[], object]) -> float:
    """How long ``action`` takes once everything is prepared."""
    prepare()
    return seconds(action)


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
