"""Clients that others wrote, and every revision of the protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gitchat import __version__
from gitchat.server.catalog import INSTRUCTIONS, TOOLS
from tests.cli.conftest import Chatroom
from tests.needed import missing
from tests.server.conftest import Connect, Start
from tests.server.wire import DEADLINE_SECONDS, eventually

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
"""Those that begin with a handshake."""

LATEST = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": LATEST,
    "io.modelcontextprotocol/clientInfo": {"name": "by-hand", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}

CLIENTS = Path(__file__).parents[2] / ".tools" / "clients"
"""Where ``make tools`` puts the clients in TypeScript."""

NAMES = [tool["name"] for tool in TOOLS]


# --- the protocol ----------------------------------------------------------------


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_with_a_handshake_is_spoken(start: Start, revision: str) -> None:
    """The revision that a client asks for is the one it gets, with instructions, tools and calls."""
    server = start(revision=None)
    result = server.shake_hands(revision)
    assert result["protocolVersion"] == revision
    assert result["serverInfo"]["name"] == "gitchat"
    assert result["serverInfo"]["version"] == __version__
    assert result["instructions"] == INSTRUCTIONS
    assert server.request("ping")["result"] == {}
    assert [tool["name"] for tool in server.request("tools/list")["result"]["tools"]] == NAMES
    assert server.text("send_message", name="alice", content="hello") == "sent [1]"


@pytest.mark.parametrize("revision", ["2030-01-01", pytest.param("nonsense", marks=pytest.mark.slow)])
def test_an_unknown_revision_gets_the_newest_of_the_handshake(start: Start, revision: str) -> None:
    """A client that asks for a revision nobody knows is offered one, and decides."""
    assert start(revision=None).shake_hands(revision)["protocolVersion"] == REVISIONS[-1]


def test_the_revision_without_a_handshake_is_spoken(start: Start) -> None:
    """2026-07-28: discovered, listed and called, each request with its own envelope."""
    server = start(revision=None)
    found = server.request("server/discover", {"_meta": META})["result"]
    assert LATEST in found["supportedVersions"]
    assert found["instructions"] == INSTRUCTIONS
    assert [tool["name"] for tool in server.request("tools/list", {"_meta": META})["result"]["tools"]] == NAMES
    params = {"_meta": META, "name": "send_message", "arguments": {"name": "alice", "content": "hello"}}
    result = server.request("tools/call", params)["result"]
    assert result["content"][0] == {"type": "text", "text": "sent [1]"}


def test_a_tool_before_the_handshake_is_refused(start: Start, chatroom: Chatroom) -> None:
    """Without a handshake and without an envelope nothing is done."""
    server = start(revision=None)
    params = {"name": "send_message", "arguments": {"name": "alice", "content": "hello"}}
    assert "error" in server.request("tools/call", params)
    assert chatroom.git("for-each-ref", "refs/chatroom").stdout == ""


@pytest.mark.parametrize("mode", ["auto", "legacy", LATEST])
def test_the_sdks_client_is_served_in_each_mode(connect: Connect, mode: str) -> None:
    """The SDK's client connects, lists and calls, whichever era it chooses."""
    caller = connect(mode=mode)
    assert caller.text("join", name="alice") == "joined as alice. here: alice (general)"
    assert caller.result("read_messages", limit=0).is_error


# --- clients in TypeScript -------------------------------------------------------


def need_clients() -> Path:
    """Where the clients are. Where npm could not install them the test is skipped (tests/server/fetch-clients.sh)."""
    if shutil.which("node") is None or not (CLIENTS / ".installed").exists():
        missing("the clients are missing, which need node: make tools")
    return CLIENTS


def test_the_typescript_client_joins_waits_and_is_woken(chatroom: Chatroom, server_command: tuple[str, ...]) -> None:
    """Lists, calls, a subscription and a wait that another process ends, with the SDK most clients are made of."""
    clients = need_clients()
    client = subprocess.Popen(
        ["node", str(Path(__file__).with_name("client.mjs")), str(clients), *server_command],
        cwd=chatroom.path,
        env=chatroom.world.variables,
        stdout=subprocess.PIPE,
    )
    try:
        eventually(lambda: [entry for entry in chatroom.entries() if entry.record.body == "ready"])
        chatroom.say("wake up", author="bob")
        stdout, _ = client.communicate(timeout=DEADLINE_SECONDS)
    finally:
        client.kill()
        client.wait()
    seen = json.loads(stdout)
    assert seen["server"]["name"] == "gitchat"
    assert seen["instructions"] == INSTRUCTIONS
    assert seen["tools"] == NAMES
    assert len(seen["prompts"]) == 3
    assert seen["joined"]["content"][0]["text"] == "joined as typescript. here: typescript (general)"
    assert seen["sent"]["content"][0]["text"] == "sent [1]"
    assert seen["refused"]["isError"]
    assert "bob -> all" in seen["waited"]["content"][0]["text"]
    assert seen["updated"] == "chat://rooms/lobby"
    assert json.loads(seen["resource"]["text"])[0]["latest_id"] == 2


def test_the_inspector_finds_every_schema_portable(chatroom: Chatroom, server_command: tuple[str, ...]) -> None:
    """The MCP Inspector lists the tools with --strict, which fails for a schema that some client cannot take."""
    listed = inspect(chatroom, *server_command, "--method", "tools/list", "--strict")
    assert [tool["name"] for tool in json.loads(listed)["tools"]] == NAMES


def test_the_inspector_calls_and_reads(chatroom: Chatroom, server_command: tuple[str, ...]) -> None:
    """A call, a resource and the prompts through the MCP Inspector."""
    call = ["--method", "tools/call", "--tool-name", "send_message", "--tool-arg", "name=alice", "content=hello"]
    assert json.loads(inspect(chatroom, *server_command, *call))["content"][0]["text"] == "sent [1]"
    read = json.loads(inspect(chatroom, *server_command, "--method", "resources/read", "--uri", "chat://rooms"))
    assert json.loads(read["contents"][0]["text"])[0]["room"] == "lobby"
    assert len(json.loads(inspect(chatroom, *server_command, "--method", "prompts/list"))["prompts"]) == 3


def inspect(chatroom: Chatroom, *arguments: str) -> str:
    """What the MCP Inspector prints; its own options stand behind the command of the server."""
    program = need_clients() / "node_modules" / ".bin" / "mcp-inspector"
    done = subprocess.run(
        ["node", str(program), "--cli", *arguments],
        cwd=chatroom.path,
        env=chatroom.world.variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
