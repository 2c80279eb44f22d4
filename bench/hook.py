"""What our hooks cost a commit, and how soon its status is there. Run by ``make bench``.

Each time is divided by that of the same commit without a hook in the same round; what a
hook started is waited for between the rounds, outside of the time. Prints Markdown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from figures import interleaved, make_repository, milliseconds, ratios, sealed_variables, spread, table

PAIRS = 30
WARM_UPS = 3
RECORDS = 1000
CLAIMS = 20
NOTHING = "no hook"
EMPTY = "a hook of `exit 0`"
OURS = "our hook"
ALL = "all our hooks, the guard of 20 claims too, beside another worktree"
TOLD = "our hook, until the status is in the log"

Times = tuple[float, float]
"""Seconds until git was done, and until everything that its hook started was."""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:  # somebody may look at conflicts there
        actions = {
            name: partial(commit, _repository(Path(scratch) / str(number), name))
            for number, name in enumerate((NOTHING, EMPTY, OURS, ALL))
        }
        told: list[float] = []

        def measure(action: Callable[[], Times]) -> float:
            done, ended = action()
            if action is actions[OURS]:
                told.append(ended)
            return done

        interleaved(actions, WARM_UPS, measure)
        told.clear()
        times = interleaved(actions, PAIRS, measure)
        times[TOLD] = told
    rows = [(name, spread(ratios(taken, times[NOTHING])), milliseconds(taken)) for name, taken in times.items()]
    print(
        f"`git commit --allow-empty`, {PAIRS} interleaved rounds, in a room of {RECORDS:,} records, `chat.fsync` on; "
        f"each time is divided by that without a hook in the same round.\n\n"
        + table(["a commit with", "÷ no hook: median (quartiles)", "ms, median"], rows)
    )


def _repository(directory: Path, name: str) -> Path:
    repository = make_repository(directory / "repository", RECORDS)
    if name == OURS:
        program = str(Path(sys.executable).with_name("git-chat"))
        command = [program, "hook", "install", "commit"]
        subprocess.run(command, cwd=repository, env=_variables(repository), check=True, capture_output=True)
    elif name == ALL:
        program = str(Path(sys.executable).with_name("git-chat"))
        claims = [f"src/p{number}/" for number in range(CLAIMS)]
        for command in (
            ["git", "commit", "-q", "--allow-empty", "-m", "begin"],
            ["git", "worktree", "add", "-q", str(directory / "other"), "-b", "other"],
            [program, "hook", "install"],
            [program, "hook", "install", "guard"],
            [program, "claim", "--as", "bob", *claims],
        ):
            subprocess.run(command, cwd=repository, env=_variables(repository), check=True, capture_output=True)
    elif name == EMPTY:
        hook = repository / ".git" / "hooks" / "post-commit"
        hook.write_text("#!/bin/sh\nexit 0\n")
        hook.chmod(0o755)
    return repository


def commit(repository: Path) -> Times:
    """Make a commit in ``repository``."""
    ended, held = os.pipe()  # closed by the last process that inherited it
    start = perf_counter()
    subprocess.run(
        ["git", "commit", "--quiet", "--allow-empty", "-m", "nothing"],
        cwd=repository, env=_variables(repository), check=True, pass_fds=[held],
    )  # fmt: skip
    done = perf_counter() - start
    os.close(held)
    os.read(ended, 1)
    whole = perf_counter() - start
    os.close(ended)
    return done, whole


def _variables(repository: Path) -> dict[str, str]:
    return sealed_variables(repository.parent)


if __name__ == "__main__":
    main()
