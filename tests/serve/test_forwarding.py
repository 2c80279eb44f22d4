"""docs/deploy.md: who has no clone, or may not write to it, reaches a server: by forwarded stdio, and by git."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.serve.serving import Serving, serving
from tests.server.test_clients import META
from tests.server.wire import Wire, eventually
from tests.world import World

POLL_SECONDS = 600


@dataclass
class At:
    """A clone that is served to who has a token, and a directory elsewhere, in no repository."""

    world: World
    path: Path
    elsewhere: Path
    server: Serving
    tokens: dict[str, str]

    @contextmanager
    def forwarded(self, *options: str, token: str = "any", **variables: str) -> Iterator[Wire]:
        """``git chat mcp --connect`` with a token, from elsewhere."""
        words = options or ("--connect", self.server.url)
        told = self.world.variables | {"GITCHAT_TOKEN": self.tokens.get(token, "")} | variables
        wire = Wire(["git", "chat", "mcp", *words], self.elsewhere, told)
        try:
            yield wire
        finally:
            with suppress(subprocess.TimeoutExpired):
                wire.hang_up()
            wire.kill()


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[At]:
    """One server for all tests here; whose user's own programs need tokens, too, as from another machine."""
    world = World(tmp_path_factory.mktemp("forwarding"))
    path, elsewhere = world.root / "repo", world.root / "elsewhere"
    world.git("init", "--quiet", path)
    elsewhere.mkdir()
    world.chat("send", "hello", cwd=path, check=True)
    tokens = {
        name: world.chat("token", "add", *words, cwd=path, check=True).stdout.split()[0]
        for name, words in {"any": ("host", "--any-name"), "bob": ("bob",)}.items()
    }
    with serving(world, "--git", "--token-always", cwd=path) as server:
        yield At(world, path, elsewhere, server, tokens)


def test_what_a_client_says_is_answered_by_the_server(at: At) -> None:
    """Handshake, tools, a wait that another wakes; the end of the client ends its session."""
    with at.forwarded() as wire:
        assert wire.shake_hands()["serverInfo"]["name"] == "gitchat"
        assert wire.text("send_message", name="far", content="from afar", room="hall") == "sent [1]"
        wire.text("join", name="far", room="hall")
        waiting = wire.begin_call("read_unread", name="far", room="hall", wait_seconds=POLL_SECONDS)
        at.world.chat("send", "--room", "hall", "good morning", cwd=at.path, check=True)
        assert "good morning" in wire.answer(waiting)["result"]["content"][0]["text"]
    take = ("join", "far", "--room", "hall", "--", "true")
    eventually(lambda: at.world.chat(*take, cwd=at.path).returncode == 0)


def test_the_revision_without_a_handshake_goes_through(at: At) -> None:
    """A request with its own envelope gets the headers that the server wants."""
    with at.forwarded("--connect", f"{at.server.url}/", "--profile", "collaboration") as wire:
        found = wire.request("server/discover", {"_meta": META})["result"]
        assert "topics" in found["instructions"]
        params = {"_meta": META, "name": "list_topics", "arguments": {}}
        assert "lobby" in wire.request("tools/call", params)["result"]["content"][0]["text"]


def test_a_token_is_taken_from_a_file_and_without_one_it_is_asked_for(at: At) -> None:
    """Its variable, or a file's name in one; the error says which, and the command that makes one."""
    file = at.world.root / "token"
    file.write_text(at.tokens["bob"] + "\n")
    with at.forwarded(token="none", GITCHAT_TOKEN_FILE=str(file)) as wire:
        wire.shake_hands()
        assert wire.text("send_message", content="as myself", room="file") == "sent [1]"
        assert wire.call("send_message", name="eve", content="forged", room="file")["isError"]
    with at.forwarded(token="none") as wire:
        refused = wire.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}})
        assert "GITCHAT_TOKEN_FILE" in refused["error"]["message"]
    made = at.world.chat("token", "add", "ann", cwd=at.path, check=True).stdout.split()[0]
    with at.forwarded(token="none", GITCHAT_TOKEN=made) as wire:
        wire.shake_hands()
    first = json.loads(at.world.chat("log", "--room", "file", "--json", cwd=at.path, check=True).stdout.splitlines()[0])
    assert first["from"] == "bob"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--connect", "localhost:8080"), "is no address"),
        (("--connect", "http://user@host"), "is no address"),
        (("--connect", "auto"), "not inside a git repository"),
        (("--connect", "auto", "--json"), "the server decides"),
    ],
)
def test_a_wrong_address_is_told_at_once(at: At, options: tuple[str, ...], code: str) -> None:
    """Before anything is forwarded, on standard error."""
    done = at.world.chat("mcp", *options, cwd=at.elsewhere, stdin=b"")
    assert done.returncode != 0
    assert code in done.stderr


