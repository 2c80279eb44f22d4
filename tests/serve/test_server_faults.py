"""What a real server does with bad clients, a taken port, a lost repository, and its own end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from gitchat.serve import running as module
from tests.serve.serving import SECONDS, Serving, serving
from tests.serve.test_choosing import made_certificate
from tests.world import World

PATH = "/api/v1/session"
ANOTHER_UID = 12_345


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A world with a repository that has a room."""
    world = World(tmp_path_factory.mktemp("faults"))
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    return world, repo


@pytest.fixture(scope="module")
def running(place: tuple[World, Path]) -> Iterator[Serving]:
    """One server for all that does not end it."""
    world, repo = place
    with serving(world, cwd=repo) as running:
        yield running


def at(running: Serving) -> tuple[str, int]:
    """Where it listens."""
    found = urlsplit(running.url)
    assert found.hostname
    assert found.port
    return found.hostname, found.port


def read_to_the_end(wire: socket.socket) -> bytes:
    """All that comes until the other end closes, or cuts."""
    found = b""
    with suppress(ConnectionResetError):
        while part := wire.recv(65_536):
            found += part
    return found


def test_a_body_of_ten_megabytes_is_refused_with_an_answer_that_arrives(running: Serving) -> None:
    """Whether its length is announced or not; the connection ends, so nothing of it counts as the next request."""
    for headers in ({"Content-Length": str(10_000_000)}, {"Transfer-Encoding": "chunked"}):
        with closing(HTTPConnection(*at(running), timeout=SECONDS)) as connection:
            connection.putrequest("POST", PATH)
            for name, value in (headers | {"Content-Type": "application/json"}).items():
                connection.putheader(name, value)
            connection.endheaders()
            part = b"x" * 100_000
            for _ in range(100):
                connection.send(b"%x\r\n%s\r\n" % (len(part), part) if "Transfer-Encoding" in headers else part)
            if "Transfer-Encoding" in headers:
                connection.send(b"0\r\n\r\n")
            answer = connection.getresponse()
            assert answer.status == 413
            assert b'"body-too-long"' in answer.read()


