"""A bare hub, clones of it, and the servers that git itself has."""

from __future__ import annotations

import base64
import json
import math
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gitchat.storage import gate
from gitchat.workspace.pushing import lock_of
from tests.world import Argument, Done, World

LOG = "refs/chatroom/rooms/lobby/log"
TRACKING = "refs/chatroom-local/remotes/origin/lobby/log"
CREDENTIALS = "alice:open sesame"
PATIENCE_SECONDS = 60

APART = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "chat.sync", "GIT_CONFIG_VALUE_0": "manual"}
"""Variables with which a room is begun here alone, although the clone's remote may have one of that name."""


class Clone:
    """One clone of the hub, in which the program runs."""

    def __init__(self, world: World, path: Path, name: str) -> None:
        self.world = world
        self.path = path
        self.name = name

    def git(self, *arguments: Argument, **options: Any) -> Done:
        """``git <arguments>`` in the clone."""
        return self.world.git(*arguments, cwd=self.path, **options)

    def chat(self, *arguments: Argument, **options: Any) -> Done:
        """``git chat <arguments>`` in the clone, as its own person."""
        return self.world.chat(*arguments, cwd=self.path, **{"GITCHAT_NAME": self.name, **options})

    def say(self, body: str, **options: Any) -> None:
        """Send one message, which must be acknowledged."""
        self.chat("send", body, check=True, **options)

    def sync(self, *arguments: Argument, **options: Any) -> Done:
        """A sync that must do what it is asked."""
        return self.chat("sync", *arguments, check=True, **options)

    def records(self) -> list[dict[str, Any]]:
        """All records of the lobby, oldest first, as JSON."""
        return [json.loads(line) for line in self.chat("log", "-n", "100000", "--json", check=True).stdout.splitlines()]

    def bodies(self) -> list[str]:
        """What the lobby says, oldest first."""
        return [record["content"] for record in self.records()]

    def numbered(self) -> list[tuple[int | None, str]]:
        """(number, body) of every record, oldest first."""
        return [(record["id"], record["content"]) for record in self.records()]


def is_free(clone: Clone) -> bool:
    """Whether nobody pushes for the clone: what is sent then starts a pusher of its own."""
    try:
        with gate.hold(clone.path / ".git" / "chatroom", 0, lock_of("origin")):
            return True
    except gate.ConflictError:
        return False


