"""What handing over work and taking it cost, by the size of the tree. Run by ``make bench``.

Each time is divided by that of ``git status`` of the same tree in the same round, which both need in any case. Takes a
directory for trees that may have been made already. Prints Markdown.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from figures import milliseconds, programs, ratios, sealed_variables, seconds, spread, table
from history import make_tree

ROUNDS = 5
WARM_UPS = 1
FILES = (1_000, 20_000, 100_000)
CHANGED = 20


def main() -> None:
    """Print the table."""
    rows: list[tuple[str, ...]] = []
    for files in FILES:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            giver, taker = _trees(Path(scratch), files)
            actions: dict[str, Callable[[], None]] = {
                "git status": partial(_run, giver, "status", "--short"),
                "send --work": partial(_run, giver, "chat", "send", "-q", "--work", "the work"),
                "take": partial(_run, taker, "chat", "take", "1"),
                "take --undo": partial(_run, taker, "chat", "take", "--undo"),
            }
            times: dict[str, list[float]] = {name: [] for name in actions}
            for number in range(WARM_UPS + ROUNDS):  # in this order: each needs what the one before it did
                for name, action in actions.items():
                    taken = seconds(action)
                    if number >= WARM_UPS:
                        times[name].append(taken)
        rows += [
            (f"{files:,}", name, spread(ratios(taken, times["git status"])), milliseconds(taken))
            for name, taken in times.items()
        ]
    heads = ["files", "what runs", "÷ git status: median (quartiles)", "ms, median"]
    print(
        f"{CHANGED} changed files, half of them staged, between two worktrees, {ROUNDS} rounds.\n\n"
        + table(heads, rows)
    )


def _trees(scratch: Path, files: int) -> tuple[Path, Path]:
    """The worktree that has the work, and the one that takes it."""
    giver, taker = make_tree(Path(sys.argv[1]), scratch / "giver", files), scratch / "taker"
    _run(giver, "worktree", "add", "-q", str(taker))
    for number in range(CHANGED):
        path = giver / f"d{number % (files // 100)}" / f"f{number}.txt"
        path.write_text(path.read_text() + "more\n")
        if number % 2:
            _run(giver, "add", str(path))
    return giver, taker


def _run(place: Path, *words: str) -> None:
    program = [programs()[1], *words[1:]] if words[0] == "chat" else ["git", *words]
    subprocess.run(program, cwd=place, env=sealed_variables(place.parent), check=True, capture_output=True)


if __name__ == "__main__":
    main()
