"""docs/deploy.md, "Behind a proxy": the real nginx and Caddy, with the very lines that it tells people to write."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import ssl
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from websockets.sync.client import connect

from tests.clones.conftest import free_port
from tests.clones.servers import running
from tests.needed import need
from tests.serve.serving import SECONDS, serving
from tests.serve.test_choosing import made_certificate
from tests.world import World

pytestmark = pytest.mark.web

NAME = "rooms.example.org"
DOCUMENT = Path(__file__).parents[2] / "docs" / "deploy.md"
LONG = "x" * 60_000
"""More than a proxy gathers before it passes anything on, and than it takes into memory."""


@dataclass
class Proxied:
    """A server that is reached through a proxy alone, by a name and with TLS."""

    world: World
    repo: Path
    port: int
    certificate: str
    token: str

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """What trusts its certificate and no other."""
        return ssl.create_default_context(cafile=self.certificate)

    @property
    def origin(self) -> str:
        """Its address, as everybody but the proxy has it."""
        return f"https://{NAME}:{self.port}"

    def client(self, **headers: str) -> httpx2.Client:
        """A program somewhere; to be closed."""
        return httpx2.Client(base_url=self.origin, verify=self.trusted, timeout=SECONDS, headers=headers)

    @property
    def theirs(self) -> dict[str, str]:
        """What shows the token."""
        return {"Authorization": f"Bearer {self.token}"}

    def say(self, text: str) -> None:
        """Somebody in the clone says it to all."""
        self.world.chat("send", text, cwd=self.repo, check=True)


def told() -> Iterator[str]:
    """What the document tells to write: its indented blocks below the heading."""
    text = DOCUMENT.read_text().partition("## Behind a proxy\n")[2].partition("\n## ")[0]
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE):
        if block.strip():
            yield textwrap.dedent(block).strip()


def changed(text: str, **pairs: tuple[str, str]) -> str:
    """``text`` with what is another here; each has to be in it."""
    for was, now in pairs.values():
        assert was in text, was
        text = text.replace(was, now)
    return text


@contextmanager
def caddy(place: Path, port: int, back: str, certificate: str, key: str) -> Iterator[None]:
    """Caddy with the document's file. The certificate is ours, for nobody would give it one for that name."""
    (said,) = (block for block in told() if "reverse_proxy" in block)
    said = changed(
        said,
        name=(f"{NAME} {{", f"{NAME}:{port} {{\n    bind 127.0.0.1\n    tls {certificate} {key}"),
        back=("127.0.0.1:8080", back),
    )
    (place / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{said}\n")
    home = {"HOME": str(place), "XDG_DATA_HOME": str(place / "data"), "XDG_CONFIG_HOME": str(place / "config")}
    with running(need("caddy"), "run", "--config", place / "Caddyfile", port=port, **home):
        yield


@contextmanager
def nginx(place: Path, port: int, back: str, certificate: str, key: str) -> Iterator[None]:
    """nginx with the document's file, included as Debian does it."""
    (said,) = (block for block in told() if "proxy_pass" in block)
    (place / "site").write_text(
        changed(
            said,
            port=("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            certificate=(f"/etc/ssl/{NAME}.pem", certificate),
            key=(f"/etc/ssl/{NAME}.key", key),
            back=("127.0.0.1:8080", back),
        )
    )
    temporary = " ".join(
        f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (place / "conf").write_text(
        f"daemon off; {user} pid {place}/pid; error_log {place}/errors;\nevents {{}}\n"
        f"http {{ access_log off; {temporary}\ninclude {place}/site; }}\n"
    )
    with running(need("nginx"), "-p", place, "-e", place / "errors", "-c", place / "conf", port=port):
        yield


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """One server, and one proxy before it, for all tests of a kind; the name leads to this machine."""
    place = tmp_path_factory.mktemp("proxy")
    world = World(tmp_path_factory.mktemp("world"))
    repo, port = world.repository(), free_port()
    world.chat("send", "hello", cwd=repo, check=True)
    certificate, key = made_certificate(place, name=NAME)
    token = world.chat("token", "add", "guest-worker", "--any-name", cwd=repo, check=True).stdout.strip()
    options = next(block for block in told() if block.startswith("git chat serve ")).split()[3:]
    found = socket.getaddrinfo

    def here(host: str | bytes | None, *more: Any, **options: Any) -> Any:
        return found("127.0.0.1" if host in (NAME, NAME.encode()) else host, *more, **options)

    with pytest.MonkeyPatch.context() as patch, serving(world, *options, cwd=repo) as server:
        patch.setattr(socket, "getaddrinfo", here)
        with request.param(place, port, server.url.partition("://")[2], certificate, key):
            yield Proxied(world, repo, port, certificate, token)


def test_nobody_is_the_user_by_coming_through_a_proxy(proxied: Proxied) -> None:
    """Not even from the same machine, and whatever a client says of itself; a token is somebody."""
    with proxied.client() as client:
        for lie in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"X-Real-IP": "127.0.0.1"}):
            assert client.get("/api/v1/rooms", headers=lie).status_code == 401
        assert client.get("/api/v1/rooms", headers=proxied.theirs).status_code == 200


def test_a_browser_gets_the_page_and_a_cookie_that_it_keeps_for_the_name(proxied: Proxied) -> None:
    """The scheme is the proxy's, so that the cookie is one for TLS; a page of another name is sent away."""
    browser = {"Sec-Fetch-Site": "same-origin", "User-Agent": "Mozilla/5.0", "Origin": proxied.origin}
    with proxied.client() as client:
        page = client.get("/")
        assert page.status_code == 200
        script = re.search(r'src="([^"]+\.js[^"]*)"', page.text)
        assert script is not None
        assert client.get(script[1]).status_code == 200
        opened = client.post("/api/v1/session", json={"token": proxied.token}, headers=browser)
        assert opened.status_code == 200, opened.text
        assert opened.headers["set-cookie"].startswith("__Host-")
        assert "secure" in opened.headers["set-cookie"].lower()
        cookie = opened.headers["set-cookie"].partition(";")[0]
        assert client.get("/api/v1/rooms", headers=browser | {"Cookie": cookie}).status_code == 200
        foreign = client.get("/api/v1/rooms", headers=browser | {"Cookie": cookie, "Origin": "https://evil.example"})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign-origin")


def test_events_come_one_by_one_while_the_stream_is_open(proxied: Proxied) -> None:
    """Each is there before the next is sent, however small: nothing is gathered."""
    with (
        proxied.client(**proxied.theirs) as client,
        client.stream("GET", "/api/v1/events?as=ana") as stream,
    ):
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("retry"))
        for text in ("one", "two", LONG):
            proxied.say(text)
            data = next(line for line in lines if line.startswith("data") and '"message"' in line)
            assert json.loads(data.removeprefix("data: "))["message"] == text


