"""Sessions of tools over HTTP in the revisions that begin with a handshake, on the SDK's kernel of handlers.

Between its requests a session is what its client said of itself, and nothing that runs; a request is answered in the
task that the server has for it anyway. The SDK's own sessions are two tasks, four streams and the whole last request
each, and seven tasks more for a call that waits. What is said on the wire is what the SDK says, but that a defect
tells no stranger what it was. Source: docs/decisions/0035-sessions-without-tasks.md. It imports ``mcp``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import mcp.types as t
from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.runner import ServerRunner, aclose_shielded
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.dispatcher import CallOptions, coerce_request_id
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gitchat.serve.oncall import COMMENT, COMMENT_SECONDS, Message, OnCall, fault, headers_of, notice_of, until_gone

SESSION = "gitchat.session"
"""Where a request has the id of its session."""
OWNER = "gitchat.owner"
"""Where a request has whose it is: who comes with other credentials finds no such session."""

ID_BYTES = 16
MOST_SESSIONS = 10_000
"""How many may be open."""
WAITING = 16
"""Notifications that may wait for a client; who has more to say waits until it takes them."""

_EVENTS = "text/event-stream"


class Told:
    """What a client is told without having asked: on the stream that it opened for that, or not at all."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: asyncio.Queue[bytes] | None = None

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Tell it, if it listens."""
        if self.events is not None:
            await self.events.put(notice_of(method, params))

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Nothing of ours asks a client."""
        raise NoBackChannelError(method)


class Session:
    """A client that shook hands."""

    __slots__ = ("calls", "connection", "id", "listening", "owner", "seen", "told")

    def __init__(self, identity: str, owner: str) -> None:
        self.id = identity
        self.owner = owner
        self.told = Told()
        self.connection = Connection.for_loop(self.told, session_id=self.id)
        self.calls: dict[t.RequestId, OnCall] = {}
        self.listening: asyncio.Task[Any] | None = None
        """Who reads what the client is told."""
        self.seen = time.monotonic()

    def call_off(self, params: Mapping[str, Any] | None) -> None:
        """The client wants no answer to a request any more."""
        asked = cancelled_request_id_from_params(params)
        call = self.calls.get(coerce_request_id(asked)) if asked is not None else None
        if call is not None:
            call.call_off()