def test_a_body_without_end_is_cut(running: Serving) -> None:
    """After an answer and a few more megabytes the server reads no more, and goes on serving others."""
    with closing(socket.create_connection(at(running), timeout=SECONDS)) as wire:
        wire.sendall(
            b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        part = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
        sent = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 400:
                wire.sendall(part)
                sent += 1
        assert sent < 100
    assert httpx2.get(f"{running.url}/health", timeout=SECONDS).status_code == 200


def test_headers_have_an_end(running: Serving) -> None:
    """64 KiB of them are enough for anybody."""
    with closing(socket.create_connection(at(running), timeout=SECONDS)) as wire:
        with suppress(BrokenPipeError, ConnectionResetError):
            wire.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n")
        assert read_to_the_end(wire).startswith((b"HTTP/1.1 400", b""))
    assert httpx2.get(f"{running.url}/health", timeout=SECONDS).status_code == 200


@pytest.mark.parametrize(
    "line",
    [b"\x00\xff\xfe\r\n\r\n", b"GET /\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"PRI * HTTP/2.0\r\n\r\n"],
)
def test_what_is_no_request_harms_nobody(running: Serving, line: bytes) -> None:
    """Noise, an old protocol, TLS where there is none: an answer or the end, and the next one is served."""
    with closing(socket.create_connection(at(running), timeout=SECONDS)) as wire:
        wire.sendall(line)
        wire.shutdown(socket.SHUT_WR)
        assert b" 200 " not in read_to_the_end(wire).partition(b"\r\n")[0]
    assert httpx2.get(f"{running.url}/health", timeout=SECONDS).status_code == 200


def test_who_is_slow_with_a_request_is_cut(place: tuple[World, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether in its headers, before them, or in its body; who sends all of it in time is not."""
    import asyncio
    import threading

    from gitchat.serve import limits

    world, repo = place
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(limits.Body.__init__, "__defaults__", (0.3,))
    told: list[module.Settings] = []
    ready, loop_of = threading.Event(), []

    def tell(settings: module.Settings) -> None:
        told.append(settings)
        loop_of.append(asyncio.get_running_loop())
        ready.set()

    monkeypatch.setattr(module, "_ended_by_signals", lambda server, served: _ended_by(loop_of, server, served))
    thread = threading.Thread(target=module.run, args=({"r": world.environment(repo)}, module.Settings(port=0), tell))
    thread.start()
    try:
        assert ready.wait(SECONDS)
        where = ("127.0.0.1", told[0].port)
        for beginning, answer in [
            (b"", b""),
            (b"GET /health HTTP/1.1\r\nHost: loc", b""),
            (b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             b"Content-Length: 100\r\n\r\n{", b"HTTP/1.1 408"),
        ]:  # fmt: skip
            with closing(socket.create_connection(where, timeout=SECONDS)) as wire:
                wire.sendall(beginning)
                assert read_to_the_end(wire)[: len(answer) or 1] == answer
        assert httpx2.get(f"http://127.0.0.1:{where[1]}/health", timeout=SECONDS).status_code == 200
    finally:
        loop_of[0].call_soon_threadsafe(_enders[0])
        thread.join(SECONDS)
    assert not thread.is_alive()


_enders: list[object] = []


def _ended_by(loops, server, served):  # type: ignore[no-untyped-def]
    """In the place of signals, which only the main thread gets."""
    from contextlib import nullcontext

    _enders[:] = [lambda: setattr(server, "should_exit", True)]
    return nullcontext()


def test_another_user_of_this_machine_needs_a_token(running: Serving) -> None:
    """A connection of another uid over the loopback really is refused, and one of the server's own is not."""
    if os.geteuid() != 0:
        assert not os.environ.get("CI"), "only root can connect as another user"
        pytest.skip("only root can connect as another user")
    statuses = {}
    for uid in (0, ANOTHER_UID):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(uid)
                os.setuid(uid)
                with closing(HTTPConnection(*at(running), timeout=SECONDS)) as connection:
                    connection.request("GET", PATH)
                    os.write(writing, str(connection.getresponse().status).encode())
            finally:
                os._exit(0)
        os.close(writing)
        os.waitpid(pid, 0)
        with open(reading, "rb") as file:
            statuses[uid] = int(file.read())
    assert statuses == {0: 200, ANOTHER_UID: 401}


def test_a_port_that_is_taken_is_named_with_who_has_it(place: tuple[World, Path], running: Serving) -> None:
    """Of a server of this clone the process; of another program that it is one. A second port is free to take."""
    world, repo = place
    port = str(at(running)[1])
    done = world.chat("serve", "--port", port, cwd=repo)
    assert done.returncode == 1
    assert f"process {running.pid}" in done.stderr
    assert "hint: get its address: git chat serve --url" in done.stderr
    other = world.repository("other")
    done = world.chat("serve", "--port", port, cwd=other)
    assert done.returncode == 1
    assert "another program" in done.stderr
    with serving(world, cwd=repo) as second:
        assert second.url != running.url
        assert world.chat("serve", "--url", cwd=repo, check=True).stdout.startswith(f"{second.url}/#code=")
        fresh = world.chat("serve", "--url", "--port", port, cwd=repo, check=True).stdout
        assert fresh.startswith(f"{running.url}/#code=")
    assert world.chat("serve", "--url", cwd=repo, check=True).stdout.startswith(running.url)


def test_the_code_of_the_printed_address_opens_the_page_once(place: tuple[World, Path], running: Serving) -> None:
    """As the person that the configuration names; the second time it opens nothing."""
    world, repo = place
    code = world.chat("serve", "--url", cwd=repo, check=True).stdout.strip().partition("#code=")[2]
    first = httpx2.post(f"{running.url}{PATH}", json={"code": code}, timeout=SECONDS)
    assert (first.status_code, first.json()["name"]) == (200, "alice")
    page = {"Origin": running.url, "Cookie": first.headers["set-cookie"].partition(";")[0]}
    sent = httpx2.post(
        f"{running.url}/api/v1/messages",
        json={"from": "alice", "to": "ALL", "message": "m"},
        headers=page,
        timeout=SECONDS,
    )
    assert sent.status_code == 200, sent.text
    shown = world.git("log", "-1", "--format=%an %ae%n%B", "refs/chatroom/rooms/lobby/log", cwd=repo).stdout
    assert shown.startswith("alice alice@example.com\n")
    assert "Chat-Origin: human" in shown
    again = httpx2.post(f"{running.url}{PATH}", json={"code": code}, timeout=SECONDS)
    assert (again.status_code, again.json()["code"]) == (401, "no-code")
    assert "git chat serve --url" in again.json()["hint"]


def test_a_server_that_was_killed_is_no_server(world: World) -> None:
    """Its address is not given out, and its port can be taken at once."""
    repo = world.repository()
    with serving(world, cwd=repo) as killed:
        killed.kill(signal.SIGKILL)
        done = world.chat("serve", "--url", cwd=repo)
        assert done.returncode == 1
        assert "no server runs here" in done.stderr
        file = repo / ".git/chatroom/serve.json"
        entry = json.loads(file.read_text()) | {"pid": os.getpid()}  # its number is another process's by now
        file.write_text(json.dumps(entry))
        assert "no server runs here" in world.chat("serve", "--url", cwd=repo).stderr
        with serving(world, "--port", str(at(killed)[1]), cwd=repo) as next_one:
            assert next_one.url == killed.url
            assert "others" not in json.loads(file.read_text())
    assert not (repo / ".git/chatroom/serve.json").exists()


def test_a_repository_that_is_deleted_below_it_is_an_error_that_says_nothing_of_places(world: World) -> None:
    """Health fails, requests get an error, the server lives, and ends in order."""
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    with serving(world, cwd=repo) as running, running.client() as client:
        assert client.get("/api/v1/rooms").status_code == 200
        shutil.rmtree(repo)
        answer = client.get("/health")
        assert (answer.status_code, answer.json().get("status")) == (503, "failing"), answer.text
        sent = client.post("/api/v1/messages", json={"from": "a", "to": "ALL", "message": "m"})
        assert sent.status_code in (404, 503), sent.text
        for path in ("/health", "/api/v1/agents?room=lobby"):
            told = client.get(path, headers={"X-Forwarded-For": "1.2.3.4"}).text
            assert str(repo) not in told
        assert running.kill() == 0


def test_with_a_certificate_it_speaks_tls_and_the_cookie_is_bound_to_it(world: World) -> None:
    """The address says https; the cookie is Secure and of this host alone."""
    repo = world.repository()
    certificate, key = made_certificate(world.root)
    token = world.chat("token", "add", "ana", cwd=repo, check=True).stdout.strip()
    with serving(world, "--tls-cert", certificate, "--tls-key", key, cwd=repo) as running:
        assert running.url.startswith("https://127.0.0.1:")
        with httpx2.Client(verify=ssl.create_default_context(cafile=certificate), timeout=SECONDS) as client:
            assert client.get(f"{running.url}/health").status_code == 200
            cookie = client.post(f"{running.url}{PATH}", json={"token": token}).headers["set-cookie"]
        assert cookie.startswith("__Host-gitchat-")
        assert "Secure" in cookie


def test_it_ends_while_requests_wait_and_tells_them(place: tuple[World, Path]) -> None:
    """A waiting request is answered, the server ends at once, and says nothing on standard error."""
    world, repo = place
    with serving(world, cwd=repo) as running:
        began = time.monotonic()
        with closing(HTTPConnection(*at(running), timeout=SECONDS)) as connection:
            connection.request("GET", "/api/v1/messages?agent_id=x&since_id=1&wait=600")
            status = running.kill()
            answer = connection.getresponse()
            assert answer.status in (200, 503)
        assert status == 0
        assert time.monotonic() - began < SECONDS
        assert running.process.stderr.read() == ""


@pytest.mark.skipif(not os.path.exists("/dev/shm"), reason="no small file system to fill is at hand")
def test_a_full_disk_is_507_and_nothing_was_written(world: World) -> None:
    """On a file system of a few megabytes that something else has filled."""
    if os.geteuid() != 0:
        assert not os.environ.get("CI"), "only root can mount a small file system"
        pytest.skip("only root can mount a small file system")
    small = world.root / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        repo = world.repository("small/repo")
        world.chat("send", "hello", cwd=repo, check=True)
        with serving(world, cwd=repo) as running, running.client() as client:
            with open(small / "filler", "wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            answer = client.post("/api/v1/messages", json={"from": "a", "to": "ALL", "message": "x" * 20_000})
            assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
            (small / "filler").unlink()
            assert client.post("/api/v1/messages", json={"from": "a", "to": "ALL", "message": "y"}).status_code == 200
    finally:
        subprocess.run(["umount", "-l", small], check=False)
