"""Coming back, reading, finding: whole processes and an open Room, in a short and a long room. Run by ``make bench``.

Takes a directory for repositories that other benchmarks may have made already. Prints Markdown.
In a source tree, for the second table alone: ``.venv/bin/python bench/looks.py DIRECTORY verbs``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pygit2
from append import FLOOR, read_with_libgit2
from figures import (
    NOTHING,
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
from history import COMMON_WORD, SIZES, UNREAD, histories, rewind, uid_of, words_of

from gitchat.model.names import DEFAULT_ROOM
from gitchat.model.refs import log_ref
from gitchat.verbs.room import Room

PAIRS = 12
ROUNDS = 30
WARM_UPS = 2
MEMORY_RUNS = 3
SHORT, LONG = SIZES
FLOOR_COMMITS = 20


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a room, as a command and as a verb; both are told how many records the room had once."""

    command: Callable[[int], str]
    verb: Callable[[Room, int], object]


def far_back(records: int) -> int:
    """The number of a record that nobody finds by following parents."""
    return records // 3


def handle(records: int) -> str:
    """The handle of a record in the middle."""
    return f"~{uid_of(records // 2)[:8]}"


def rare_words(records: int) -> str:
    """Three words that some records have together."""
    return " ".join(words_of(records // 2)[:3])


LOOKS = {
    "`log -n 50`": Look(lambda _: "log -n 50", lambda room, _: room.log(limit=50)),
    "`handoff`": Look(lambda _: "handoff", lambda room, _: room.handoff()),
    f"`inbox` of {UNREAD}": Look(lambda _: "inbox", lambda room, _: room.unread(50)),
    f"`read` of {UNREAD}, which marks them": Look(lambda _: "read", lambda room, _: room.read(50)),
    "`who`": Look(lambda _: "who", lambda room, _: room.who()),
    "`status`": Look(lambda _: "status", lambda room, _: room.status()),
    "`show` by number, far back": Look(
        lambda size: f"show {far_back(size)}", lambda room, size: room.find(far_back(size))
    ),
    "`show` by handle": Look(lambda size: f"show {handle(size)}", lambda room, size: room.find(handle(size))),
    "`search` for a common word": Look(lambda _: f"search {COMMON_WORD}", lambda room, _: room.search(COMMON_WORD)),
    "`search` for three rare words": Look(
        lambda size: f"search {rare_words(size)}", lambda room, size: room.search(rare_words(size))
    ),
}

GREP = "`git log --grep` for the rare words"


def main() -> None:
    """Print both tables, or with ``verbs`` the second one."""
    repositories = histories(Path(sys.argv[1]))
    parts = [verbs(repositories)]
    if sys.argv[2:] != ["verbs"]:
        parts.insert(0, processes(repositories))
    print("\n\n".join(parts))


# --- whole processes -----------------------------------------------------------


def processes(repositories: dict[int, Path]) -> str:
    """The table of commands."""
    nothing = [sys.executable, "-c", "pass"]
    actions: dict[str, Callable[[], float]] = {NOTHING: partial(seconds, partial(run, repositories[SHORT], nothing))}
    memory = {NOTHING: memory_of(repositories[SHORT], nothing)}
    for size, repository in repositories.items():
        prepare = partial(rewind, Room(open_environment(repository, fsync=False)))
        for name, command in commands(size).items():
            actions[f"{name} {size}"] = partial(after, prepare, partial(run, repository, command))
            memory[f"{name} {size}"] = memory_of(repository, command, prepare)
    interleaved(actions, WARM_UPS, measure=lambda timed: timed())
    times = interleaved(actions, PAIRS, measure=lambda timed: timed())
    rows = [
        (
            name,
            *(spread(ratios(times[f"{name} {size}"], times[NOTHING])) for size in SIZES),
            milliseconds(times[f"{name} {LONG}"]),
            *(number(memory[f"{name} {size}"]) for size in SIZES),
        )
        for name in commands(SHORT)
    ]
    return (
        f"Whole processes, {PAIRS} interleaved rounds, in rooms of {SHORT:,} and of {LONG:,} records; each time is "
        f"divided by that of {NOTHING} in the same round, which takes {milliseconds(times[NOTHING])} ms and "
        f"{number(memory[NOTHING])} MB. Memory is the most that was resident, the median of {MEMORY_RUNS} runs.\n\n"
        + table(
            [
                "`git-chat` ...",
                *(f"÷ {NOTHING}, {size:,} records: median (quartiles)" for size in SIZES),
                f"ms at {LONG:,}, median",
                *(f"MB at {size:,}" for size in SIZES),
            ],
            rows,
        )
    )


def commands(size: int) -> dict[str, list[str]]:
    """What is run in a room of ``size`` records; for comparison also how git looks for three words."""
    _, git_chat = programs()
    found = {name: [git_chat, *look.command(size).split()] for name, look in LOOKS.items()}
    words = [f"--grep={word}" for word in rare_words(size).split()]
    return {**found, GREP: ["git", "log", "--all-match", *words, log_ref(DEFAULT_ROOM)]}


def run(repository: Path, command: list[str]) -> None:
    """Run a command to its end."""
    subprocess.run(command, cwd=repository, env=sealed_variables(repository.parent), check=True, capture_output=True)


def memory_of(repository: Path, command: list[str], prepare: Callable[[], object] = lambda: None) -> float:
    """The most memory in MB that a command has once everything is prepared, the median of some runs."""
    found = []
    for _ in range(MEMORY_RUNS):
        prepare()
        found.append(run_measured(repository, command)[1])
    return statistics.median(found)


# --- an open room --------------------------------------------------------------


def verbs(repositories: dict[int, Path]) -> str:
    """The table of a Room that is open."""
    actions: dict[str, Callable[[], float]] = {}
    for size, repository in repositories.items():
        room = Room(open_environment(repository, fsync=False))
        floor = partial(read_with_libgit2, pygit2.Repository(str(repository)), FLOOR_COMMITS)
        actions[f"{FLOOR} {size}"] = partial(seconds, floor)
        for name, look in LOOKS.items():
            actions[f"{name} {size}"] = partial(after, partial(rewind, room), partial(look.verb, room, size))
    interleaved(actions, WARM_UPS, measure=lambda timed: timed())
    times = interleaved(actions, ROUNDS, measure=lambda timed: timed())
    rows = [
        (
            name,
            *(spread(ratios(times[f"{name} {size}"], times[f"{FLOOR} {size}"])) for size in SIZES),
            spread(ratios(times[f"{name} {LONG}"], times[f"{name} {SHORT}"])),
            milliseconds(times[f"{name} {LONG}"]),
        )
        for name in LOOKS
    ]
    return (
        f"The same in a process that has the room open, {ROUNDS} interleaved rounds, `chat.fsync` off; the floor is "
        f"libgit2 reading the newest {FLOOR_COMMITS} commits, {milliseconds(times[f'{FLOOR} {LONG}'])} ms.\n\n"
        + table(
            [
                "as `git-chat` ...",
                *(f"÷ floor, {size:,} records: median (quartiles)" for size in SIZES),
                f"{LONG:,} ÷ {SHORT:,} records",
                f"ms at {LONG:,}, median",
            ],
            rows,
        )
    )


if __name__ == "__main__":
    main()
