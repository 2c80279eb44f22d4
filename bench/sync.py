"""What a message costs on its way to a remote and to other clones. Run by ``make bench``.

The remote is a bare repository on the same disk, so that git's own work shows and no network.
Prints Markdown.
"""

from __future__ import annotations

import random
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

from figures import interleaved, milliseconds, open_environment, open_writer, ratios, sealed_variables, spread, table
from history import SIZES, histories

from gitchat.model.names import RoomName
from gitchat.model.record import Draft

PAIRS = 15
WARM_UPS = 2
CLONES = 8
MESSAGES = 8
LOBBY = RoomName("lobby")
PROGRAM = str(Path(sys.executable).with_name("git-chat"))
FLOOR = "`git push` of one commit"


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        print(pushes(Path(scratch), histories(Path(sys.argv[1]))))
        print()
        print(arrivals(Path(scratch)))


# --- one push --------------------------------------------------------------------


def pushes(scratch: Path, rooms: dict[int, Path]) -> str:
    """A record pushed, beside a commit pushed, in short and long rooms."""
    rows = []
    for records in SIZES:
        repository = _with_hub(scratch / f"push-{records}", rooms[records])
        actions: dict[str, Callable[[], float]] = {
            FLOOR: partial(_push_commit, repository),
            "`git-chat sync` of one message": partial(_sync_record, repository),
        }
        interleaved(actions, WARM_UPS, lambda action: action())
        times = interleaved(actions, PAIRS, lambda action: action())
        for name, taken in times.items():
            rows.append((name, f"{records:,}", spread(ratios(taken, times[FLOOR])), milliseconds(taken)))
    return (
        f"Whole processes, {PAIRS} interleaved rounds, to a bare repository on the same disk, `chat.fsync` on; each "
        "time is divided by that of git in the same round. A sync fetches and then pushes.\n\n"
        + table(["process", "records", f"÷ {FLOOR}: median (quartiles)", "ms, median"], rows)
    )


def _push_commit(repository: Path) -> float:
    _git(repository, "commit", "--quiet", "--allow-empty", "-m", "one more")
    return _timed(repository, "git", "push", "--quiet", "origin", "HEAD:refs/heads/main")


def _sync_record(repository: Path) -> float:
    writer, sender = open_writer(repository, fsync=True)
    writer.send(Draft(body="one more"), sender)
    return _timed(repository, PROGRAM, "sync", "origin")


def _with_hub(scratch: Path, original: Path) -> Path:
    """A copy of a repository whose ``origin`` is a bare one that has all of it."""
    scratch.mkdir()
    repository, hub = scratch / "repository", scratch / "hub.git"
    subprocess.run(["cp", "-r", str(original), str(repository)], check=True)
    _git(scratch, "init", "-q", "--bare", str(hub))
    _git(repository, "remote", "add", "origin", str(hub))
    _git(repository, "commit", "--quiet", "--allow-empty", "-m", "begin")
    _git(repository, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    _timed(repository, PROGRAM, "sync", "origin")
    return repository


def _timed(repository: Path, *command: str) -> float:
    start = perf_counter()
    subprocess.run(
        command, cwd=repository, env=sealed_variables(repository.parent), check=True, stdout=subprocess.DEVNULL
    )
    return perf_counter() - start


def _git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=repository, env=sealed_variables(repository.parent), check=True)


# --- until everybody has it ---------------------------------------------------------


def arrivals(scratch: Path) -> str:
    """How long a message takes to be numbered in every clone, while each is kept in step."""
    hub = scratch / "hub.git"
    _git(scratch, "init", "-q", "--bare", str(hub))
    clones = [_clone(scratch, number, hub) for number in range(CLONES)]
    chance = random.Random(1)
    with _watching(clones):
        times = []
        for number in range(MESSAGES):
            sleep(chance.uniform(0, 2))  # people pause, and the clones' looks grow apart
            writer, sender = open_writer(chance.choice(clones), fsync=True)
            start = perf_counter()
            writer.send(Draft(body="are you there?"), sender)
            _until(partial(_have, clones, number + 2))
            times.append(perf_counter() - start)
    rows = [(CLONES, MESSAGES, f"{statistics.median(times):.2f}", f"{max(times):.2f}")]
    return (
        f"From a message's sending until it has its number in every one of {CLONES} clones, which `git-chat sync "
        "--watch` keeps in step with a hub on the same disk, at its own interval of 2 s; pauses of up to 2 s between "
        "messages.\n\n" + table(["clones", "messages", "s, median", "s, longest"], rows)
    )


def _clone(scratch: Path, number: int, hub: Path) -> Path:
    path = scratch / f"clone-{number}"
    _git(scratch, "init", "-q", str(path))
    _git(path, "remote", "add", "origin", str(hub))
    if number == 0:
        writer, sender = open_writer(path, fsync=True)
        writer.send(Draft(body="begin"), sender)
    _timed(path, PROGRAM, "sync", "origin")
    return path


@contextmanager
def _watching(clones: list[Path]) -> Iterator[None]:
    watching = [
        subprocess.Popen(
            [PROGRAM, "sync", "--watch"], cwd=path, env=sealed_variables(path.parent), stdout=subprocess.DEVNULL
        )
        for path in clones
    ]
    try:
        yield
    finally:
        for one in watching:
            one.send_signal(signal.SIGTERM)
            one.wait()


def _have(clones: list[Path], count: int) -> bool:
    return all(open_environment(path, fsync=True).log(LOBBY).count() >= count for path in clones)


def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        sleep(0.02)


if __name__ == "__main__":
    main()
