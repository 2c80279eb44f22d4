"""Cut the power of a machine in which six write, again and again, and see what its room has. Run by ``make power``.

usage: python -m tests.power [--seconds N] [--cuts N] [--seed N] [--fsync false] [--kvm] [--into DIR]

Each message that was acknowledged before the cut has to be there once, under the number that was told, and ``verify``
has to find nothing. With ``--fsync false`` something has to be lost: else this would see nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.power import machine
from tests.power.disk import Log

DISK_BYTES = 256 << 20
START_SECONDS = 600


class Acknowledged(NamedTuple):
    """A message that its sender was told is kept."""

    text: str
    label: str
    end: int
    """How long the log of writes was when we heard of it."""


class Trial:
    """A disk that is written until the power goes, and looked at as it may be then."""

    def __init__(self, scratch: Path, *, is_quick: bool) -> None:
        self._scratch = scratch
        self._is_quick = is_quick
        self._image = machine.image(scratch)
        self._before = scratch / "before"
        _make_disk(scratch, self._before)
        self.said: list[Acknowledged] = []

    def write(self, fsync: str, seconds: float) -> Log:
        """The writes to the disk until the power goes; what is acknowledged goes to ``said``."""
        disk, path = self._scratch / "disk", self._scratch / "log"
        shutil.copy(self._before, disk)
        path.touch()
        process = machine.start(
            self._image, f"gitchat-fsync={fsync}", machine.recording(disk, path), is_quick=self._is_quick
        )
        assert process.stdout is not None
        until = time.monotonic() + START_SECONDS
        try:
            for line in process.stdout:
                kind, _, rest = line.strip().partition(" ")
                if kind == "READY":
                    until = time.monotonic() + seconds
                elif kind == "ACK":
                    text, _, label = rest.partition(" ")
                    self.said.append(Acknowledged(text, label, path.stat().st_size))
                elif kind == "PROBLEM":
                    print("while writing:", rest, flush=True)
                if time.monotonic() > until:
                    break
        finally:
            process.kill()
            process.wait()
        if not self.said:
            raise SystemExit("error: the machine did not write")
        return Log(path)

    def look(self, log: Log, count: int, chance: random.Random) -> list[str]:
        """What is not as it was promised on the disk that the power left behind ``count`` writes."""
        disk, tree = self._scratch / "cut", self._scratch / "found"
        shutil.copy(self._before, disk)
        lost = log.cut(disk, count, chance)
        must = [one for one in self.said if one.end <= log.writes[count - 1].end]
        print(f"cut behind write {count:,}: {lost} lost, {len(must):,} messages acknowledged", flush=True)
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        checked = _run(
            "e2fsck", "-fy", str(disk)
        )  # the file system's journal is applied, as by a kernel that mounts it
        if checked.returncode > 1:
            return [f"e2fsck: {checked.stdout[-300:]}"]
        _run("debugfs", "-R", f"rdump /room {tree}", str(disk))
        python = self._scratch / "venv" / "bin" / "python"
        words = [str(python), str(machine.HERE / "look.py"), str(tree / "room")]
        told = subprocess.run(words, env=_variables(self._scratch), capture_output=True, text=True, check=True).stdout
        return faults(must, told)


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or program
    return subprocess.run([path, *arguments], capture_output=True, text=True, errors="replace", check=False)


def _variables(scratch: Path) -> dict[str, str]:
    """The environment of commands that look: of nobody's settings."""
    path = f"{scratch / 'venv' / 'bin'}:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(scratch), "GIT_CONFIG_NOSYSTEM": "1", "GITCHAT_NAME": "alice"}


def _make_disk(scratch: Path, disk: Path) -> None:
    """A disk with an ext4 that has a repository."""
    tree = scratch / "tree"
    subprocess.run(["git", "init", "-q", str(tree / "room")], env=_variables(scratch), check=True)
    with disk.open("wb") as stream:
        stream.truncate(DISK_BYTES)
    _run("mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(tree), str(disk)).check_returncode()


def faults(must: list[Acknowledged], told: str) -> list[str]:
    """What is not as it was promised, of what look.py tells of a room."""
    lines = [line.split() for line in told.splitlines()]
    has = [(words[1], words[2]) for words in lines if words[:1] == ["HAS"] and len(words) == 3]
    labels, times = dict(has), Counter(text for text, _ in has)
    found = [" ".join(words) for words in lines if words[:1] == ["PROBLEM"]]
    found += [f"{one.text} {one.label} is lost" for one in must if one.text not in labels]
    moved = [one for one in must if labels.get(one.text, one.label) != one.label]
    found += [f"{one.text} was {one.label} and is {labels[one.text]}" for one in moved]
    found += [f"{text} is there {count} times" for text, count in times.items() if count > 1]
    sent = [words for words in lines if words[:2] == ["HAS", "after"] and len(words) == 4]
    if not any(words[2] == f"#{int(words[3]) + 1}" for words in sent):
        found.append("nothing could be sent then")
    return found


def main() -> None:
    """Do that, and say what came of it; exit with 1 where something is not as promised."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--cuts", type=int, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--fsync", default="true", choices=["true", "false"])
    asked.add_argument("--kvm", action="store_true", help="where that works: ten times as quick")
    asked.add_argument("--into", help="an empty directory, in which all stays")
    options = asked.parse_args()
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        name = options.into or stack.enter_context(tempfile.TemporaryDirectory())
        trial = Trial(Path(name), is_quick=options.kvm)
        log = trial.write(options.fsync, options.seconds)
        print(f"{len(trial.said):,} messages acknowledged, {len(log.writes):,} writes to the disk", flush=True)
        first = next(place for place, write in enumerate(log.writes, 1) if write.end >= trial.said[0].end)
        counts = sorted(chance.sample(range(first, len(log.writes)), min(options.cuts, len(log.writes) - first)))
        wrong = 0
        for count in counts:
            found = trial.look(log, count, chance)
            wrong += bool(found)
            for fault in found[:5]:
                print(f"  {fault}", flush=True)
    print(f"{len(counts)} power cuts, {wrong} with something lost, doubled, renumbered or refused")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
