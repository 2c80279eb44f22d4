"""A chatroom, servers in it, and clients of them. Every test runs over each server there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.cli.conftest import Chatroom
from tests.server.wire import DEADLINE_SECONDS, Wire
from tests.world import World

if TYPE_CHECKING:  # mcp takes longer to load than all of our tests, and few of them need it
    from anyio.from_thread import BlockingPortal
    from mcp import Client
    from mcp.types import CallToolResult

SERVERS = {"front": ("git", "chat", "mcp"), "sdk": ("git", "chat", "mcp", "--sdk")}
"""What is tested, by the name that a test's id shows."""


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(SERVERS["front"], id="front"),
        # The reference: that both answer alike is looked at with the slow tests.
        pytest.param(SERVERS["sdk"], id="sdk", marks=pytest.mark.slow),
    ],
)
def server_command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The command that starts a server."""
    command: tuple[str, ...] = request.param
    return command


@pytest.fixture
def chatroom(world: World) -> Chatroom:
    """A repository without a message yet, in a world of its own."""
    return Chatroom(world)


# --- clients by hand -----------------------------------------------------------


class Start(Protocol):
    """What the ``start`` fixture gives."""

    def __call__(
        self, *options: str, cwd: Path | None = None, revision: str | None = "2025-11-25", **variables: str
    ) -> Wire:
        """A new server in ``cwd`` (the chatroom), after the handshake, or without one when ``revision`` is None."""


@pytest.fixture
def start(chatroom: Chatroom, server_command: tuple[str, ...]) -> Iterator[Start]:
    """Starts servers that end with the test."""
    with ExitStack() as servers:

        def started(
            *options: str, cwd: Path | None = None, revision: str | None = "2025-11-25", **variables: str
        ) -> Wire:
            wire = Wire([*server_command, *options], cwd or chatroom.path, chatroom.world.variables | variables)
            servers.callback(wire.kill)
            if revision is not None:
                wire.shake_hands(revision)
            return wire

        yield started


@pytest.fixture(scope="session")
def shared_room(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """A room for all tests that leave nothing in it, or only in rooms of their own."""
    return Chatroom(World(tmp_path_factory.mktemp("shared")))


@pytest.fixture(scope="session")
def shared(shared_room: Chatroom, server_command: tuple[str, ...]) -> Iterator[Wire]:
    """A server that answers with text, for tests that need no own one. Nobody joins there."""
    yield from _shared(shared_room, *server_command)


@pytest.fixture(scope="session")
def shared_json(shared_room: Chatroom, server_command: tuple[str, ...]) -> Iterator[Wire]:
    """As ``shared``, with JSON."""
    yield from _shared(shared_room, *server_command, "--json")


def _shared(room: Chatroom, *command: str) -> Iterator[Wire]:
    wire = Wire(command, room.path, room.world.variables)
    wire.shake_hands()
    yield wire
    wire.kill()


# --- the SDK's client ----------------------------------------------------------


class Caller:
    """The SDK's client of one server, called from a test that is not async."""

    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self.client = client
        self._portal = portal

    def result(self, tool: str, **arguments: Any) -> CallToolResult:
        """What the client got."""
        result: CallToolResult = self._portal.call(self.client.call_tool, tool, arguments)
        return result

    def text(self, tool: str, **arguments: Any) -> str:
        """The text, which is all that a model gets."""
        result = self.result(tool, **arguments)
        assert result.structured_content is None, "clients show it to the model in place of the text"
        return _only_text(result)

    def data(self, tool: str, **arguments: Any) -> Any:
        """The JSON, of which the structured content and the text must say the same."""
        result = self.result(tool, **arguments)
        text = _only_text(result)
        value = json.loads(text)
        assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        assert result.structured_content == (value if isinstance(value, dict) else {"result": value})
        return value


def _only_text(result: CallToolResult) -> str:
    from mcp.types import TextContent

    content, *told = result.content
    assert isinstance(content, TextContent)
    assert [one.text.startswith("(you are ") for one in told if isinstance(one, TextContent)] in ([], [True])
    return content.text


class Connect(Protocol):
    """What the ``connect`` fixture gives."""

    def __call__(self, *options: str, mode: Any = "auto", cwd: Path | None = None) -> Caller:
        """The SDK's client, connected to a new server."""


@pytest.fixture
def connect(chatroom: Chatroom, server_command: tuple[str, ...]) -> Iterator[Connect]:
    """Connects clients that hang up with the test."""
    from anyio.from_thread import start_blocking_portal
    from mcp import Client, StdioServerParameters

    with ExitStack() as clients:
        portal = clients.enter_context(start_blocking_portal())

        def connected(*options: str, mode: Any = "auto", cwd: Path | None = None) -> Caller:
            program, *arguments = server_command
            client = Client(
                StdioServerParameters(
                    command=program,
                    args=[*arguments, *options],
                    env=chatroom.world.variables,
                    cwd=cwd or chatroom.path,
                ),
                mode=mode,
                read_timeout_seconds=DEADLINE_SECONDS,
            )
            return Caller(portal, clients.enter_context(portal.wrap_async_context_manager(client)))

        yield connected


@pytest.fixture
def new_room(request: pytest.FixtureRequest) -> str:
    """A room of the shared repository that no other test writes to."""
    return f"room-{abs(hash(request.node.nodeid))}"
