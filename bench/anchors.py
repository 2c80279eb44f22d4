"""What it costs to ask what was said about a file, and to say it, in trees of many files. Run by ``make bench``.

Each time is divided by that of ``git blame`` of the same file in the same round. Prints Markdown.
In a source tree: ``.venv/bin/python bench/anchors.py FILES MESSAGES``, in this process alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from figures import (
    interleaved,
    make_repository,
    milliseconds,
    open_environment,
    programs,
    ratios,
    sealed_variables,
    spread,
    table,
)

from gitchat.verbs.room import Room

FILES = (20_000, 100_000)
MESSAGES = 5_000
ABOUT = 20
ROUNDS = 10
WARM_UPS = 2
PATH = "src/d7/lexer.py"
LINES = [f"    {number} says something of its own" for number in range(400)]


def main() -> None:
    """Print the table."""
    program = programs()[1]
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        room = make_repository(Path(scratch) / "room", MESSAGES)
        for files in FILES:
            repository = _project(Path(shutil.copytree(room, Path(scratch) / str(files))), files)
            run = partial(_run, repository)
            base = f"`git blame`, {files:,} files"
            actions: dict[str, Callable[[], None]] = {
                base: partial(run, ["git", "blame", "--porcelain", "-w", "-M", "--", PATH]),
                f"`blame`, {files:,} files": partial(run, [program, "blame", PATH]),
                f"`log --at`, {files:,} files": partial(run, [program, "log", "--at", PATH]),
                f"`show` of one, {files:,} files": partial(run, [program, "show", str(MESSAGES + 1)]),
                f"`send --at`, {files:,} files": partial(run, [program, "send", "-q", "--at", f"{PATH}:200-206", "x"]),
                f"`send`, {files:,} files": partial(run, [program, "send", "-q", "x"]),
            }
            interleaved(actions, WARM_UPS)
            times = interleaved(actions, ROUNDS)
            rows += [(name, spread(ratios(taken, times[base])), milliseconds(taken)) for name, taken in times.items()]
    print(
        f"Whole processes in a room of {MESSAGES:,} messages, {ABOUT} of which are about lines of one file of "
        f"{len(LINES)} lines that was changed and renamed since; {ROUNDS} interleaved rounds.\n\n"
        + table(["what runs", "÷ `git blame`: median (quartiles)", "ms, median"], rows)
    )


def _project(repository: Path, files: int) -> Path:
    """The repository, with so many files; what is about one of them was said under its old name."""
    run = partial(_run, repository)
    text = "".join(f"{line}\n" for line in LINES).encode()
    stream = [b"blob\nmark :1\ndata 2\nx\n\nblob\nmark :2\ndata %d\n%s\n" % (len(text), text)]
    stream.append(b"commit refs/heads/main\nmark :3\ncommitter a <a@b> 1700000000 +0000\ndata 5\nbegin\n")
    stream += [b"M 100644 :1 src/d%d/f%d.py\n" % (number % 300, number) for number in range(files)]
    stream.append(b"M 100644 :2 src/d7/old.py\n")
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        input=b"".join(stream),
        cwd=repository,
        env=_variables(repository),
        check=True,
    )
    run(["git", "symbolic-ref", "HEAD", "refs/heads/main"])
    run(["git", "reset", "-q", "--hard"])
    room = Room(open_environment(repository, fsync=False), name="alice")
    for number in range(ABOUT):
        room.send("Why?", at=f"src/d7/old.py:{number * 20 + 1}-{number * 20 + 5}")
    run(["git", "mv", "src/d7/old.py", PATH])
    changed = [f"{line} now" if number % 100 == 3 else line for number, line in enumerate(["# new", *LINES])]
    (repository / PATH).write_text("".join(f"{line}\n" for line in changed))
    run(["git", "commit", "-q", "-a", "-m", "Rename and change it"])
    return repository


def _variables(repository: Path) -> dict[str, str]:
    return sealed_variables(repository.parent)


def _run(repository: Path, command: list[str]) -> None:
    subprocess.run(command, cwd=repository, env=_variables(repository), check=True, capture_output=True)


def by_hand(files: int, messages: int) -> None:
    """The verbs alone, in a source tree."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        repository = _project(make_repository(Path(scratch) / "room", messages), files)
        environment = open_environment(repository, fsync=False)

        def blame() -> None:
            assert len(Room(environment, name="alice").blame(PATH).said) == ABOUT

        times = interleaved({"blame": blame}, 10)
        print(f"{files:,} files, {messages:,} messages: {milliseconds(times['blame'])} ms")


if __name__ == "__main__":
    by_hand(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else main()
