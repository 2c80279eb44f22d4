"""What speaks MCP over HTTP: sessions that begin with a handshake, and the later revision, which has none.

It imports ``mcp``, which takes over a second: for ``serve/mcp`` alone, when somebody asks for tools.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from gitchat.serve.handshake import OWNER, SESSION, Handshake
from gitchat.server.sdk import GONE, About, Context, Face, server_of

__all__ = ["GONE", "OWNER", "About", "Context", "Face", "Manager", "at_end", "manager_of", "session_of"]

# What it warns of, such as a client that went away, is no news to who runs the server; defects it tells as errors.
logging.getLogger("mcp").setLevel(logging.ERROR)


class Manager:
    """What answers requests for one toolset."""

    def __init__(
        self,
        server: Server[Any],
        random_bytes: Callable[[int], bytes],
        *,
        idle_seconds: float,
        max_body_bytes: int,
    ) -> None:
        self._handshake = Handshake(server, random_bytes, idle_seconds=idle_seconds)
        self._later = StreamableHTTPSessionManager(server, max_request_body_size=max_body_bytes, stateless=True)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Its life, in one task; at its end all sessions end."""
        async with self._later.run():
            try:
                yield
            finally:
                await self._handshake.close()

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; its scope has :data:`OWNER`."""
        version = HTTPConnection(scope).headers.get("mcp-protocol-version")
        if version is None or version in HANDSHAKE_PROTOCOL_VERSIONS:
            await self._handshake.answer(scope, receive, send)
        else:
            await self._later.handle_request(scope, receive, send)

    async def sweep(self) -> None:
        """End sessions that nothing was asked of for too long."""
        await self._handshake.sweep()


def manager_of(
    about: About,
    face_of: Callable[[Context], Awaitable[Face]],
    random_bytes: Callable[[int], bytes],
    *,
    has_channel: bool,
    idle_seconds: float,
    max_body_bytes: int,
) -> Manager:
    """What answers requests for one toolset; sessions that nothing is asked of end after ``idle_seconds``."""

    @asynccontextmanager
    async def lifespan(server: Server[Any]) -> AsyncIterator[None]:
        yield None

    server = server_of(about, face_of, lifespan, has_channel=has_channel)
    return Manager(server, random_bytes, idle_seconds=idle_seconds, max_body_bytes=max_body_bytes)


def session_of(context: Context) -> str | None:
    """The id of the session over HTTP that a request is of; None in revisions without sessions."""
    assert context.request is not None
    session: str | None = context.request.scope.get(SESSION)
    return session


def at_end(context: Context, do: Callable[[], Awaitable[None]]) -> None:
    """Do something when the connection that a request came by is over."""
    context.session._connection.exit_stack.push_async_callback(do)  # the SDK tells it nowhere else
