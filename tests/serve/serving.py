"""A running server for tests: the real ``git chat serve``, or its application in this process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
from starlette.testclient import TestClient

from gitchat.serve import app
from gitchat.serve.served import Served
from gitchat.serve.settings import Settings
from gitchat.workspace.environment import Environment
from tests import preloaded
from tests.world import World

SECONDS = 60
"""How long a server may take to begin, or to end, on a machine under load."""

LOADED = ("gitchat.serve.protocol", "gitchat.serve.running", "gitchat.serve.hub", "gitchat.serve.app")
"""What a server needs besides what commands do; each test that starts one would load it again."""


@dataclass
class Serving:
    """A server that answers."""

    url: str
    """Its address, without a slash at its end."""
    line: str
    """What it has printed."""
    pid: int
    process: preloaded.Running

    def client(self, **headers: str) -> httpx2.Client:
        """A program of the same user on the same machine, which sends ``headers`` each time; to be closed."""
        return httpx2.Client(base_url=self.url, headers=headers, timeout=SECONDS)

    def kill(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, as nobody but a test does; its exit status."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return self.process.wait()


@contextmanager
def serving(world: World, *options: str, cwd: Path, **variables: str) -> Iterator[Serving]:
    """The real ``git chat serve`` in ``cwd``, on a free port unless ``options`` name one; ended afterwards."""
    chosen = () if "--port" in options else ("--port", "0")
    words = ("serve", *chosen, *options)
    process = preloaded.begin(words, cwd, world.variables | variables, LOADED)
    try:
        line = process.stdout.readline()
        assert line, f"{words} ended with {process.wait()}: {process.stderr.read()}"
        url = line.split()[-1].partition("/#")[0].rstrip("/")
        running = Serving(url, line.rstrip("\n"), process.pid, process)
        try:
            _await_answer(url)
            yield running
        finally:
            running.kill()
    finally:
        process.close()


def _await_answer(url: str) -> None:
    end = time.monotonic() + SECONDS
    with httpx2.Client(verify=False) as client:
        while True:
            with suppress(httpx2.TransportError):
                client.get(f"{url}/health", timeout=SECONDS)
                return
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.02)


@contextmanager
def in_process(environment: Environment, settings: Settings | None = None) -> Iterator[TestClient]:
    """A client of the application in this process, as a program of the same user: for tables of many cases.

    The server has a copy of ``environment``: what is open in it is for the server's worker thread alone.
    """
    settings = settings or Settings()
    served = Served.of({"repo": replace(environment)}, settings, lambda theirs, ours: os.geteuid())
    client = ("127.0.0.1", 50000)
    with TestClient(app.make(served), settings.base_url, raise_server_exceptions=False, client=client) as made:
        made.headers.pop("user-agent")
        yield made
