"""Who may ask at all: what stands before every path, for requests and WebSockets alike."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gitchat.serve.actor import Actor
from gitchat.serve.served import ACTOR, Served

LOCAL = Actor("local", is_local=True)
"""The user whose process serves: who could write to the clone directly."""


class Guard:
    """Lets through what may ask, and notes in its scope who that is."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through one request, one WebSocket, or the server's own beginning and end."""
        if scope["type"] in ("http", "websocket"):
            scope[ACTOR] = LOCAL
        await self._app(scope, receive, send)
