"""What it costs to look for secrets: a plain send with the look and without it, and the look by itself.

Run by ``make bench``. Prints Markdown.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

from figures import interleaved, milliseconds, programs, ratios, sealed_variables, spread, table

from gitchat.model.secrets import Policy, find
from gitchat.quick.rules import is_suspect

PAIRS = 60
TEXT = "I take the parser; the lexer waits for bob (#31), see task-12"
LINK = f"{TEXT} and https://example.org/work/12?of=alice@example.org"
LONG = (f"{LINK}\n" * 800)[: 64 * 1024]


def main() -> None:
    """Print both tables."""
    print(sending(programs()[1]), "\n")
    print(looking())


def sending(program: str) -> str:
    """CPU time of the whole command, in pairs: the machine's other work is in no figure of it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home = Path(scratch)
        actions = {mode: partial(_send, home, _repository(home, mode), program) for mode in ("refuse", "off")}
        times = interleaved(actions, PAIRS, lambda action: action())
    shown = [[f"`chat.secrets={mode}`", milliseconds(found)] for mode, found in times.items()]
    ratio = spread(ratios(times["refuse"], times["off"]))
    return f"{table(['a plain send', 'CPU, ms'], shown)}\n\nOn against off, pair by pair: {ratio}."


def _repository(home: Path, mode: str) -> Path:
    place = home / mode
    for command in (["git", "init", "-q", str(place)], ["git", "-C", str(place), "config", "chat.secrets", mode]):
        subprocess.run(command, check=True, env=sealed_variables(home))
    return place


def _send(home: Path, place: Path, program: str) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([program, "send", "-q", TEXT], cwd=place, env=sealed_variables(home), check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def looking() -> str:
    """The look by substrings, and by expressions, in microseconds of CPU time."""
    policy, key = Policy(), "sk" + "-" + "0123456789abcdef" * 2
    looks: dict[str, tuple[Callable[[], object], int]] = {
        "a short message": (partial(is_suspect, TEXT.encode()), 20_000),
        "one with a link": (partial(is_suspect, LINK.encode()), 20_000),
        "64 KB": (partial(is_suspect, LONG.encode()), 200),
        "64 KB that hold a key, with the expressions": (partial(policy.look, f"{LONG}\n{key}".encode()), 20),
        "64 KB, the expressions alone": (partial(find, LONG), 20),
    }
    rows = []
    for name, (look, times) in looks.items():
        look()
        rows.append([name, f"{min(_repeated(look, times) for _ in range(5)):.3g}"])
    return table(["a look at", "CPU, µs"], rows)


def _repeated(look: Callable[[], object], times: int) -> float:
    before = process_time()
    for _ in range(times):
        look()
    return (process_time() - before) / times * 1e6


if __name__ == "__main__":
    main()