class Handshake:
    """The sessions of one set of tools. For the thread of the event loop."""

    def __init__(
        self,
        server: Server[Any],
        random_bytes: Callable[[int], bytes],
        *,
        idle_seconds: float,
        most: int = MOST_SESSIONS,
    ) -> None:
        """One that nothing is asked of for ``idle_seconds``, and that does not listen, is over."""
        self._server = server
        self._random_bytes = random_bytes
        self._idle_seconds = idle_seconds
        self._most = most
        self._sessions: dict[str, Session] = {}

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises what ``receive`` raises."""
        request = Request(scope, receive)
        given = request.headers.get("mcp-session-id")
        session = self._sessions.get(given) if given is not None else None
        if given is not None and (session is None or session.owner != scope[OWNER]):
            refusal: Response | None = _refusal("Session not found", 404)
        elif request.method == "POST":
            refusal = await self._post(request, session, send)
        elif request.method not in ("GET", "DELETE"):
            refusal = _refusal("Method Not Allowed", 405, headers={"Allow": "GET, POST, DELETE"})
        elif session is None:
            refusal = _refusal("Bad Request: Missing session ID", 400)
        elif request.method == "GET":
            refusal = await self._listen(request, session, send)
        else:
            await self._end(session)
            refusal = Response(media_type="application/json")
        if refusal is not None:
            if session is not None and session.owner == scope[OWNER] and refusal.media_type is not None:
                refusal.headers["mcp-session-id"] = session.id
            await refusal(scope, receive, send)

    async def sweep(self) -> None:
        """End sessions that nothing was asked of for too long."""
        late = time.monotonic() - self._idle_seconds
        for session in list(self._sessions.values()):
            if session.seen < late and not session.calls and session.told.events is None:
                await self._end(session)

    async def close(self) -> None:
        """End all."""
        for session in list(self._sessions.values()):
            await self._end(session)

    async def _end(self, session: Session) -> None:
        """It is over: what it asked is answered so, and nobody lives by it any more. Again: nothing happens."""
        if self._sessions.pop(session.id, None) is None:
            return
        for call in list(session.calls.values()):
            call.close()
        if session.listening is not None:
            session.listening.cancel()
        await aclose_shielded(session.connection)

    # --- what a client says --------------------------------------------------------------

    async def _post(self, request: Request, session: Session | None, send: Send) -> Response | None:
        """Take a message; what stands against it, or all that it is answered."""
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            return Response("Invalid Content-Type header", 400)
        if not all(check_accept_headers(request)):
            both = "Client must accept both application/json and text/event-stream"
            return _refusal(f"Not Acceptable: {both}", 406)
        try:
            message = t.jsonrpc_message_adapter.validate_python(from_json(await request.body()), by_name=False)
        except ClientDisconnect:
            return None
        except ValidationError as error:
            return _refusal(f"Validation error: {error}", 400, t.INVALID_PARAMS)
        except ValueError as error:
            return _refusal(f"Parse error: {error}", 400, t.PARSE_ERROR)
        if session is None:
            if not isinstance(message, t.JSONRPCRequest) or message.method != "initialize":
                return _refusal("Bad Request: Missing session ID", 400)
            return await self._begin(message, request, send)
        session.seen = time.monotonic()
        if isinstance(message, t.JSONRPCRequest):
            await self._call(session, message, request, send)
            return None
        accepted = Response(status_code=202, headers={"Content-Type": "application/json", "mcp-session-id": session.id})
        await accepted(request.scope, request.receive, send)
        if isinstance(message, t.JSONRPCNotification):
            if message.method == "notifications/cancelled":
                session.call_off(message.params)
            runner = ServerRunner(self._server, session.connection, None)
            await runner.on_notify(Message(request), message.method, message.params)
        return None

    async def _begin(self, message: t.JSONRPCRequest, request: Request, send: Send) -> Response | None:
        """A handshake. A session whose beginning was refused, or did not come to its end, is none."""
        if len(self._sessions) >= self._most:
            return _refusal("Too many open sessions", 503, t.INTERNAL_ERROR)
        session = Session(self._random_bytes(ID_BYTES).hex(), request.scope[OWNER])
        self._sessions[session.id] = session
        has_begun = False
        try:
            has_begun = await self._call(session, message, request, send)
        finally:
            if not has_begun:
                await self._end(session)
        return None

    async def _call(self, session: Session, message: t.JSONRPCRequest, request: Request, send: Send) -> bool:
        """Answer a request; whether with a result."""
        request.scope[SESSION] = session.id
        call, key = OnCall(message, request, send), coerce_request_id(message.id)
        session.calls[key] = call
        runner = ServerRunner(self._server, session.connection, None)
        try:
            return await call.answer(
                session.id, request.receive, lambda context: runner.on_request(context, message.method, message.params)
            )
        finally:
            if session.calls.get(key) is call:  # one that came later with the same id is another one
                del session.calls[key]
            session.seen = time.monotonic()

    # --- what a client is told -------------------------------------------------------------

    async def _listen(self, request: Request, session: Session, send: Send) -> Response | None:
        """Tell a client what it has not asked for, until it goes or the session is over."""
        if not check_accept_headers(request)[1]:
            return _refusal(f"Not Acceptable: Client must accept {_EVENTS}", 406)
        if session.told.events is not None:
            return _refusal("Conflict: Only one SSE stream is allowed per session", 409)
        events = session.told.events = asyncio.Queue(WAITING)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers_of(session.id)})
            if session.id in self._sessions:
                writing = session.listening = asyncio.create_task(_write(events, send))
                hearing = asyncio.create_task(until_gone(request.receive, writing.cancel))
                try:
                    await asyncio.wait([writing])
                    if not writing.cancelled():
                        writing.result()  # which it has none of: it failed
                finally:
                    hearing.cancel()
                    writing.cancel()
        finally:
            session.told.events, session.listening, session.seen = None, None, time.monotonic()
            while not events.empty():  # who waits to say something says it to nobody
                events.get_nowait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return None


async def _write(events: asyncio.Queue[bytes], send: Send) -> None:
    while True:
        try:
            async with asyncio.timeout(COMMENT_SECONDS):
                event = await events.get()
        except TimeoutError:
            event = COMMENT
        await send({"type": "http.response.body", "body": event, "more_body": True})


def _refusal(
    message: str, status: int, number: int = t.INVALID_REQUEST, headers: Mapping[str, str] | None = None
) -> Response:
    """An error of JSON-RPC that is no answer to a request, with the status of HTTP that says the same."""
    error = t.JSONRPCError(jsonrpc="2.0", id=None, error=fault(number, message))
    body = error.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(body, status, headers, "application/json")