def test_a_websocket_speaks_in_both_directions(proxied: Proxied) -> None:
    """And is told what is said while it is open."""
    address = f"wss://{NAME}:{proxied.port}/ws/beta?since_id=999"
    with connect(address, ssl=proxied.trusted, additional_headers=proxied.theirs, proxy=None) as line:
        line.send('{"type": "ping"}')
        assert json.loads(line.recv(SECONDS)) == {"type": "ack"}
        proxied.say("over the wire")
        assert json.loads(line.recv(SECONDS))["message"] == "over the wire"
        line.send(json.dumps({"to": "ALL", "message": LONG}))
        assert json.loads(line.recv(SECONDS))["type"] == "sent"


def test_a_message_is_sent_and_a_request_waits_for_the_next(proxied: Proxied) -> None:
    """A long one, too; and the answer comes when there is one."""
    with proxied.client(**proxied.theirs) as client:
        message = {"from": "gamma", "to": "ALL", "message": LONG}
        sent = client.post("/api/v1/messages", json=message).json()
        assert sent["success"], sent
        told = client.get(f"/api/v1/messages?agent_id=delta&since_id={sent['message_id'] - 1}&wait=60").json()
        assert [one["message"] for one in told["messages"]] == [LONG]
        empty = client.get(f"/api/v1/messages?agent_id=gamma&since_id={sent['message_id']}&wait=0.2").json()
        assert empty["timed_out"]


def test_tools_are_called_over_http(proxied: Proxied) -> None:
    """By the SDK's own client, whose answers come as streams."""

    async def test() -> str:
        async with (
            httpx2.AsyncClient(verify=proxied.trusted, headers=proxied.theirs, timeout=SECONDS) as http,
            streamable_http_client(f"{proxied.origin}/mcp", http_client=http) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            called = await session.call_tool("send_message", {"content": "by a tool", "name": "epsilon"})
            return str(called.content[0])

    assert "sent" in asyncio.run(asyncio.wait_for(test(), SECONDS)).lower()
    assert "by a tool" in proxied.world.chat("log", cwd=proxied.repo, check=True).stdout


def test_git_fetches_and_pushes_the_rooms(proxied: Proxied) -> None:
    """A token is git's password; a push of more than nginx takes by itself goes through."""
    world, clone = proxied.world, proxied.world.root / "clone"
    world.git("init", "-q", clone)
    password = base64.b64encode(f"x:{proxied.token}".encode()).decode()
    for key, value in {
        "http.extraHeader": f"Authorization: Basic {password}",
        "http.sslCAInfo": proxied.certificate,
        "http.curloptResolve": f"{NAME}:{proxied.port}:127.0.0.1",
        "remote.chat.url": f"{proxied.origin}/git/",
    }.items():
        world.git("config", key, value, cwd=clone)
    world.chat("sync", "chat", cwd=clone, check=True)
    assert "hello" in world.chat("log", cwd=clone, check=True).stdout
    for name in ("one", "two"):
        (clone / name).write_bytes(os.urandom(800_000))
    world.chat("send", "--attach", "one", "--attach", "two", "from another clone", cwd=clone, check=True)
    world.chat("sync", "chat", cwd=clone, check=True)
    assert "from another clone" in world.chat("log", cwd=proxied.repo, check=True).stdout
