"""Writers of every sort, killed at any moment, with git's gc beside: what was acknowledged stays, once, as numbered."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitchat.model.record import Draft
from gitchat.quick.unusual import Unusual
from gitchat.storage.store import Store
from tests.crash.writers import fork, identity, records, say, writer_of
from tests.needed import need
from tests.world import World, open_store

RELEASED = Path(__file__).parents[2] / ".tools" / "gitchat-0.1.0"

SEED = 20261129


def write_quick(common_dir: Path, said: int, name: str) -> None:
    """Send for ever, and tell what was acknowledged."""
    _write(open_store(common_dir, fsync=random.random() < 0.3), said, name, None)


def write_long(common_dir: Path, said: int, name: str) -> None:
    """The same, by the long way alone."""
    store = open_store(common_dir, fsync=False)

    def no_quick_way(*arguments: object, **named: object) -> None:
        raise Unusual

    store.append = no_quick_way  # type: ignore[method-assign, assignment]
    _write(store, said, name, None)


def write_keyed(common_dir: Path, said: int, name: str) -> None:
    """The same, with keys, which need the index."""
    _write(open_store(common_dir, fsync=False), said, name, "key")


def _write(store: Store, said: int, name: str, key: str | None) -> None:
    writer, turn = writer_of(store), 0
    while True:
        turn += 1
        text = f"{name} {turn}"
        sent = writer.send(Draft(body=text), identity(name), key=f"{key} {text}" if key else None)
        os.write(said, json.dumps([sent.entry.number, text]).encode() + b"\n")


RELEASED_SCRIPT = """
import json, os, sys
from pathlib import Path
from gitchat import Room, __version__
assert __version__ == "0.1.0"
room = Room.open(sys.argv[1], room="lobby", name=sys.argv[3])
turn = 0
while True:
    turn += 1
    text = f"{sys.argv[3]} {turn}"
    os.write(int(sys.argv[2]), json.dumps([room.send(text).number, text]).encode() + b"\\n")
"""


class Fight:
    """Writers on one room; some of them are killed, and others take their places."""

    def __init__(self, world: World, kills: int) -> None:
        self.common_dir = world.repository() / ".git"
        self._kills = kills
        self._world = world
        self._random = random.Random(SEED)
        say(open_store(self.common_dir, fsync=False), "first")
        self._said, self._told = os.pipe()
        self._writers: dict[int, tuple[str, str]] = {}
        """By process: the sort and the name."""
        self.acknowledged: list[tuple[int, str]] = []
        self._rest = b""
        self._count = 0
        self.sorts: dict[str, int] = {}

    def _start(self) -> None:
        self._count += 1
        works = [write_quick, write_quick, write_long, write_keyed]
        name = f"w{self._count}"
        if self._count % 8 == 5 and (RELEASED / "bin" / "python").exists():
            sort = "released"
            command = (RELEASED / "bin" / "python", "-c", RELEASED_SCRIPT)
            arguments = (self.common_dir.parent, str(self._told), name)
            variables = {**self._world.variables, "GITCHAT_NAME": name}
            started = subprocess.Popen(
                [*command, *arguments], pass_fds=(self._told,), env=variables, cwd=self.common_dir.parent
            )
            pid = started.pid
            started.returncode = 0  # waited for below
        else:
            work = self._random.choice(works)
            sort = work.__name__
            seed = self._random.random()

            def begin() -> None:
                random.seed(seed)
                work(self.common_dir, self._told, name)

            pid = fork(begin)
        self._writers[pid] = (sort, name)

    def _hear(self, seconds: float) -> None:
        os.set_blocking(self._said, False)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self._rest += os.read(self._said, 65536)
            except BlockingIOError:
                time.sleep(0.002)
        *lines, self._rest = self._rest.split(b"\n")
        self.acknowledged += [(number, text) for number, text in map(json.loads, lines)]

    def _one_who_spoke(self) -> int:
        """A writer whose first record was acknowledged, so that it is at work."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self._hear(0.005)
            spoke = {text.partition(" ")[0] for _, text in self.acknowledged[-5000:]}
            able = [pid for pid, (_, name) in sorted(self._writers.items()) if name in spoke]
            if able:
                return self._random.choice(able)
        raise AssertionError(f"nobody came to speak: {self._writers}")

    def run(self) -> None:
        """All of it. Raises AssertionError where a writer ended by itself."""
        collecting: subprocess.Popen[bytes] | None = None
        try:
            for kill in range(self._kills):
                while len(self._writers) < 4:
                    self._start()
                pid = self._one_who_spoke()
                self._hear(self._random.uniform(0.001, 0.05))
                if collecting is None or collecting.poll() is not None:
                    prune = ("--prune=now",) if kill % 3 == 0 else ()
                    collecting = subprocess.Popen(
                        ["git", "gc", "-q", *prune],
                        cwd=self.common_dir,
                        env=self._world.variables,
                        stderr=subprocess.DEVNULL,
                    )
                os.kill(pid, signal.SIGKILL)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                sort, _ = self._writers.pop(pid)
                assert status == -signal.SIGKILL, f"{sort} ended by itself with {status}"
                self.sorts[sort] = self.sorts.get(sort, 0) + 1
        finally:
            for pid in self._writers:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            if collecting is not None:
                collecting.wait()
        self._hear(0.05)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(100, marks=pytest.mark.slow),
        pytest.param(1000, marks=pytest.mark.soak),
    ],
)
def test_kills_of_mixed_writers_lose_double_and_renumber_nothing(world: World, kills: int) -> None:
    """Quick, long and keyed ones, and version 0.1.0: each acknowledged number has its text, once."""
    need("git")
    fight = Fight(world, kills)
    fight.run()
    found = records(fight.common_dir)
    bodies = [entry.record.body for entry in found]
    assert [entry.number for entry in found] == list(range(1, len(found) + 1))
    assert len({*bodies}) == len(bodies)
    wrong = [(number, text) for number, text in fight.acknowledged if bodies[number - 1 : number] != [text]]
    assert not wrong
    assert len(fight.acknowledged) > kills
    print(f"{kills} kills of {fight.sorts}: {len(fight.acknowledged)} acknowledged", file=sys.stderr)
    store = open_store(fight.common_dir)
    store.heal(is_forced=True)
    world.git("fsck", "--strict", "--no-dangling", cwd=fight.common_dir)
    assert say(store, "after it all").entry.number == len(found) + 1
