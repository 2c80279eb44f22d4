"""docs/mcp.md, over HTTP: the three sets of tools, waits from the hub, sessions and their ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from gitchat.server.catalog import INSTRUCTIONS
from tests.serve.serving import Serving, serving
from tests.server.test_clients import need_clients
from tests.server.wire import eventually
from tests.world import World

LATEST = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": LATEST,
    "io.modelcontextprotocol/clientInfo": {"name": "by-hand", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
BOTH = "application/json, text/event-stream"
POLL_SECONDS = 600
PATIENCE_SECONDS = 60


@dataclass
class At:
    """A clone whose rooms are served."""

    world: World
    path: Path
    server: Serving

    def chat(self, *words: str, **variables: str) -> str:
        """``git chat`` in the clone."""
        return self.world.chat(*words, cwd=self.path, check=True, **variables).stdout


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[At]:
    """One server for all tests here; each has rooms and names of its own."""
    world = World(tmp_path_factory.mktemp("mcp"))
    path = world.root / "repo"
    world.git("init", "--quiet", path)
    world.chat("send", "hello", cwd=path, check=True)
    with serving(world, cwd=path) as server:
        yield At(world, path, server)


@asynccontextmanager
async def session(at: At, profile: str = "gitchat", hear: Any = None) -> AsyncIterator[ClientSession]:
    """A session of the SDK's client."""
    path = f"/mcp/{profile}" if profile else "/mcp"
    async with (
        streamable_http_client(at.server.url + path) as streams,
        ClientSession(streams[0], streams[1], message_handler=hear) as client,
    ):
        await client.initialize()
        yield client


async def text(client: ClientSession, tool: str, **arguments: Any) -> str:
    """The first text of a call that succeeds."""
    result: Any = await client.call_tool(tool, arguments, read_timeout_seconds=POLL_SECONDS)
    assert not result.is_error, result
    return str(result.content[0].text)


async def told(client: ClientSession, tool: str, **arguments: Any) -> Any:
    """The same, where it is JSON."""
    return json.loads(await text(client, tool, **arguments))


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine, with a limit."""

    async def limited() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await test()

    asyncio.run(limited())


def test_each_path_has_its_own_tools_and_mcp_those_of_the_profile(at: At) -> None:
    """A connection has one set; the path says which."""

    async def test() -> None:
        seen = {}
        for profile in ("gitchat", "collaboration", "agents", ""):
            async with session(at, profile) as client:
                seen[profile] = {tool.name for tool in (await client.list_tools()).tools}
        assert "read_unread" in seen["gitchat"]
        assert "join_topic" in seen["collaboration"]
        assert "agent_register" in seen["agents"]
        assert seen[""] == seen["gitchat"]

    run(test)


def test_a_session_lives_under_its_names_until_it_ends(at: At) -> None:
    """Others see it living and cannot take its name; when it is closed, the name is free."""

    async def test() -> None:
        async with session(at) as client:
            await text(client, "join", name="nina", room="den")
            assert await text(client, "send_message", name="nina", content="from afar", room="den") == "sent [1]"
            assert "nina" in at.chat("who", "--room", "den")
            refused = at.world.chat("join", "nina", "--room", "den", "--", "true", cwd=at.path)
            assert refused.returncode != 0
            async with session(at) as other:
                result = await other.call_tool("send_message", {"name": "nina", "content": "forged", "room": "den"})
                assert result.is_error
        while at.world.chat("join", "nina", "--room", "den", "--", "true", cwd=at.path).returncode != 0:
            await asyncio.sleep(0.05)
        log = at.chat("log", "--room", "den", "--json")
        assert json.loads(log.splitlines()[0])["content"] == "from afar"
        assert "forged" not in log

    run(test)


def test_a_long_wait_wakes_when_something_comes(at: At) -> None:
    """A call of 600 s answers what the command line sends, and once."""

    async def test() -> None:
        async with session(at) as client:
            await text(client, "join", name="pat", room="wake")
            call = asyncio.create_task(text(client, "read_unread", name="pat", room="wake", wait_seconds=POLL_SECONDS))
            await asyncio.sleep(0)
            await asyncio.to_thread(at.chat, "send", "--room", "wake", "good morning")
            assert "good morning" in await call
            assert "good morning" not in await text(client, "read_unread", name="pat", room="wake")

    run(test)


def test_a_join_token_is_good_in_any_session_and_only_it(at: At) -> None:
    """The calls of that server's README: join, poll, check in; there are clients with a session a call."""

    async def test() -> None:
        async with session(at, "collaboration") as one:
            assert await told(one, "create_topic", topic="build") == {"topic": "build", "created": True}
            lead = await told(one, "join_topic", topic="build", agent_name="Coordinator", role="coordinator")
            helper = await told(one, "join_topic", topic="build", agent_name="Helper")
        async with session(at, "collaboration") as one, session(at, "collaboration") as two:
            poll = asyncio.create_task(
                told(one, "read_messages", join_token=lead["join_token"], timeout_ms=POLL_SECONDS * 1000)
            )
            sent = await told(two, "check_in", join_token=helper["join_token"], body={"type": "ready"})
            assert sent["sent"]["stored"]
            message = (await poll)["messages"]
            assert [(one["from"], one["body"]) for one in message] == [("Helper", {"type": "ready"})]
            assert (await told(one, "read_messages", join_token=lead["join_token"]))["timed_out"]
            wrong = await one.call_tool("read_messages", {"join_token": "x"})
            assert wrong.is_error

    run(test)


