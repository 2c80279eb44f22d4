"""Three clones of one hub in which all write, read, sync, pack and prune at once, and many are killed.

What was acknowledged is in all of them, once, under one number; each reads once what reaches it; and no index had to be
built anew.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from gitchat.index import files
from tests.clones.conftest import Clone, Hub, settle

SECONDS = 90.0
KILLED = 0.25
"""Of those that write or sync."""

KILLED_WITHIN = 0.6
"""Seconds after their start."""


class Crowd:
    """Two in each clone who write and read, and one who looks after the clones."""

    def __init__(self, clones: list[Clone], seed: int) -> None:
        self.clones = clones
        self._seed = seed
        self.names = {f"{clone.name}{number}": clone for clone in clones for number in (1, 2)}
        self.acknowledged: list[str] = []
        self.read: dict[str, list[str]] = {name: [] for name in self.names}
        self.kills = 0
        self.failures: list[str] = []
        self._end = time.monotonic() + SECONDS

    def run(self) -> None:
        """All at once, until the time is over."""
        works: list[Callable[[], None]] = [self._care]
        for name in self.names:
            works += [lambda name=name: self._write(name), lambda name=name: self._reads(name)]  # type: ignore[misc]
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def read_rest(self) -> None:
        """What is unread in the end."""
        for name in self.names:
            self._read(name)

    def _is_on(self) -> bool:
        return time.monotonic() < self._end

    def _write(self, name: str) -> None:
        chance, count = random.Random(f"{self._seed} {name}"), 0
        while self._is_on():
            count += 1
            text = f"{name} says {count}"
            to = ["--to", chance.choice(sorted(self.names))] if chance.random() < 0.5 else []
            if self._done(name, chance, "send", *to, text):
                self.acknowledged.append(text)
            time.sleep(chance.uniform(0, 0.3))

    def _reads(self, name: str) -> None:
        chance = random.Random(f"{self._seed} reads {name}")
        while self._is_on():
            self._read(name)
            time.sleep(chance.uniform(0.1, 0.6))

    def _read(self, name: str) -> None:
        done = self.names[name].chat("read", GITCHAT_NAME=name)
        if done.returncode:
            self.failures.append(f"read of {name}: {done.returncode}, {done.stderr}")
        shown = done.stdout
        self.read[name] += [line.strip() for line in shown.splitlines() if " says " in line]

    def _care(self) -> None:
        chance = random.Random(self._seed)
        while self._is_on():
            clone = chance.choice(self.clones)
            work = chance.choice(["sync", "sync", "gc", "pack"])
            if work == "sync":
                self._done(f"{clone.name}1", chance, "sync")
            else:
                words = ("gc", "-q", "--prune=now") if work == "gc" else ("pack-refs", "--all")
                clone.git(*words, check=False)
            time.sleep(chance.uniform(0.2, 0.8))

    def _done(self, name: str, chance: random.Random, *words: str) -> bool:
        """Whether a program came to its end, which many do not: they are killed with all that they started."""
        clone = self.names[name]
        variables = clone.world.variables | {"GITCHAT_NAME": name}
        with subprocess.Popen(
            ["git-chat", *words], cwd=clone.path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:  # fmt: skip
            try:
                patience = chance.uniform(0, KILLED_WITHIN) if chance.random() < KILLED else 60
                _, errors = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                self.kills += 1
                return False
        if process.returncode:
            self.failures.append(f"{words}: {process.returncode}, {errors.decode()}")
        return process.returncode == 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_kills_in_three_clones_lose_double_and_renumber_nothing(hub: Hub, seed: int) -> None:
    """All records, their numbers, who read what, and the files of the indexes."""
    clones = [hub.clone(name, sync="batch") for name in ("ann", "bob", "carol")]
    clones[0].say("begin")
    for clone in clones:
        clone.sync()
    crowd = Crowd(clones, seed)
    crowd.run()
    settle(clones)
    crowd.read_rest()
    views = [clone.numbered() for clone in clones]
    assert all(view == views[0] for view in views)
    assert [number for number, _ in views[0]] == list(range(1, len(views[0]) + 1))
    times = Counter(body for _, body in views[0])
    assert max(times.values()) == 1
    assert set(crowd.acknowledged) <= times.keys()
    records = clones[0].records()
    for name, shown in crowd.read.items():
        meant = [one["content"] for one in records if one["to"] in ("all", name) and one["from"] != name]
        twice = [text for text, count in Counter(shown).items() if count > 1]
        assert not twice, name
        assert set(shown) == set(meant) - {"begin"}, name
    assert not crowd.failures
    indexes = [path.name for clone in clones for path in (clone.path / ".git" / "chatroom").glob("index.*.db")]
    assert indexes == [files.after(None)] * 3, "it was built anew"
    for clone in clones:
        clone.chat("verify", check=True)
        clone.git("fsck", "--no-dangling")
    print(f"{crowd.kills} kills, {len(crowd.acknowledged)} acknowledged", file=sys.stderr)
