"""How long a whole ``git-chat`` process takes, as a multiple of ``python -c pass``. Run by ``make bench``.

Measures the gitchat that is installed beside the running Python, which must come from a
wheel: in a source tree Python may compile the modules anew each time. Prints Markdown.
"""

from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aims import measured
from figures import (
    BODY,
    NOTHING,
    interleaved,
    make_repository,
    milliseconds,
    open_environment,
    programs,
    ratios,
    sealed_variables,
    seconds,
    spread,
    table,
)
from history import UNREAD
from server import served

from gitchat.model.names import DEFAULT_ROOM
from gitchat.verbs.room import Room

PAIRS = 25
WARM_UPS = 3
RECORDS = 1000
IMPORT_RUNS = 5

SEND, LOG, INBOX = "`git-chat send`", "`git-chat log -n 20`", f"`git-chat inbox` of {UNREAD}"
HOOK = "`git-chat-hook claude tool`, nothing new"
TOOLS = "`git-chat mcp` until its tools are listed, and its end"
AIMS = {SEND: "start-send", LOG: "start-log", INBOX: "start-inbox", HOOK: "start-hook"}


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repository = make_repository(Path(scratch) / "repository", RECORDS)
        let_unread(repository)
        print(processes(repository) + "\n\n" + imports(repository))


def let_unread(repository: Path) -> None:
    """Let the one who wrote everything have read, and then UNREAD messages of somebody else come."""
    environment = open_environment(repository, fsync=False)
    reader, other = Room(environment, DEFAULT_ROOM), Room(environment, DEFAULT_ROOM, "bob")
    number = other.send(BODY).number
    assert number is not None
    reader.set_cursor(number)
    for _ in range(UNREAD):
        other.send(BODY)


def processes(repository: Path) -> str:
    """The table of whole processes."""
    python, git_chat = programs()
    variables = sealed_variables(repository.parent)
    hook = str(Path(git_chat).with_name("git-chat-hook"))
    event = json.dumps({"session_id": "bench", "hook_event_name": "PostToolUse", "tool_name": "Bash"}).encode()
    quiet = make_repository(repository.with_name("quiet"), RECORDS)  # nothing comes, which is what the hook looks for
    claimed = make_repository(repository.with_name("claimed"), RECORDS)

    def run(*command: str, said: bytes = b"", at: Path = repository) -> None:
        subprocess.run(command, cwd=at, env=variables, input=said, check=True, capture_output=True)

    def tools() -> None:
        with served(repository, "mcp") as server:
            server.request("tools/list", {})

    actions: dict[str, Callable[[], object]] = {
        NOTHING: lambda: run(python, "-c", "pass"),
        "`git-chat --version`": lambda: run(git_chat, "--version"),
        SEND: lambda: run(git_chat, "send", BODY),
        LOG: lambda: run(git_chat, "log", "-n", "20"),
        INBOX: lambda: run(git_chat, "inbox"),
        "`git-chat status`": lambda: run(git_chat, "status"),
        HOOK: lambda: run(hook, "claude", "tool", said=event, at=quiet),
        TOOLS: tools,
        "`git-chat claim`, again": lambda: run(git_chat, "claim", "src/", at=claimed),
        "`git commit --allow-empty`": lambda: run("git", "commit", "--allow-empty", "-m", BODY),
    }
    interleaved(actions, WARM_UPS)
    used: dict[str, list[float]] = {name: [] for name in actions}
    timed = {name: partial(_timed, action, used[name]) for name, action in actions.items()}
    times = interleaved(timed, PAIRS, lambda act: act())
    rows = [
        (name, spread(ratios(taken, times[NOTHING])), spread(ratios(used[name], used[NOTHING])), milliseconds(taken))
        for name, taken in times.items()
    ]
    said = [measured(aim, ratios(times[name], times[NOTHING])) for name, aim in AIMS.items()]
    return (
        f"Whole processes, {PAIRS} interleaved rounds, in a room of {RECORDS:,} records, `chat.fsync` on; "
        f"each is divided by {NOTHING} in the same round.\n\n"
        + table(["process", f"÷ {NOTHING}: median (quartiles)", "the same of CPU", "ms, median"], rows)
        + "\n\n"
        + "\n".join([*said, measured("tools-listed", times[TOOLS])])
    )


def _timed(action: Callable[[], object], used: list[float]) -> float:
    """How long it takes; the CPU of what it started goes to ``used``."""
    before = _cpu()
    taken = seconds(action)
    used.append(_cpu() - before)
    return taken


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def imports(repository: Path) -> str:
    """The table of the ten imports of ``git-chat log`` that take longest, with what they import themselves."""
    python, git_chat = programs()
    command = [python, "-X", "importtime", git_chat, "log", "-n", "20"]
    shares: dict[str, list[float]] = {}
    for _ in range(IMPORT_RUNS):
        done = subprocess.run(
            command, cwd=repository, env=sealed_variables(repository.parent), check=True, capture_output=True
        )
        lines = re.findall(r"import time: +(\d+) \| +(\d+) \|( +)(\S+)", done.stderr.decode())
        whole = sum(int(own) for own, *_ in lines)
        for _, cumulative, _, module in lines:
            shares.setdefault(module, []).append(int(cumulative) / whole)
    medians = {module: statistics.median(values) for module, values in shares.items()}
    top = sorted(medians, key=lambda module: -medians[module])[:10]
    return (
        f"What `git-chat log` imports (`python -X importtime`, {IMPORT_RUNS} runs): the ten longest, "
        "each with what it imports in turn.\n\n"
        + table(["module", "share of all import time"], [(f"`{name}`", f"{medians[name]:.0%}") for name in top])
    )


if __name__ == "__main__":
    main()