def test_another_server_is_told_apart(at: At) -> None:
    """Where an address answers and has no such tools, that is said, and how to get the right one."""
    with elsewhere_on_the_web() as url, at.forwarded("--connect", url) as wire:
        refused = wire.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}})
        assert "there are no tools at" in refused["error"]["message"]
    printed = at.world.chat("serve", "--url", cwd=at.path, check=True).stdout
    with at.forwarded("--connect", printed.partition("#")[0].strip()) as wire:
        wire.shake_hands()


@contextmanager
def elsewhere_on_the_web() -> Iterator[str]:
    """A web server that is no gitchat's."""

    class Pages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_is_started_found_and_found_again(at: At) -> None:
    """`auto` starts one and shares it; killed in a call it is told, and the next call has another, and all goes on."""
    path = at.world.root / "auto"
    at.world.git("init", "--quiet", path)
    at.world.chat("send", "hello", cwd=path, check=True)
    file = path / ".git" / "chatroom" / "serve.json"
    words = ["git", "chat", "mcp", "--connect", "auto"]
    one, two = (Wire(words, path, at.world.variables) for _ in range(2))
    try:
        one.shake_hands()
        two.shake_hands()
        told = json.loads(file.read_text())
        assert "others" not in told
        one.text("join", name="una")
        one.text("read_unread", name="una")
        waiting = one.begin_call("read_unread", name="una", wait_seconds=POLL_SECONDS)
        eventually(lambda: "una" in at.world.chat("who", cwd=path).stdout)
        os.kill(told["pid"], signal.SIGKILL)
        assert "may have been done" in one.answer(waiting)["error"]["message"]
        sent = one.answer(one.begin_call("send_message", name="una", content="still here"))
        if "error" in sent:  # it was on its way while the server died: one looks, as it says, and asks again
            assert "look before you ask again" in sent["error"]["message"]
            assert "still here" not in one.text("read_messages")
            one.text("send_message", name="una", content="still here")
        assert "still here" in two.text("read_messages")
    finally:
        for wire in (one, two):
            wire.kill()
        os.kill(json.loads(file.read_text())["pid"], signal.SIGTERM)


def test_git_asks_for_the_token_as_a_password_and_a_push_wakes_who_waits(at: At) -> None:
    """`git remote add chat URL; git chat sync chat` with a helper that knows the token."""
    path = at.world.root / "stranger"
    at.world.git("init", "--quiet", path)
    at.world.git("remote", "add", "chat", f"{at.server.url}/git/", cwd=path)
    refused = at.world.chat("sync", "chat", cwd=path)
    assert refused.returncode != 0
    assert at.tokens["any"] not in refused.stderr
    helper = at.world.root / "helper"
    helper.write_text(f"#!/bin/sh\necho username=x\necho password={at.tokens['any']}\n")
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    at.world.git("config", "credential.helper", str(helper), cwd=path)
    at.world.chat("sync", "chat", cwd=path, check=True)
    with at.forwarded() as wire:
        wire.shake_hands()
        wire.text("join", name="tess")
        wire.text("read_unread", name="tess")
        waiting = wire.begin_call("read_unread", name="tess", wait_seconds=POLL_SECONDS)
        at.world.chat("send", "pushed here", cwd=path, check=True, GITCHAT_NAME="bob")
        at.world.chat("sync", "chat", cwd=path, check=True, GITCHAT_NAME="bob")
        assert "pushed here" in wire.answer(waiting)["result"]["content"][0]["text"]
    at.world.git("config", "credential.helper", f"!echo username=x; echo password={at.tokens['bob']}; :", cwd=path)
    at.world.chat("send", "under any name", cwd=path, check=True, GITCHAT_NAME="eve")
    denied = at.world.chat("sync", "chat", cwd=path)
    assert denied.returncode != 0
