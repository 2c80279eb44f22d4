"""Each other server's own documented flow, by clients that others wrote, over standard input and output and over HTTP.

The commands are those servers' own: the scripts in examples/seeds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.cli.conftest import Chatroom
from tests.serve.serving import serving
from tests.server.test_clients import need_clients
from tests.server.wire import DEADLINE_SECONDS
from tests.world import World

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"

Flow = list[tuple[str, dict[str, Any]]]

COLLABORATION: Flow = [
    ("create_topic", {"topic": "build-123"}),
    ("join_topic", {"topic": "build-123", "agent_name": "coordinator"}),
    ("join_topic", {"topic": "build-123", "agent_name": "reviewer", "role": "secondary", "create_if_missing": True}),
    ("send_message", {"join_token": "$coordinator", "recipient": "reviewer",
                      "body": {"type": "review_request", "task_id": "task-001"}}),
    ("read_messages", {"join_token": "$reviewer", "timeout_ms": 600_000, "max_messages": 20}),
    ("check_in", {"join_token": "$reviewer", "timeout_ms": 0, "recipient": "coordinator",
                  "body": {"type": "progress", "blockers": []}}),
    ("check_in", {"join_token": "$coordinator", "timeout_ms": 600_000}),
    ("leave_topic", {"join_token": "$reviewer"}),
    ("list_topics", {}),
]  # fmt: skip
"""The page of mcp-agent-collaboration, from its first tool to its last."""

COLLABORATED = [
    '{"topic":"build-123","created":true}',
    None,
    None,
    '{"id":"msg_2","stored":true}',
    '{"timed_out":false,"messages":[{"id":"msg_2","from":"coordinator",'
    '"body":{"type":"review_request","task_id":"task-001"}}]}',
    '{"sent":{"id":"msg_3","stored":true},"timed_out":true,"messages":[]}',
    '{"timed_out":false,"messages":[{"id":"msg_3","from":"reviewer","body":{"type":"progress","blockers":[]}}]}',
    '{"left":true}',
    '{"topics":[{"topic":"build-123","member_count":1,"pending_count":0}]}',
]

AGENTS: Flow = [
    ("agent_register", {"name": "researcher", "description": "Finds information"}),
    ("agent_register", {"name": "analyst", "description": "Checks"}),
    ("agent_dm", {"name": "researcher", "to": "analyst", "message": "Check this"}),
    ("agent_broadcast", {"name": "researcher", "message": "Found the data", "priority": "normal", "group": "all"}),
    ("channel_send", {"name": "researcher", "channel": "general", "message": "Update complete"}),
    ("channel_history", {"channel": "general", "limit": 50, "detailed": False}),
    ("dm_history", {"name": "researcher", "with_agent": "analyst"}),
    ("poll_messages", {"name": "analyst", "since_id": 0}),
    ("agent_deregister", {"name": "researcher"}),
    ("agent_groups", {}),
]
"""The page of agents-mcp-server, tool by tool."""

AGREED = [
    '{"agent_id":"researcher-ID","group":"default","peers":[],'
    '"message":"Registered. Use your name for subsequent calls."}',
    '{"agent_id":"analyst-ID","group":"default","peers":[{"name":"researcher","group":"default"}],'
    '"message":"Registered. Use your name for subsequent calls."}',
    "DM published to 'analyst'. Live delivery happens when the recipient session is registered (agent_register "
    "auto-binds); otherwise the message stays in dm_history for catch-up.",
    "Broadcast published to group 'all'. Sessions bound to that group receive it as <channel kind=\"broadcast\">.",
    "Message logged to #general",
    "#general history (1):\n[TIME] researcher: Update complete",
    "DM history with analyst (1):\n[TIME] researcher: Check this",
    None,
    '{"success":true,"id":"researcher-ID","name":"researcher","group_name":"default",'
    '"message":"Deregistered researcher"}',
    "Active groups (1):\n- default (1 agent)",
]

FLOWS = {"collaboration": (COLLABORATION, COLLABORATED), "agents": (AGENTS, AGREED)}

COMMANDS = {
    "collaboration": ("git-chat", "mcp", "--profile", "collaboration"),
    "agents": (str(SEEDS / "agents-mcp-server"),),
}
"""What a client starts. mcp-agent-collaboration-stdio forwards to a server, and is tried for itself."""


def check(profile: str, texts: list[str]) -> None:
    """Each answer is the one of the list, but for times, sizes and ids."""
    for (tool, _), text, wanted in zip(*FLOWS[profile][:1], texts, FLOWS[profile][1], strict=True):
        shown = re.sub(r'(\n---\n_meta: |,"_meta":)\{[^}]*\}', "", text)
        shown = re.sub(r"\[\d\d:\d\d:\d\d\]", "[TIME]", re.sub(r"-[0-9a-f]{8}\b", "-ID", shown))
        assert wanted is None or shown == wanted, tool


def flow_of_python(profile: str, server: Any) -> list[str]:
    """The texts that the SDK's client in Python gets."""

    async def run() -> list[str]:
        texts: list[str] = []
        known: dict[str, str] = {}
        with anyio.fail_after(DEADLINE_SECONDS):
            async with Client(server) as client:
                for tool, given in FLOWS[profile][0]:
                    filled = {key: known.get(value, value) if isinstance(value, str) else value
                              for key, value in given.items()}  # fmt: skip
                    texts.append((await client.call_tool(tool, filled)).content[0].text)  # type: ignore[union-attr]
                    if tool == "join_topic":
                        known[f"${given['agent_name']}"] = json.loads(texts[-1])["join_token"]
        return texts

    return anyio.run(run)


