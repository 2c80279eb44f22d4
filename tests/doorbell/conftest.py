"""A real NATS server, that can be killed and come back, and clones that ring by it."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.clones.conftest import Clone, free_port, wait_for_port
from tests.needed import need


class Nats:
    """A NATS server at one port."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._watched_at = free_port()
        ports = ["-a", "127.0.0.1", "-p", str(self.port), "-m", str(self._watched_at)]
        self._command = [need("nats-server"), *ports, *options]
        self._log = directory / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to listen, and return when it does."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for_port(self.port, self._process)

    def subjects(self) -> list[str]:
        """What is listened to, once for each who does; sorted."""
        with urlopen(f"http://127.0.0.1:{self._watched_at}/connz?subs=1") as answer:
            connections = json.load(answer)["connections"]
        return sorted(subject for one in connections for subject in one.get("subscriptions_list", ()))

    def hears(self, count: int) -> bool:
        """Whether so many listen to the bell of a room."""
        return sum(subject.endswith(".bell") for subject in self.subjects()) == count

    def kill(self) -> None:
        """End at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def shared_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    """One server for the tests of a module that do it no harm."""
    server = Nats(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    """A server of the test's own."""
    server = Nats(tmp_path)
    server.start()
    yield server
    with suppress(OSError):
        server.kill()


def ring_by(server: Nats, *clones: Clone, interval_seconds: float = 600) -> None:
    """Let clones knock at ``server``, and look by themselves so seldom that no test sees it."""
    for clone in clones:
        clone.git("config", "chat.nats", server.url)
        clone.git("config", "chat.syncInterval", str(interval_seconds))


class Talker:
    """Somebody who reaches the server and says what he likes, by NATS's own protocol."""

    def __init__(self, server: Nats) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port))
        self._file = self._socket.makefile("rwb")
        assert self._file.readline().startswith(b"INFO ")
        self._file.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')

    def say(self, subject: str, data: bytes) -> None:
        """Publish ``data``, and return when the server has it."""
        self._file.write(b"PUB %s %d\r\n%s\r\nPING\r\n" % (subject.encode(), len(data), data))
        self._file.flush()
        while not (answer := self._file.readline()).startswith(b"PONG"):
            assert answer.startswith((b"PING", b"+OK", b"INFO")), answer

    def say_many(self, subject: str, data: bytes, count: int) -> None:
        """The same, so many times at once."""
        self._file.write((b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(data), data)) * (count - 1))
        self.say(subject, data)

    def __enter__(self) -> Talker:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