def test_who_had_its_own_broadcast_is_not_given_it_again(at: At) -> None:
    """What was had is remembered at once, and written: another server begins behind it."""

    def position() -> str:
        refs = at.world.git("for-each-ref", cwd=at.path).stdout.splitlines()
        return "\n".join(line for line in refs if "/own/" in line and line.endswith("/solo"))

    async def test() -> None:
        async with session(at, "collaboration") as client:
            joined = await told(client, "join_topic", topic="own", agent_name="Solo", create_if_missing=True)
            token = joined["join_token"]
            before = position()
            await told(client, "send_message", join_token=token, body="one")
            assert len((await told(client, "read_messages", join_token=token))["messages"]) == 1
            assert (await told(client, "read_messages", join_token=token))["timed_out"]
            while position() == before:
                await asyncio.sleep(0.1)
            assert (await told(client, "read_messages", join_token=token))["timed_out"]

    run(test)


def test_who_went_away_has_consumed_nothing(at: At) -> None:
    """A call whose client is gone when something comes leaves it to the next call."""

    async def test() -> None:
        async with session(at, "collaboration") as client:
            joined = await told(client, "join_topic", topic="gone", agent_name="Ghost", create_if_missing=True)
            token = joined["join_token"]
            async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as by_hand:
                begun = await opened(by_hand, at)
                arguments = {"join_token": token, "timeout_ms": POLL_SECONDS * 1000}
                body = rpc("tools/call", {"name": "read_messages", "arguments": arguments})
                async with by_hand.stream("POST", f"{at.server.url}/mcp/collaboration", json=body, headers=begun):
                    pass  # the headers are there, and then nobody is
            await told(client, "send_message", join_token=token, body="for who is there")
            received: list[Any] = []
            while not received:
                received = (await told(client, "read_messages", join_token=token))["messages"]
            assert [one["body"] for one in received] == ["for who is there"]

    run(test)


def rpc(method: str, params: dict[str, Any], identity: int | None = 1) -> dict[str, Any]:
    """A request, or without an ``identity`` a notification."""
    return {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": identity} if identity is not None else {})


async def opened(client: httpx2.AsyncClient, at: At, path: str = "/mcp/collaboration") -> dict[str, str]:
    """The headers of a session that was begun by hand."""
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "by-hand", "version": "1"}}
    answer = await client.post(at.server.url + path, json=rpc("initialize", about), headers={"Accept": BOTH})
    headers = {"Accept": BOTH, "Mcp-Session-Id": answer.headers["mcp-session-id"]}
    await client.post(at.server.url + path, json=rpc("notifications/initialized", {}, None), headers=headers)
    return headers


