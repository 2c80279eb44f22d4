"""What stands before every path, for requests and WebSockets alike: who may ask at all, how much, and how often.

The order is part of it. Whether a stranger's page asks comes first, for nothing of it may depend on credentials that
a browser sends by itself. Then who it is; then how often; then whether a guest would write. The body is taken only
then, and no more of it than is allowed. Source: docs/serve.md, "Who may do what".
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from gitchat.model.errors import ChatError, StorageError
from gitchat.serve.acting import refuse_guest
from gitchat.serve.actor import Actor
from gitchat.serve.answers import MAX_BODY_BYTES, defect, refusal
from gitchat.serve.asked import Asked
from gitchat.serve.credentials import GIT_PATH, GUEST, NOBODY, UnknownToken, actor_of
from gitchat.serve.descriptors import few_left
from gitchat.serve.limits import Body
from gitchat.serve.origins import is_page, refuse_foreign, refuse_secrets_in_the_address
from gitchat.serve.served import ACTOR, REPOSITORY, WROTE, Seen, Served

SESSION_PATH = "/api/v1/session"
OPEN_PATHS = frozenset({"/health", "/metrics", "/api/v1/openapi.json", "/favicon.ico", SESSION_PATH})
"""What is asked without credentials; what is there decides itself, by who asks."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer has, unless it says otherwise itself."""


class Guard:
    """Lets through what may ask, and notes in its scope who that is."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through one request or one WebSocket, or answer it with what stands against it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        passage = _Passage(self._served, scope, receive, send)
        try:
            await passage.through(self._app)
        finally:
            passage.tell()


class _Passage:
    """One request on its way in and its answer on its way out."""

    def __init__(self, served: Served, scope: Scope, receive: Receive, send: Send) -> None:
        self._began = time.monotonic()
        self._served = served
        self._scope = scope
        self._send_on = send
        self._repository = self._named_repository()
        self._asked = Asked.of(scope)
        self._has_body = (
            self._asked.headers.get("content-length", "0") != "0" or "transfer-encoding" in self._asked.headers
        )
        self._body = Body(receive, None if self._asked.path.startswith(GIT_PATH) else MAX_BODY_BYTES)
        self._receive = receive if self._asked.is_websocket else self._body.receive
        self._status = 0
        self._sent_bytes = 0
        self._task = asyncio.current_task()
        self._is_cut = False
        scope[ACTOR] = NOBODY

    async def through(self, app: ASGIApp) -> None:
        """Let it through to ``app``, or refuse it."""
        try:
            actor = self._scope[ACTOR] = self._admit()
            revoking = self._served.hub_named(self._repository).revoking
            revoking.admit(actor.key)
            with revoking.request(actor.key, self._cut):
                await app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            if not self._is_cut:
                raise
            await self._end_cut()
        except Exception as error:
            if isinstance(error, ChatError) and self._status == 0:
                await self._refuse(error)
                return
            # All to who runs the server, and nothing of it to who asked: an answer that has begun is cut.
            traceback.print_exception(error, file=sys.stderr)
            if self._status == 0 and not self._asked.is_websocket:
                await defect()(self._scope, self._receive, self._send)

    def _cut(self) -> None:
        """Its credentials hold no more."""
        if self._task is not None and not self._is_cut:
            self._is_cut = True
            self._task.cancel()

    async def _end_cut(self) -> None:
        """Say why, where nothing was said yet; a stream that has begun just ends, and who comes back is told."""
        assert self._task is not None
        self._task.uncancel()
        if self._status == 0:
            await self._refuse(UnknownToken("this token was revoked, or its time is over"))
        elif self._asked.is_websocket:
            with suppress(RuntimeError):  # it was closed meanwhile
                await self._send_on({"type": "websocket.close", "code": 1008, "reason": "the token holds no more"})
        else:
            await self._send_on({"type": "http.response.body", "body": b""})

    def tell(self) -> None:
        """Tell who counts and who writes down what came of it."""
        seconds = time.monotonic() - self._began
        actor: Actor = self._scope[ACTOR]
        seen = Seen(self._asked, actor, self._status, self._sent_bytes, seconds, self._scope.get(WROTE))
        for observer in self._served.observers:
            observer(seen)

    def _named_repository(self) -> str | None:
        """The repository that the path names, where there are several; the path is that below it then."""
        if len(self._served.hubs) == 1 or not self._scope["path"].startswith("/r/"):
            return None
        name, _, rest = self._scope["path"].removeprefix("/r/").partition("/")
        if name not in self._served.hubs:
            return None
        self._scope[REPOSITORY] = name
        self._scope["path"] = f"/{rest}"
        self._scope["raw_path"] = self._scope["path"].encode()
        return str(name)

    # --- on its way in -----------------------------------------------------------------

    def _admit(self) -> Actor:
        """Who asks, and may. Raises ChatError for who may not."""
        asked, served = self._asked, self._served
        if few_left():
            raise StorageError("this server is full", hint="come back when others have gone", code="full")
        refuse_foreign(asked, served.settings)
        refuse_secrets_in_the_address(asked)
        is_open = asked.path in OPEN_PATHS or (is_page(asked.path) and asked.is_read)
        try:
            actor = actor_of(asked, served, self._repository, served.now())
        except ChatError:
            self._spend(NOBODY)
            if not is_open or asked.path in ("/metrics", SESSION_PATH):
                raise
            actor = None
        self._spend(actor or NOBODY)
        if actor is None and not is_open:
            is_git = asked.path.startswith(GIT_PATH)
            raise UnknownToken("who asks is not known here", "Basic" if is_git else "Bearer")
        if self._is_written() and asked.path != SESSION_PATH:
            refuse_guest(actor or NOBODY)
        if self._has_body and not asked.is_websocket:
            self._body.refuse_announced(asked.headers.get("content-length"))
        return actor or NOBODY

    def _spend(self, actor: Actor) -> None:
        """Count it. Who acts under any name is counted by the names alone, where something acts under them."""
        if actor.name is None and not actor.is_guest:
            return
        is_unknown = actor.key in (NOBODY.key, GUEST.key)
        address = self._asked.client[0] if self._asked.client else ""
        self._served.rates.spend_other(f"address {address}" if is_unknown else actor.key)

    def _is_written(self) -> bool:
        """Whether it is for those who write: by its method, or because what is there does nothing else."""
        path = self._asked.path
        mcp = self._served.settings.path
        is_for_agents = path.startswith(("/ws/", "/mcp/")) or path in ("/mcp", mcp)
        return not self._asked.is_read or is_for_agents

    # --- on its way out ----------------------------------------------------------------

    async def _refuse(self, error: ChatError) -> None:
        answer = refusal(error)
        if not self._asked.is_websocket:
            await answer(self._scope, self._receive, self._send)
            return
        self._status = answer.status_code
        if "websocket.http.response" in self._scope.get("extensions", {}):
            await WebSocket(self._scope, self._receive, self._send_on).send_denial_response(answer)
        else:
            await self._send_on({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            await self._complete(message)
        elif message["type"] == "http.response.body":
            self._sent_bytes += len(message.get("body", b""))
        elif message["type"] == "websocket.accept":
            self._status = 101
        await self._send_on(message)

    async def _complete(self, message: Message) -> None:
        """Add to the beginning of an answer what all have; see that what still comes is not taken for the next one."""
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        # git answers while it reads: what has not come yet is git's, unless it is refused.
        is_read_on = self._asked.path.startswith(GIT_PATH) and message["status"] < 400
        if self._has_body and not self._body.is_whole and not is_read_on:
            await self._body.drain()
            if not self._body.is_whole:
                headers["Connection"] = "close"
