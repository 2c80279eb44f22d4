"""What the index costs: building it for a whole log, and taking in one new record. Run by ``make bench``.

Takes a directory for repositories that other benchmarks may have made already. Prints Markdown.
In a source tree: ``.venv/bin/python bench/indexing.py DIRECTORY``.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pygit2
from append import read_with_libgit2
from figures import (
    BODY,
    after,
    interleaved,
    milliseconds,
    number,
    open_environment,
    ratios,
    run_measured,
    seconds,
    spread,
    table,
)
from history import SIZES, author_of, histories

from gitchat.index.database import Index
from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.record import Draft
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line

BUILDS = 5
"""In a long room one takes over ten seconds."""

PAIRS = 30
WARM_UPS = 2


def main() -> None:
    """Print both tables; or, given a repository and a new directory, build one index and tell how that went."""
    if len(sys.argv) > 2:
        print(json.dumps(build(Path(sys.argv[1]), Path(sys.argv[2]))))
        return
    repositories = histories(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as scratch:
        print(builds(repositories, Path(scratch)) + "\n\n" + catching_up(repositories))


# --- building ------------------------------------------------------------------


def builds(repositories: dict[int, Path], scratch: Path) -> str:
    """The table of indexes that are built anew, each in a process of its own."""
    rows = []
    for size, repository in repositories.items():
        memory, found = [], []
        for place in range(BUILDS):
            command = [sys.executable, str(Path(__file__).resolve()), str(repository), str(scratch / f"{size}-{place}")]
            printed, megabytes = run_measured(repository, command)
            memory.append(megabytes)
            found.append(json.loads(printed))
        taken, floor, sizes = ([one[key] for one in found] for key in ("seconds", "floor_seconds", "bytes"))
        rows.append(
            (
                f"{size:,}",
                spread(ratios(taken, floor)),
                number(statistics.median(taken)),
                number(statistics.median(memory)),
                number(statistics.median(sizes) / 2**20),
            )
        )
    return (
        f"Building the index of a room, {BUILDS} times, each in a new process; the floor is libgit2 reading the same "
        "commits in that process.\n\n"
        + table(["records", "÷ floor: median (quartiles)", "s, median", "MB of memory", "MB on disk"], rows)
    )


def build(repository: Path, directory: Path) -> dict[str, float]:
    """Build an index in ``directory``: how long it took, the floor, how large the file is."""
    environment = open_environment(repository, fsync=False)
    store = environment.store
    line = Line(store.common_dir, git.scrub(environment.variables))
    index = Index(directory, store.read, lambda _: None, line)
    taken = seconds(lambda: index.chain(DEFAULT_ROOM, store.room_tip(DEFAULT_ROOM), rule))
    index.close()
    floor = seconds(partial(read_with_libgit2, pygit2.Repository(str(repository)), sys.maxsize))
    return {
        "seconds": taken,
        "floor_seconds": floor,
        "bytes": sum(path.stat().st_size for path in directory.iterdir()),
    }


# --- catching up ---------------------------------------------------------------


def catching_up(repositories: dict[int, Path]) -> str:
    """The table of an open index that takes in one record."""
    actions: dict[str, Callable[[], float]] = {}
    for size, repository in repositories.items():
        environment = open_environment(repository, fsync=False)
        room = environment.log(DEFAULT_ROOM)
        send = partial(
            environment.writer(DEFAULT_ROOM).send, Draft(body=BODY), environment.caller.identity(author_of(0))
        )
        actions[f"{size}"] = partial(after, send, room.chain)
        actions[f"{size}, nothing new"] = partial(after, room.chain, room.chain)
    interleaved(actions, WARM_UPS, measure=lambda timed: timed())
    times = interleaved(actions, PAIRS, measure=lambda timed: timed())
    rows = [
        (
            f"{size:,}",
            spread(ratios(times[f"{size}"], times[f"{size}, nothing new"])),
            spread(ratios(times[f"{size}"], times[f"{SIZES[0]}"])),
            milliseconds(times[f"{size}"]),
        )
        for size in SIZES
    ]
    return f"Taking one new record of {len(BODY)} bytes into an open index, {PAIRS} interleaved rounds.\n\n" + table(
        ["records", "÷ a look when nothing is new: median (quartiles)", f"÷ at {SIZES[0]:,}", "ms, median"], rows
    )


if __name__ == "__main__":
    main()