def flow_of_typescript(profile: str, variables: dict[str, str], path: Path, *server: str) -> list[str]:
    """The texts that the SDK's client in TypeScript gets."""
    script = str(Path(__file__).with_name("flow.mjs"))
    done = subprocess.run(
        ["node", script, str(need_clients()), json.dumps(FLOWS[profile][0]), *server],
        cwd=path, env=variables, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texts: list[str] = json.loads(done.stdout)
    return texts


@pytest.mark.parametrize("profile", FLOWS)
def test_the_python_client_over_stdio(world: World, profile: str) -> None:
    """The documented flow, through a command that the client starts."""
    path = Chatroom(world).path
    program, *arguments = COMMANDS[profile]
    server = StdioServerParameters(command=program, args=arguments, env=world.variables, cwd=path)
    check(profile, flow_of_python(profile, server))


@pytest.mark.slow
@pytest.mark.parametrize("profile", FLOWS)
def test_the_typescript_client_over_stdio(world: World, profile: str) -> None:
    """The documented flow, with the SDK that most clients are made of."""
    path = Chatroom(world).path
    check(profile, flow_of_typescript(profile, world.variables, path, *COMMANDS[profile]))


@pytest.mark.slow
@pytest.mark.parametrize("profile", FLOWS)
def test_both_clients_over_http(world: World, profile: str) -> None:
    """At /mcp of a server with that profile: the user of this machine without a token, and a program with one."""
    chatroom, second = Chatroom(world), world.repository("second")
    with serving(world, "--profile", profile, cwd=chatroom.path) as server:
        check(profile, flow_of_python(profile, f"{server.url}/mcp"))
    # A repository of its own: what the first one said is still in the other.
    token = world.chat("token", "add", "robot", "--any-name", cwd=second, check=True).stdout.split()[-1]
    with serving(world, "--profile", profile, "--token-always", cwd=second) as server:
        headers = json.dumps({"Authorization": f"Bearer {token}"})
        url = f"{server.url}/mcp"
        check(profile, flow_of_typescript(profile, dict(world.variables), chatroom.path, url, headers))


@pytest.mark.slow
def test_the_collaboration_proxy_starts_a_server(world: World) -> None:
    """mcp-agent-collaboration-stdio: the first client starts a server of the clone, which the second one finds."""
    path = Chatroom(world).path
    command = str(SEEDS / "mcp-agent-collaboration-stdio")
    server = StdioServerParameters(command=command, args=[], env=world.variables, cwd=path)
    try:
        check("collaboration", flow_of_python("collaboration", server))
    finally:
        told = path / ".git" / "chatroom" / "serve.json"
        if told.exists():
            os.kill(json.loads(told.read_text())["pid"], signal.SIGTERM)


def test_a_transport_that_is_none_is_refused(world: World) -> None:
    """AGENTS_TRANSPORT is stdio or http; anything else would serve nobody."""
    done = subprocess.run(
        [SEEDS / "agents-mcp-server"], cwd=Chatroom(world).path, env=world.variables | {"AGENTS_TRANSPORT": "tcp"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "AGENTS_TRANSPORT is stdio or http, and not tcp" in done.stderr
