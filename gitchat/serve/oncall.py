"""One request of a session of tools, answered as a stream of events in the task that the server has for it.

What it is answered, what it tells meanwhile, and that it is here, go straight to the client. It imports ``mcp``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import mcp.types as t
from anyio import Event
from mcp.shared.dispatcher import CallOptions, DispatchContext
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import MessageMetadata, ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from starlette.requests import Request
from starlette.types import Message as Sent
from starlette.types import Receive, Send

from gitchat.model.errors import ChatError

COMMENT_SECONDS = 15.0
"""How often something is sent to who waits when nothing comes: proxies cut what is silent for longer."""

COMMENT = b": here\r\n\r\n"

CANCELLED = -32800
"""The code of an answer to a request that its client has called off, as the SDK has it."""

Handler = Callable[[DispatchContext[TransportContext]], Awaitable[dict[str, Any]]]

_log = logging.getLogger(__name__)
_TRANSPORT = TransportContext(kind="streamable-http", can_send_request=False)


def headers_of(session: str) -> list[tuple[bytes, bytes]]:
    """Those of a stream of events in a session."""
    return [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-cache, no-transform"),
        (b"connection", b"keep-alive"),
        (b"x-accel-buffering", b"no"),
        (b"mcp-session-id", session.encode("ascii")),
    ]


def fault(number: int, message: str) -> t.ErrorData:
    """An error as JSON-RPC tells it, whose codes are numbers."""
    return t.ErrorData.model_validate({"code": number, "message": message})


def event_of(message: t.JSONRPCMessage) -> bytes:
    """A message as a server-sent event; JSON has no line feeds."""
    return f"event: message\r\ndata: {message.model_dump_json(by_alias=True, exclude_unset=True)}\r\n\r\n".encode()


def notice_of(method: str, params: Mapping[str, Any] | None) -> bytes:
    """A notification as an event."""
    if params is None:
        return event_of(t.JSONRPCNotification(jsonrpc="2.0", method=method))
    return event_of(t.JSONRPCNotification(jsonrpc="2.0", method=method, params=dict(params)))


async def until_gone(receive: Receive, then: Callable[[], object] = lambda: None) -> None:
    """Hear the client go. What it sends beside its question is not looked at."""
    with suppress(ChatError):  # it is too much
        while (await receive())["type"] != "http.disconnect":
            pass
    then()


async def _to_nobody(message: Sent) -> None:
    """In place of what sends to a client, when it was answered."""


class Message:
    """What the SDK's kernel has to know of a message: a notification, which says nothing back."""

    transport = _TRANSPORT
    can_send_request = False

    def __init__(self, request: Request, request_id: t.RequestId | None = None) -> None:
        self.request_id = request_id
        self.message_metadata: MessageMetadata = ServerMessageMetadata(request_context=request, can_send_request=False)
        self._is_called_off = False

    @property
    def cancel_requested(self) -> Event:
        """Set when the client has called it off. Nothing of ours asks, and one for each would cost a kB."""
        event = Event()
        if self._is_called_off:
            event.set()
        return event

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Nothing of ours asks a client."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """There is nowhere to say it."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Nobody asked for it."""


class OnCall(Message):
    """A request that is being answered."""

    def __init__(self, asked: t.JSONRPCRequest, request: Request, send: Send) -> None:
        super().__init__(request, asked.id)
        self._send = send
        self._progress_token = progress_token_from_params(asked.params)
        self._task: asyncio.Task[Any] | None = None
        self._why: t.ErrorData | None = None
        """Why it was ended, where somebody did."""
        self._timer: asyncio.TimerHandle | None = None
        self._comment: asyncio.Task[None] | None = None

    async def answer(self, session: str, receive: Receive, handle: Handler) -> bool:
        """Answer it with what ``handle`` gives; whether that is a result, and no error.

        Who has gone is answered all the same, and what was asked is done.
        """
        await self._send({"type": "http.response.start", "status": 200, "headers": headers_of(session)})
        hearing = asyncio.create_task(until_gone(receive))
        task = self._task = asyncio.current_task()
        assert task is not None
        self._wait_to_be_here()
        try:
            said: t.JSONRPCResponse | t.JSONRPCError = await self._handled(handle)
        except asyncio.CancelledError:
            if self._why is not None:
                task.uncancel()
                said = self._error(self._why)
            elif hearing.done() and not task.cancelling():
                return False  # it gave up, since nobody would get the answer
            else:
                raise
        finally:
            send, self._send = self._send, _to_nobody
            self._task, self.message_metadata = None, None  # who keeps the call keeps nothing of its request
            hearing.cancel()
            self._be_silent()
        event = event_of(said)
        await asyncio.sleep(0)  # who is woken beside it is ready first: each sending lets the worker's thread in
        await send({"type": "http.response.body", "body": event, "more_body": False})
        return isinstance(said, t.JSONRPCResponse)

    async def _handled(self, handle: Handler) -> t.JSONRPCResponse | t.JSONRPCError:
        try:
            return t.JSONRPCResponse(jsonrpc="2.0", id=self._id, result=await handle(self))
        except Exception as error:
            told = handler_exception_to_error_data(error)
            if told is None:  # all to who runs the server, and nothing of it to who asked
                _log.exception("a request of a session of tools failed")
                told = fault(t.INTERNAL_ERROR, "Internal server error")
            return self._error(told)

    @property
    def _id(self) -> t.RequestId:
        assert self.request_id is not None
        return self.request_id

    def _error(self, told: t.ErrorData) -> t.JSONRPCError:
        return t.JSONRPCError(jsonrpc="2.0", id=self._id, error=told)

    def call_off(self) -> None:
        """Its client wants no answer any more."""
        self._is_called_off = True
        self._end(fault(CANCELLED, "Request cancelled"))

    def close(self) -> None:
        """Its session is over."""
        self._end(fault(t.CONNECTION_CLOSED, "Connection closed"))

    def _end(self, why: t.ErrorData) -> None:
        if self._task is not None and self._why is None:
            self._why = why
            self._task.cancel()

    # --- what is told meanwhile ----------------------------------------------------------

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Tell it on the stream of the answer."""
        if self._task is not None:
            await self._tell(notice_of(method, params))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far it is, where the client wants to know."""
        if self._progress_token is not None:
            told = {"progressToken": self._progress_token, "progress": progress, "total": total, "message": message}
            await self.notify("notifications/progress", {key: one for key, one in told.items() if one is not None})

    async def _tell(self, event: bytes) -> None:
        await self._send({"type": "http.response.body", "body": event, "more_body": True})

    def _wait_to_be_here(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(COMMENT_SECONDS, self._be_here)

    def _be_here(self) -> None:
        """Say so, and say it again after a while."""
        if self._comment is None or self._comment.done():  # else the client takes nothing
            self._comment = asyncio.create_task(self._tell(COMMENT))
        self._wait_to_be_here()

    def _be_silent(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._comment is not None:
            self._comment.cancel()
        self._timer = self._comment = None