@contextmanager
def keeping(clone: Clone) -> Iterator[Callable[[], str]]:
    """Somebody who stays in the clone; what it says on standard error."""
    told = clone.path.parent / f"{clone.name}-said"
    with told.open("wb") as file:
        program = subprocess.Popen(
            ["git-chat", "sync", "--watch"],
            cwd=clone.path,
            env=clone.world.variables | {"GITCHAT_NAME": clone.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        yield told.read_text
    finally:
        program.terminate()
        program.wait()


class Hub:
    """A bare repository that clones come together at."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        self.requests = self.received_bytes = self.sent_bytes = 0
        """How many requests came over smart HTTP; of their bodies, and of the answers."""
        self.sync = "manual"
        """What ``chat.sync`` is in its clones, where nothing else is said: most tests are about one round."""
        world.git("init", "-q", "--bare", path)

    def git(self, *arguments: Argument, **options: Any) -> Done:
        """``git <arguments>`` in the hub."""
        return self.world.git(*arguments, cwd=self.path, **options)

    def clone(self, name: str, url: Argument | None = None, *, sync: str | None = None) -> Clone:
        """A new repository whose ``origin`` is the hub, or ``url``; with ``sync`` ``batch`` it syncs by itself."""
        clone = Clone(self.world, self.world.repository(name), name)
        clone.git("remote", "add", "origin", url or self.path)
        clone.git("config", "chat.sync", sync or self.sync)
        return clone

    def hook(self, script: str, name: str = "pre-receive") -> Path:
        """What the hub asks before it takes a push."""
        path = self.path / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    @property
    def tip(self) -> str:
        """The newest commit of the lobby here."""
        return self.git("rev-parse", LOG).stdout.strip()

    def assert_clean(self) -> None:
        """git finds nothing to complain about."""
        assert self.git("fsck", "--strict", "--no-dangling").stdout == ""  # or it fails


def settle(clones: list[Clone]) -> None:
    """Bring everybody to rest: all that is pending is pushed, then all that was pushed is fetched."""
    for _ in range(2):
        for clone in clones:
            clone.sync()


def assert_same_view(hub: Hub, clones: list[Clone], bodies: list[str]) -> None:
    """Everywhere the same records with the same numbers, each of ``bodies`` once, and a sound hub."""
    first, *others = [clone.numbered() for clone in clones]
    assert sorted(body for _, body in first) == sorted(bodies)
    assert [number for number, _ in first] == list(range(1, len(bodies) + 1))
    for other in others:
        assert other == first
    assert {clone.git("rev-parse", LOG).stdout.strip() for clone in clones} == {hub.tip}
    hub.assert_clean()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when somebody listens at ``port``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.02)


@contextmanager
def git_daemon(hub: Hub, *options: str) -> Iterator[str]:
    """The address of the hub under ``git daemon``, which takes pushes unless ``options`` say otherwise."""
    port = free_port()
    process = subprocess.Popen(
        [
            "git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all", "--enable=receive-pack",
            "--reuseaddr", f"--base-path={hub.path.parent}", *options,
        ],
        env=hub.world.variables,
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_for_port(port, process)
        yield f"git://127.0.0.1:{port}/{hub.path.name}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _backend_handler(hub: Hub, max_bytes: float) -> type[BaseHTTPRequestHandler]:
    """What runs ``git http-backend`` for who knows the password. Source: git-http-backend(1).

    A body over ``max_bytes`` is answered as a proxy does that stands before a host.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            pass

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self._body()
            hub.requests += 1
            hub.received_bytes += len(body)
            wanted = "Basic " + base64.b64encode(CREDENTIALS.encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self._answer(401, [("WWW-Authenticate", 'Basic realm="hub"')], b"")
                return
            if len(body) > max_bytes:
                self._answer(413, [("Content-Type", "text/html")], b"<h1>413 Request Entity Too Large</h1>")
                return
            path, _, query = self.path.partition("?")
            variables = hub.world.variables | {
                "GIT_PROJECT_ROOT": str(hub.path.parent), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "alice",
                "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_ADDR": "127.0.0.1",
            }  # fmt: skip
            done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=variables, check=False)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            pairs = [line.partition(": ")[::2] for line in head.decode().split("\r\n") if line]
            status = int(next((value.split()[0] for key, value in pairs if key == "Status"), "200"))
            self._answer(status, [(key, value) for key, value in pairs if key != "Status"], content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            hub.sent_bytes += len(content)
            self.send_response(status)
            for key, value in [*headers, ("Content-Length", str(len(content)))]:
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


@contextmanager
def smart_http(hub: Hub, credentials: str = CREDENTIALS, *, max_bytes: float = math.inf) -> Iterator[str]:
    """The address of the hub under ``git http-backend``, which asks for a password; git is given ``credentials``."""
    hub.git("config", "http.receivepack", "true")
    user, _, password = credentials.partition(":")
    hub.world.git(
        "config", "--global", "credential.helper", f"!f() {{ echo 'username={user}'; echo 'password={password}'; }}; f"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), _backend_handler(hub, max_bytes))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{hub.path.name}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a server that accepts every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"git://127.0.0.1:{listener.getsockname()[1]}/hub.git"


Serving = Callable[[Hub], Any]


BRANCHES_ONLY = """while read old new ref; do
  case $ref in refs/heads/*) ;; *) echo "only branches and tags may be pushed here, not $ref" >&2; exit 1 ;; esac
done"""
"""A hook of a hub that takes branches only."""
