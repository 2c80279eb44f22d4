"""Tools, long rooms, an index and tags, as the ratios that this project aims at. Run by ``make bench``.

By the command line, the MCP server and `Room` alone, as others use them. Takes a directory for repositories that other
benchmarks may have made already. Prints Markdown.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from aims import measured
from figures import (
    BODY,
    as_in_use,
    interleaved,
    make_repository,
    milliseconds,
    number,
    open_environment,
    programs,
    ratios,
    run_measured,
    spread,
    table,
)
from history import COMMON_WORD, SIZES, UNREAD, histories
from server import served

from gitchat.model.names import DEFAULT_ROOM
from gitchat.verbs.room import Room

WARM_UPS = 2
ROUNDS = 50
BUILDS = 3
TAGS = 5_000
MILLION = 1_000_000
SHORT, LONG = SIZES


def main() -> None:
    """Print the tables."""
    repositories = histories(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        os.sync()  # what was just written must not be flushed while something is measured
        parts = [calls(Path(scratch), repositories[LONG]), looks(repositories)]
        built = builds(Path(scratch), repositories[LONG], LONG, BUILDS)
        parts += [built, said_of_builds(built, {"index-100000": (LONG, 1)}), tags(Path(scratch))]
    print("\n\n".join(parts))


# --- calls of tools ------------------------------------------------------------------


def calls(scratch: Path, long: Path) -> str:
    """The table of a message sent by a tool."""
    places = {f"{100:,}": make_repository(scratch / "calls" / "short", 100), f"{LONG:,}": scratch / "calls" / "long"}
    shutil.copytree(long, places[f"{LONG:,}"])
    with ExitStack() as stack:
        actions: dict[str, Callable[[], object]] = {}
        for records, place in places.items():
            as_in_use(place)
            server = stack.enter_context(served(place, "mcp", fsync=False))
            room = Room(open_environment(place, fsync=False), DEFAULT_ROOM, "bench")
            actions[f"inside {records}"] = partial(room.send, BODY)
            actions[records] = partial(server.call, "send_message", content=BODY, name="bench-tool")
        interleaved(actions, WARM_UPS)
        times = interleaved(actions, ROUNDS)
    rows = [
        [
            records,
            milliseconds(times[records]),
            spread(ratios(times[records], times[f"inside {records}"])),
            spread(ratios(times[records], times["100"])),
        ]
        for records in places
    ]
    header = ["records", "ms, median", "÷ the same inside a process", "÷ at 100"]
    said = [measured(f"tool-{records.replace(',', '')}", [1000 * one for one in times[records]]) for records in places]
    said.append(measured("tool-flat", ratios(times[f"{LONG:,}"], times["100"])))
    return (
        f"`send_message` of `git-chat mcp`, from the request to the answer, not synced; {ROUNDS} interleaved rounds."
        "\n\n" + table(header, rows) + "\n\n" + "\n".join(said)
    )


# --- long rooms ----------------------------------------------------------------------


def looks(repositories: Mapping[int, Path]) -> str:
    """The table of what must not grow with a room."""
    looked: dict[str, Callable[[Room], object]] = {
        "`who`": lambda room: room.who(),
        "`status`": lambda room: room.status(),
        "what is unread, counted": lambda room: room.unread(0),
        f"a search for a word in one of ten, the newest {UNREAD}": lambda room: room.search(COMMON_WORD, limit=UNREAD),
    }
    rooms = {size: Room(open_environment(path, fsync=False)) for size, path in repositories.items()}
    actions = {(name, size): partial(look, room) for name, look in looked.items() for size, room in rooms.items()}
    named = {f"{name} {size}": action for (name, size), action in actions.items()}
    interleaved(named, WARM_UPS)
    times = interleaved(named, ROUNDS)
    rows = [
        [name, spread(ratios(times[f"{name} {LONG}"], times[f"{name} {SHORT}"])), milliseconds(times[f"{name} {LONG}"])]
        for name in looked
    ]
    aims = ("flat-who", "flat-status", "flat-unread", "flat-search")
    said = [
        measured(aim, ratios(times[f"{name} {LONG}"], times[f"{name} {SHORT}"]))
        for name, aim in zip(looked, aims, strict=True)
    ]
    return (
        f"In a process that has the room open, {ROUNDS} interleaved rounds, in rooms of {SHORT:,} and of {LONG:,} "
        "records.\n\n"
        + table(["look", f"{LONG:,} ÷ {SHORT:,}", f"ms at {LONG:,}, median"], rows)
        + "\n\n"
        + "\n".join(said)
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# --- an index ------------------------------------------------------------------------


def builds(scratch: Path, repository: Path, records: int, rounds: int) -> str:
    """The table of the first answer in a clone that has no index yet."""
    rows = [_built(scratch, repository, records, rounds)]
    header = ["records", "s of CPU, median", "s, median", "MB of memory"]
    return "`git-chat search` in a clone without an index, which builds it.\n\n" + table(header, rows)


def _built(scratch: Path, repository: Path, records: int, rounds: int) -> list[str]:
    used, taken, memory = [], [], []
    _, git_chat = programs()
    for round_ in range(rounds):
        place = scratch / "builds" / f"{records}-{round_}"
        shutil.copytree(repository, place)
        shutil.rmtree(place / ".git" / "chatroom", ignore_errors=True)
        before, began = _cpu(), time.perf_counter()
        _, megabytes = run_measured(place, [git_chat, "search", COMMON_WORD])
        taken.append(time.perf_counter() - began)
        used.append(_cpu() - before)
        memory.append(megabytes)
    return [f"{records:,}", *(number(statistics.median(one)) for one in (used, taken, memory))]


def said_of_builds(built: str, aims: Mapping[str, tuple[int, int]]) -> str:
    """What the table of builds says of aims: for each the records of its row, and its column."""
    rows = {cells[0]: cells for line in built.splitlines() if len(cells := line.strip("| ").split(" | ")) > 1}
    return "\n".join(measured(aim, float(rows[f"{records:,}"][column])) for aim, (records, column) in aims.items())


# --- tags ----------------------------------------------------------------------------


def tags(scratch: Path) -> str:
    """The sentence of what a repository's tags cost who waits."""
    plain = make_repository(scratch / "tags" / "none", 100)
    tagged = scratch / "tags" / "many"
    shutil.copytree(plain, tagged)
    tree = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", os.devnull], cwd=tagged, check=True, capture_output=True, text=True
    ).stdout.strip()
    lines = "".join(f"create refs/tags/v{number} {tree}\n" for number in range(TAGS))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=tagged, input=lines, check=True, text=True)
    with ExitStack() as stack:
        actions = {name: partial(_woken, place, stack) for name, place in (("none", plain), ("many", tagged))}
        woken = {name: begin() for name, begin in actions.items()}
        interleaved(woken, WARM_UPS, lambda act: act())
        times = interleaved(woken, ROUNDS, lambda act: act())
    return (
        f"From a message's sending until a process that waits has it, in a repository with {TAGS:,} loose tags ÷ in "
        f"one with none: {spread(ratios(times['many'], times['none']))}, {ROUNDS} interleaved rounds; "
        f"{milliseconds(times['none'])} ms with none.\n\n" + measured("tags", ratios(times["many"], times["none"]))
    )


def _woken(place: Path, stack: ExitStack) -> Callable[[], float]:
    """What wakes a process that waits in ``place``, and gives how long that took."""
    words = [sys.executable, str(Path(__file__).with_name("peers.py")), "gitchat", str(place), "false"]
    waiter = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(waiter.wait)
    stack.callback(waiter.kill)
    room = Room(open_environment(place, fsync=False), DEFAULT_ROOM, "bench")
    assert waiter.stdin is not None
    assert waiter.stdout is not None
    reader, writer = waiter.stdout, waiter.stdin
    reader.readline()  # it is ready

    def wake() -> float:
        writer.write("wait\n")
        writer.flush()
        reader.readline()  # it waits
        time.sleep(0.02)
        began = time.monotonic()
        room.send(BODY)
        return float(json.loads(reader.readline())["ended"] - began)

    return wake


if __name__ == "__main__":
    main()
