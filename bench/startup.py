"""How long a whole ``git-chat`` process takes, as a multiple of ``python -c pass``. Run by ``make bench``.

Measures the gitchat that is installed beside the running Python, which must come from a
wheel: in a source tree Python may compile the modules anew each time. Prints Markdown.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from figures import (
    BODY,
    NOTHING,
    interleaved,
    make_repository,
    milliseconds,
    programs,
    ratios,
    sealed_variables,
    spread,
    table,
)

PAIRS = 30
WARM_UPS = 3
RECORDS = 1000
IMPORT_RUNS = 5


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as scratch:
        repository = make_repository(Path(scratch) / "repository", RECORDS)
        print(processes(repository) + "\n\n" + imports(repository))


def processes(repository: Path) -> str:
    """The table of whole processes."""
    python, git_chat = programs()
    variables = sealed_variables(repository.parent)

    def run(*command: str) -> None:
        subprocess.run(command, cwd=repository, env=variables, check=True, capture_output=True)

    actions = {
        NOTHING: lambda: run(python, "-c", "pass"),
        "`git-chat --version`": lambda: run(git_chat, "--version"),
        "`git-chat send`": lambda: run(git_chat, "send", BODY),
        "`git-chat log -n 20`": lambda: run(git_chat, "log", "-n", "20"),
        "`git-chat inbox`": lambda: run(git_chat, "inbox"),
        "`git-chat claim`, again": lambda: run(git_chat, "claim", "src/"),
        "`git commit --allow-empty`": lambda: run("git", "commit", "--allow-empty", "-m", BODY),
    }
    interleaved(actions, WARM_UPS)
    times = interleaved(actions, PAIRS)
    rows = [(name, spread(ratios(taken, times[NOTHING])), milliseconds(taken)) for name, taken in times.items()]
    return (
        f"Whole processes, {PAIRS} interleaved rounds, in a room of {RECORDS:,} records, `chat.fsync` on; "
        f"each time is divided by that of {NOTHING} in the same round.\n\n"
        + table(["process", f"÷ {NOTHING}: median (quartiles)", "ms, median"], rows)
    )


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
