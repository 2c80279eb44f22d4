"""The SDK's manager of sessions over Streamable HTTP, and what it has to be told and asked.

It imports ``mcp``, which takes over a second: for ``serve/mcp`` alone, when somebody asks for tools.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from gitchat.server.sdk import GONE, About, Context, Face, server_of

__all__ = ["GONE", "About", "Context", "Face", "Manager", "at_end", "manager_of", "owner", "session_of"]

Manager = StreamableHTTPSessionManager

# What it warns of, such as a client that went away, is no news to who runs the server; defects it tells as errors.
logging.getLogger("mcp").setLevel(logging.ERROR)


def manager_of(
    about: About,
    face_of: Callable[[Context], Awaitable[Face]],
    *,
    has_channel: bool,
    idle_seconds: float,
    max_body_bytes: int,
) -> Manager:
    """What answers requests for one toolset; sessions that nothing is asked of end after ``idle_seconds``."""

    @asynccontextmanager
    async def lifespan(server: Server[Any]) -> AsyncIterator[None]:
        yield None

    return StreamableHTTPSessionManager(
        server_of(about, face_of, lifespan, has_channel=has_channel),
        session_idle_timeout=idle_seconds,
        max_request_body_size=max_body_bytes,
    )


def owner(key: str) -> AuthenticatedUser:
    """Whose a session is, for the manager: who comes with other credentials finds no such session."""
    return AuthenticatedUser(AccessToken(token="", client_id=key, scopes=[]))


def session_of(context: Context) -> str | None:
    """The id of the session over HTTP that a request is of; None in revisions without sessions."""
    return context.session._connection.session_id  # the SDK tells it nowhere else


def at_end(context: Context, do: Callable[[], Awaitable[None]]) -> None:
    """Do something when the connection that a request came by is over."""
    context.session._connection.exit_stack.push_async_callback(do)
