"""Starts, tools, long rooms and tags, as the ratios that are goals of this project. Run by ``make bench``.

By the command line, the MCP server and `Room` alone, as others use them. Takes a directory for repositories that other
benchmarks may have made already; with ``million`` behind it also builds the index of 1,000,000 records, which takes
minutes. Prints Markdown.
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

from figures import (
    BODY,
    NOTHING,
    interleaved,
    make_repository,
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
from history import COMMON_WORD, SIZES, UNREAD, histories, make_history
from server import served

from gitchat.model.names import DEFAULT_ROOM
from gitchat.verbs.room import Room

PAIRS = 25
WARM_UPS = 2
ROUNDS = 50
BUILDS = 3
TAGS = 5_000
MILLION = 1_000_000
SHORT, LONG = SIZES


def main() -> None:
    """Print the tables."""
    repositories = histories(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as scratch:
        os.sync()  # what was just written must not be flushed while something is measured
        parts = [starts(Path(scratch)), calls(Path(scratch), repositories[LONG]), looks(repositories)]
        parts.append(builds(Path(scratch), repositories[LONG], "million" in sys.argv[2:]))
        parts.append(tags(Path(scratch)))
    print("\n\n".join(parts))


# --- starts -----------------------------------------------------------------------


def starts(scratch: Path) -> str:
    """The table of what is started again and again."""
    repository = make_repository(scratch / "starts", SHORT)
    quiet = make_repository(scratch / "quiet", SHORT)  # nothing comes to it, which is what the hook looks for
    python, git_chat = programs()
    variables = sealed_variables(scratch)
    hook = Path(git_chat).with_name("git-chat-hook")
    event = json.dumps({"session_id": "bench", "hook_event_name": "PostToolUse", "tool_name": "Bash"}).encode()

    def run(*command: object, said: bytes = b"", at: Path = repository) -> None:
        subprocess.run(list(map(str, command)), cwd=at, env=variables, input=said, check=True, capture_output=True)

    def tools() -> None:
        with served(repository, "mcp") as server:
            server.request("tools/list", {})

    actions: dict[str, Callable[[], object]] = {
        NOTHING: lambda: run(python, "-c", "pass"),
        "`git-chat send`": lambda: run(git_chat, "send", BODY),
        "`git-chat log -n 20`": lambda: run(git_chat, "log", "-n", "20"),
        "`git-chat inbox`": lambda: run(git_chat, "inbox"),
        "`git-chat-hook claude tool`, nothing new": lambda: run(hook, "claude", "tool", said=event, at=quiet),
        "`git-chat mcp` until its tools are listed, and its end": tools,
    }
    goals = ("", "1.4", "1.8", "2.5", "0.4", "0.1 s")
    interleaved(actions, WARM_UPS)
    used: dict[str, list[float]] = {name: [] for name in actions}
    times = interleaved(
        {name: partial(_measured, action, used[name]) for name, action in actions.items()}, PAIRS, lambda act: act()
    )
    rows = [
        [
            name,
            goal,
            spread(ratios(taken, times[NOTHING])),
            spread(ratios(used[name], used[NOTHING])),
            milliseconds(taken),
        ]
        for (name, taken), goal in zip(times.items(), goals, strict=True)
    ]
    header = ["process", "goal", f"÷ {NOTHING}: median (quartiles)", "the same of CPU", "ms, median"]
    return (
        f"Whole processes, {PAIRS} interleaved rounds, in a room of {SHORT:,} records, `chat.fsync` on; each is "
        f"divided by {NOTHING} in the same round.\n\n" + table(header, rows)
    )


def _measured(action: Callable[[], object], used: list[float]) -> float:
    """How long it takes; the CPU of what it started goes to ``used``."""
    before = _cpu()
    taken = seconds(action)
    used.append(_cpu() - before)
    return taken


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# --- calls of tools ------------------------------------------------------------------


def calls(scratch: Path, long: Path) -> str:
    """The table of a message sent by a tool."""
    places = {f"{100:,}": make_repository(scratch / "calls" / "short", 100), f"{LONG:,}": scratch / "calls" / "long"}
    shutil.copytree(long, places[f"{LONG:,}"])
    with ExitStack() as stack:
        actions: dict[str, Callable[[], object]] = {}
        for records, place in places.items():
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
    header = ["records", "ms, median (goal: 1.0)", "÷ the same inside a process", "÷ at 100 (goal: 1.2)"]
    return (
        f"`send_message` of `git-chat mcp`, from the request to the answer, not synced; {ROUNDS} interleaved rounds."
        "\n\n" + table(header, rows)
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
    return (
        f"In a process that has the room open, {ROUNDS} interleaved rounds, in rooms of {SHORT:,} and of {LONG:,} "
        "records.\n\n" + table(["look", f"{LONG:,} ÷ {SHORT:,} (goal: 1.2)", f"ms at {LONG:,}, median"], rows)
    )


# --- an index ------------------------------------------------------------------------


def builds(scratch: Path, long: Path, with_million: bool) -> str:
    """The table of the first answer in a clone that has no index yet."""
    rows = [_built(scratch, long, LONG, BUILDS)]
    if with_million:
        rows.append(_built(scratch, make_history(scratch / "million", MILLION), MILLION, 1))
    header = ["records", "s of CPU, median (goal: 4; 45)", "s, median", "MB of memory (goal: 300)"]
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
        f"one with none: {spread(ratios(times['many'], times['none']))} (goal: 1.2), {ROUNDS} interleaved rounds; "
        f"{milliseconds(times['none'])} ms with none."
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
