"""What the index costs: building it for a whole log, eight who come to that, and taking in one new record.

Run by ``make bench``.
Takes a directory for repositories that other benchmarks may have made already. Prints Markdown.
In a source tree: ``.venv/bin/python bench/indexing.py DIRECTORY``.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

import pygit2
from aims import measured
from append import read_with_libgit2
from figures import (
    BODY,
    after,
    interleaved,
    milliseconds,
    number,
    open_environment,
    programs,
    ratios,
    run_measured,
    sealed_variables,
    seconds,
    spread,
    table,
)
from history import COMMON_WORD, SIZES, author_of, histories
from server import served

from gitchat.index.database import Index
from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.record import Draft
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line

BUILDS = 5
"""In a long room one takes over ten seconds."""

ARRIVALS = 3
ARRIVING = (
    "check_in", "read_unread", "check_in (another)", "read_unread (another)",
    "git-chat inbox", "git-chat status", "git-chat send hello", "git-chat log -n 5",
)  # fmt: skip
"""What the first calls are."""

PAIRS = 30
WARM_UPS = 2


def main() -> None:
    """Print the tables; or, given a repository and a new directory, build one index and tell how that went."""
    if len(sys.argv) > 2:
        print(json.dumps(build(Path(sys.argv[1]), Path(sys.argv[2]))))
        return
    repositories = histories(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as scratch:
        parts = [builds(repositories, Path(scratch)), arrivals(repositories, Path(scratch)), catching_up(repositories)]
    print("\n\n".join(parts))


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


# --- eight who come at once --------------------------------------------------------


def arrivals(repositories: dict[int, Path], scratch: Path) -> str:
    """The table of when eight agents that begin at once in a clone without an index have their first answers."""
    size = SIZES[-1]
    taken: dict[str, list[float]] = {word: [] for word in ARRIVING}
    longest, until_whole, indexes = [], [], set()
    for round_ in range(ARRIVALS):
        place = scratch / f"arrivals-{round_}"
        shutil.copytree(repositories[size], place)
        shutil.rmtree(place / ".git" / "chatroom")
        begin = perf_counter()
        with ThreadPoolExecutor(len(ARRIVING)) as agents:
            answered = list(agents.map(partial(_arrive, place, begin), ARRIVING, range(len(ARRIVING))))
        longest.append(max(answered))
        for word, one in zip(ARRIVING, answered, strict=True):
            taken[word].append(one)
        run_measured(place, [programs()[1], "search", COMMON_WORD])  # which waits for the index
        until_whole.append(perf_counter() - begin)
        indexes.add(len(list((place / ".git" / "chatroom").glob("index*.db"))))
    rows = [[f"`{word}`", number_of(ones)] for word, ones in taken.items()]
    rows.append(["the longest of the eight", number_of(longest)])
    rows.append(["the index is there", number_of(until_whole)])
    return (
        f"Eight agents that begin at once in a clone of {size:,} records that nobody has counted, from the start of "
        f"the processes to each answer, {ARRIVALS} times. Indexes in the clone then: "
        f"{', '.join(map(str, sorted(indexes)))}.\n\n"
        + table(["first answer", "s, median"], rows)
        + "\n\n"
        + measured("arrivals", longest)
    )


def _arrive(place: Path, begin: float, word: str, agent: int) -> float:
    """An agent's first call: seconds since ``begin`` until it is answered, be it that the count goes on."""
    variables = sealed_variables(place.parent) | {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": f"session-{agent}"}
    if word.startswith("git"):
        command = [programs()[1], *word.split()[1:]]
        done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=False)
        if done.returncode and "being counted" not in done.stderr:
            raise SystemExit(done.stderr)
        return perf_counter() - begin
    with served(place, "mcp") as server:
        server.request("tools/call", {"name": word.split()[0], "arguments": {"name": f"agent-{agent}"}})
        return perf_counter() - begin


def number_of(times: list[float]) -> str:
    """The median."""
    return number(statistics.median(times))


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
