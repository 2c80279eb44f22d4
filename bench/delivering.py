"""What delivery by itself costs who sends, and how soon a message is at the hub. Run by ``make bench``.

The remote is a bare repository on the same disk, so that no network shows. Prints Markdown.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

from figures import BODY, interleaved, make_repository, milliseconds, programs, sealed_variables, table

PAIRS = 30
WARM_UPS = 3
RECORDS = 1000
LOG = "refs/chatroom/rooms/lobby/log"
DELIVERIES = 4


def main() -> None:
    """Print the table and the sentence."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:  # a pusher may be at it
        alone, following = (make_repository(Path(scratch) / name, RECORDS) for name in ("alone", "following"))
        # In a session of an agent, as at a terminal, a send does not wait.
        variables = sealed_variables(Path(scratch)) | {"GITCHAT_SESSION": "bench"}
        _, git_chat = programs()
        hub = _attach(following, variables, git_chat)
        print(printed(alone, following, variables, git_chat) + "\n\n" + delivered(following, hub, variables, git_chat))


def printed(alone: Path, following: Path, variables: Mapping[str, str], git_chat: str) -> str:
    """The table of the time until a send has printed, without and with a remote."""
    actions = {
        "in a room of this clone": partial(_first_line, alone, variables, git_chat),
        "in one that follows a remote": partial(_first_line, following, variables, git_chat),
    }
    interleaved(actions, WARM_UPS, lambda action: action())
    times = interleaved(actions, PAIRS, lambda action: action())
    without, following_times = times.values()
    later = sorted(1000 * (one - other) for one, other in zip(following_times, without, strict=True))
    quartiles = statistics.quantiles(later, n=4)
    return (
        f"Until `git-chat send` has printed the message's name, {PAIRS} interleaved rounds, in rooms of {RECORDS:,} "
        "records, `chat.fsync` on.\n\n"
        + table(["send", "ms, median"], [(name, milliseconds(taken)) for name, taken in times.items()])
        + f"\n\nWith a remote it is {quartiles[1]:.1f} ms later ({quartiles[0]:.1f} to {quartiles[2]:.1f}), paired."
    )


def delivered(repository: Path, hub: Path, variables: Mapping[str, str], git_chat: str) -> str:
    """The sentence that tells how soon a message is at the hub when nobody stays."""
    taken = [_seconds_to_hub(repository, hub, variables, git_chat) for _ in range(DELIVERIES)]
    return (
        f"From its printing until a message is at the hub, when no process stays: {statistics.median(taken):.1f} s "
        f"({min(taken):.1f} to {max(taken):.1f}), {DELIVERIES} messages, one each 8 s."
    )


def _attach(repository: Path, variables: Mapping[str, str], git_chat: str) -> Path:
    hub = repository.with_name("hub.git")
    subprocess.run(["git", "init", "-q", "--bare", str(hub)], env=variables, check=True)
    subprocess.run(["git", "remote", "add", "origin", str(hub)], cwd=repository, env=variables, check=True)
    subprocess.run([git_chat, "sync"], cwd=repository, env=variables, check=True, capture_output=True)
    return hub


def _first_line(repository: Path, variables: Mapping[str, str], git_chat: str) -> float:
    """Seconds until a send has printed its line; then it is waited for, but not for what it started."""
    start = perf_counter()
    process = subprocess.Popen([git_chat, "send", BODY], cwd=repository, env=variables, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    taken = perf_counter() - start
    process.communicate()
    return taken


def _seconds_to_hub(repository: Path, hub: Path, variables: Mapping[str, str], git_chat: str) -> float:
    sleep(8)  # whoever pushed the one before has ended
    before = _tip(hub, variables)
    _first_line(repository, variables, git_chat)
    start = perf_counter()
    while _tip(hub, variables) == before:
        sleep(0.02)
    return perf_counter() - start


def _tip(hub: Path, variables: Mapping[str, str]) -> str:
    command = ["git", "rev-parse", LOG]
    return subprocess.run(command, cwd=hub, env=variables, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