def test_the_revision_without_sessions_is_spoken(at: At) -> None:
    """2026-07-28: each request stands alone, and the same client is the same participant."""
    headers = {"Accept": BOTH, "Mcp-Protocol-Version": LATEST, "Mcp-Method": "tools/call"}
    with at.server.client(**headers) as client:

        def call(tool: str, **arguments: Any) -> str:
            params = {"_meta": META, "name": tool, "arguments": arguments}
            answer = client.post("/mcp", json=rpc("tools/call", params), headers={"Mcp-Name": tool})
            body = answer.text
            data = body if body.startswith("{") else body.partition("data: ")[2].partition("\n")[0].strip()
            return str(json.loads(data)["result"]["content"][0]["text"])

        assert "joined" in call("join", name="modern", room="new")
        assert call("send_message", name="modern", content="alone", room="new") == "sent [1]"


def test_what_comes_is_pushed_into_the_sessions_of_agents(at: At) -> None:
    """A direct message reaches its agent's session on its open stream."""

    async def test() -> None:
        async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as by_hand, session(at, "agents") as ann:
            path = f"{at.server.url}/mcp/agents"
            headers = await opened(by_hand, at, "/mcp/agents")
            registered = rpc("tools/call", {"name": "agent_register", "arguments": {"name": "Bea", "description": ""}})
            await by_hand.post(path, json=registered, headers=headers)
            async with by_hand.stream("GET", path, headers=headers) as stream:
                await text(ann, "agent_register", name="Ann", description="a")
                await text(ann, "agent_dm", name="Ann", to="Bea", message="psst")
                async for line in stream.aiter_lines():
                    if line.startswith("data: {"):
                        pushed = json.loads(line.removeprefix("data: "))
                        break
        assert pushed["method"] == "notifications/claude/channel"
        assert "psst" in pushed["params"]["content"]
        assert pushed["params"]["meta"]["from_agent"] == "Ann"

    run(test)


def test_an_end_of_the_server_ends_calls_that_wait(at: At) -> None:
    """A waiting call is answered with what happened, and the server is gone at once."""

    async def test(server: Serving) -> None:
        mine = At(at.world, at.path, server)
        async with session(mine) as client:
            await text(client, "join", name="last", room="end")
            call = asyncio.create_task(
                client.call_tool("read_unread", {"name": "last", "room": "end", "wait_seconds": POLL_SECONDS})
            )
            began = time.monotonic()
            assert await asyncio.to_thread(server.kill) == 0
            assert time.monotonic() - began < PATIENCE_SECONDS / 4
            with suppress(MCPError):  # whether it waits yet or not, it is told
                told = str(await call)  # by the wait itself, or by what would have come after it
                assert "the time is up" in told or "the server ends" in told

    with serving(at.world, cwd=at.path) as server:
        asyncio.run(test(server))


def test_the_typescript_client_is_served(at: At) -> None:
    """The SDK that most clients are made of: calls, a resource, and a subscription that the command line rings."""
    script = Path(__file__).parents[1] / "server" / "client.mjs"
    # What Node fetches is marked as a browser's, so that it needs a token on the server's own machine, too.
    token = at.chat("token", "add", "node", "--any-name").split()[0]
    client = subprocess.Popen(
        ["node", str(script), str(need_clients()), f"{at.server.url}/mcp", token],
        cwd=at.world.root,
        env=at.world.variables,
        stdout=subprocess.PIPE,
    )
    try:
        eventually(lambda: "ready" in at.chat("log"))
        at.chat("send", "wake up", GITCHAT_NAME="bob")
        stdout, _ = client.communicate(timeout=PATIENCE_SECONDS)
    finally:
        client.kill()
        client.wait()
    seen = json.loads(stdout)
    assert seen["server"]["name"] == "gitchat"
    assert seen["instructions"] == INSTRUCTIONS
    assert seen["refused"]["isError"]
    assert "alice -> all" in seen["waited"]["content"][0]["text"]
    assert seen["updated"] == "chat://rooms/lobby"
