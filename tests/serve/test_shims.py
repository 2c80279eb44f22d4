"""examples/seeds: the commands by which the other servers are started over HTTP, run as their pages have them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.serve.serving import SECONDS
from tests.world import World

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
REGISTERED = {"agent_id": "alpha-1", "session_id": "one", "name": "Alpha"}


def free_port() -> int:
    """One that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def tools(client: httpx2.Client) -> set[str]:
    """What is listed at ``/mcp``, where all of them have their tools."""
    headers = {"Accept": "application/json, text/event-stream"}

    def ask(method: str, params: dict[str, Any], **more: Any) -> httpx2.Response:
        return client.post("/mcp", json={"jsonrpc": "2.0", "method": method, "params": params, **more}, headers=headers)

    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}
    headers["Mcp-Session-Id"] = ask("initialize", about, id=1).headers["mcp-session-id"]
    ask("notifications/initialized", {})
    listed = ask("tools/list", {}, id=2).text.partition("data: {")[2].partition("\n")[0]
    return {tool["name"] for tool in json.loads("{" + listed)["result"]["tools"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variables", "options", "tool"),
    [
        ((sys.executable, "server.py"), {}, ("--port",), "read_unread"),
        (("mcp-agent-collaboration",), {"MCP_AGENT_COLLAB_PORT": "PORT"}, (), "join_topic"),
        (("agents-mcp-server",), {"AGENTS_TRANSPORT": "http", "AGENTS_HTTP_PORT": "PORT"}, (), "agent_register"),
    ],
    ids=["server.py", "mcp-agent-collaboration", "agents-mcp-server"],
)
def test_a_server_is_started_by_its_own_command(
    world: World, command: tuple[str, ...], variables: dict[str, str], options: tuple[str, ...], tool: str
) -> None:
    """At the port that its own option or variable says, with its own tools; and the REST paths are there, too."""
    port = str(free_port())
    words = [*command[:-1], str(SEEDS / command[-1]), *options, *([port] if options else [])]
    given = {name: value.replace("PORT", port) for name, value in variables.items()}
    process = subprocess.Popen(
        words, cwd=world.repository(), env=world.variables | given, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"http://127.0.0.1:{port}/")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client:
            assert client.get("/health").json()["status"] == "ok"
            assert client.post("/api/v1/agents/register", json=REGISTERED).json()["websocket_url"] == "/ws/alpha-1"
            assert tool in tools(client)
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0
