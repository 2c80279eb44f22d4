"""git-chat of the tree beside it, with a clock and randomness that are the same in every run.

``compare_trees.py`` writes this file as ``bin/git-chat`` and ``bin/python``, beside the folder ``tree`` and the
file ``step``. As ``python`` it is what gitchat starts for work that nobody waits for, and what a hook
finds: they run the same tree. Only the standard library is replaced, for the modules of two trees have different
names, and that before the first of them is imported.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import time
from collections import Counter

PLACE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.join(PLACE, "tree")
STEP = os.path.join(PLACE, "step")
"""Holds the number of the step; empty lines after it, one for each process that began in it."""

BEGIN_SECONDS = 1_790_000_000
SECONDS_A_STEP = 60


def main() -> None:
    """Run gitchat's command line as its installed program does."""
    sys.path.insert(0, TREE)  # before site-packages, where an editable install of another tree may stand
    sys.executable = os.path.join(PLACE, "bin", "python")
    if sys.argv[1:4] == ["-P", "-m", "gitchat"]:  # as version 0.1.0 starts what goes on aside
        del sys.argv[1:4]
    elif sys.argv[1:2] == ["-P"] and sys.argv[2].endswith("/gitchat/__main__.py"):
        del sys.argv[1:3]
    process, count = _enter(), Counter[int]()

    def clock() -> float:
        return float(BEGIN_SECONDS + SECONDS_A_STEP * _step())

    def random_bytes(size: int) -> bytes:
        # Counted by size: a retry, which draws one byte, must not change the uid that is drawn next.
        count[size] += 1
        return hashlib.shake_256(f"{_step()} {process} {size} {count[size]}".encode()).digest(size)

    utc, local = time.gmtime, time.localtime
    time.time, os.urandom = clock, random_bytes
    time.gmtime = lambda seconds=None: utc(clock() if seconds is None else seconds)
    time.localtime = lambda seconds=None: local(clock() if seconds is None else seconds)

    import gitchat
    from gitchat.__main__ import main as run

    assert list(gitchat.__path__) == [os.path.join(TREE, "gitchat")], gitchat.__path__
    run()


def _step() -> int:
    with open(STEP, encoding="ascii") as file:
        return int(file.read())


def _enter() -> int:
    """Which process of its step this one is."""
    with open(STEP, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        place = file.read().count("\n")
        file.write("\n")
    return place


if __name__ == "__main__":
    main()
