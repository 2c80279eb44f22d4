"""A repository to call the tools in, and other processes that call them there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchat.presence.holding import PROCESS
from gitchat.verbs import tools
from tests.world import World

_PEER = """
import json, sys
import gitchat.tools as s
from gitchat import ChatError
from gitchat.waking import watch

wait = watch.Changes.wait

def wait_and_say_so(changes, timeout_seconds=None):
    print("waiting", flush=True)
    return wait(changes, timeout_seconds)

watch.Changes.wait = wait_and_say_so

for line in sys.stdin:
    try:
        answer = {"value": eval(line)}
    except ChatError as error:
        answer = {"error": str(error), "code": error.code}
    print(json.dumps(answer), flush=True)
"""


DEADLINE_SECONDS = 120.0
"""After so long a program is killed that would otherwise keep a test waiting for ever."""


def doomed(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """``process``, which will not outlive the deadline: who reads from it then reads its end."""
    timer = threading.Timer(DEADLINE_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    return process


class Peer:
    """Another process in the repository. It calls the tools as it is told: ``s.join('codex')``."""

    def __init__(self, world: World, path: Path) -> None:
        self._process = doomed(
            subprocess.Popen(
                [sys.executable, "-c", _PEER],
                cwd=path,
                env=world.variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        )

    def does(self, call: str) -> Any:
        """What ``call`` gives there; an error as ``{"error", "code"}``."""
        self.begins(call)
        return self.result()

    def begins(self, call: str) -> None:
        """Let it call, and go on here."""
        assert self._process.stdin is not None
        self._process.stdin.write(call + "\n")
        self._process.stdin.flush()

    def until_it_waits(self) -> None:
        """Return when it looked, found nothing, and is about to sleep."""
        assert self._line() == "waiting"

    def result(self) -> Any:
        """What the call that has begun gives."""
        line = self._line()
        while line == "waiting":
            line = self._line()
        answer = json.loads(line)
        return answer.get("value", answer)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended"
        return line.strip()

    def kill(self) -> None:
        """As the kernel's out-of-memory killer would."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def path(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository without a room, in which this process then is; names that it takes are given back."""
    repository = world.repository()
    world.variables["AI_AGENT"] = "tester"  # else it would be a person where the tests run on a terminal
    for variable in os.environ.keys() - world.variables.keys():
        monkeypatch.delenv(variable)
    for variable, value in world.variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(repository)
    yield repository
    PROCESS.release()
    tools.forget()


@pytest.fixture
def new_peer(world: World, path: Path) -> Iterator[Callable[[], Peer]]:
    """Makes other processes in the repository."""
    peers: list[Peer] = []

    def make() -> Peer:
        peers.append(Peer(world, path))
        return peers[-1]

    yield make
    for peer in peers:
        peer.kill()


@pytest.fixture
def peer(new_peer: Callable[[], Peer]) -> Peer:
    """One other process."""
    return new_peer()
