"""The service on our own JSON-RPC loop: answers a client before the SDK would be imported.

It speaks what clients of tools speak, in both eras of the protocol, and answers as the SDK
does (the same black-box suite runs over both): the handshake era (``initialize``, 2024-11-05
to 2025-11-25) and the later one (``_meta`` on every request, 2026-07-28). The first request
decides, for the connection. What a list needs is loaded at once; the rest with the first
call. Source: docs/decisions/0004; modelcontextprotocol.io/specification.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gitchat import __version__
from gitchat.server.catalog import INSTRUCTIONS, listed

if TYPE_CHECKING:
    from gitchat.server.service import News, Service

Json = dict[str, Any]

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LATER_VERSION = "2026-07-28"

MAX_LINE_BYTES = 32 * 1024 * 1024
"""The longest message that is taken; a content has at most 1 MiB."""

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_SERVER_KEY = "io.modelcontextprotocol/serverInfo"
_SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
UNSUPPORTED_VERSION = -32022

_SERVER = {"name": "gitchat", "version": __version__}


class _Refused(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error: Json = {"code": code, "message": message} | ({"data": data} if data is not None else {})


def serve(make_service: Callable[[], Service], *, profile: str, has_channel: bool) -> None:
    """Answer on standard input and output until the client goes away.

    ``make_service`` is called with the first request that needs more than a list. With
    ``has_channel`` only in the handshake era: clients of the later one take no channels.
    """
    # Whatever prints, and every program that is started, must not get at the client's lines.
    output = os.dup(1)
    source = os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    ended_by = asyncio.run(_Front(make_service, profile, has_channel, source, output).run())
    if ended_by is not None:
        signal.signal(ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), ended_by)
    # A thread may still wait for the client; nobody waits for it.
    os._exit(0)


class _Front:
    def __init__(
        self, make_service: Callable[[], Service], profile: str, has_channel: bool, source: int, output: int
    ) -> None:
        self._make_service = make_service
        self._made: Service | None = None
        self._tools = listed(profile)
        self._has_channel = has_channel
        self._source = source
        self._output = output
        self._is_later: bool | None = None
        """The era: None until the first request."""
        self._is_open = False
        """Whether the handshake was made, in its era."""
        self._running: dict[Any, asyncio.Task[None]] = {}
        self._subscribed: set[str] = set()
        self._streams: dict[Any, set[str]] = {}
        """Open ``subscriptions/listen`` requests, and the resources each wants to hear of."""
        self._forwarding: asyncio.Task[None] | None = None

    # --- lines -------------------------------------------------------------------

    async def run(self) -> signal.Signals | None:
        """Until the client goes away, or a signal comes: that signal."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        ended_by: list[signal.Signals] = []

        def end(number: signal.Signals) -> None:
            ended_by.append(number)
            over.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, number)
        # A thread, because a loop cannot wait for every kind of standard input (a file, for one).
        threading.Thread(target=self._read, args=(loop, over), daemon=True).start()
        await over.wait()
        for task in [*self._running.values(), *([self._forwarding] if self._forwarding else [])]:
            task.cancel()
        if self._made is not None:
            self._made.close()
        return ended_by[0] if ended_by else None

    def _read(self, loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the loop has ended first
            for line in self._lines():
                loop.call_soon_threadsafe(self._take, line)
            loop.call_soon_threadsafe(over.set)

    def _lines(self) -> Iterator[bytes | None]:
        """The client's lines; None for one that is too long."""
        buffer = bytearray()
        is_skipping = False
        while part := os.read(self._source, 1 << 16):
            buffer += part
            *lines, rest = buffer.split(b"\n") if b"\n" in part else [buffer]
            for line in lines:
                yield None if is_skipping or len(line) > MAX_LINE_BYTES else bytes(line)
                is_skipping = False
            buffer = bytearray(rest)
            if len(buffer) > MAX_LINE_BYTES:
                buffer.clear()
                is_skipping = True

    def _write(self, message: Json) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            while data:
                data = data[os.write(self._output, data) :]
        except OSError:
            os._exit(0)  # the client is gone

    # --- requests ------------------------------------------------------------------

    def _take(self, line: bytes | None) -> None:
        """One line. What cannot be read as a message, and has no id to answer to, is passed over as the SDK does."""
        try:
            message = json.loads(line) if line is not None else None
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            if line is None or line.strip():
                print("git chat mcp: passed over a line that is no JSON-RPC message", file=sys.stderr)
            return
        if not isinstance(message.get("method"), str):
            return  # an answer to what was never asked
        request_id = message.get("id")
        params = message.get("params")
        if "id" not in message:
            self._notified(message["method"], params if isinstance(params, dict) else {})
        elif isinstance(request_id, (int, str)) and not isinstance(request_id, bool):
            task = asyncio.get_running_loop().create_task(self._answer(request_id, message["method"], params))
            self._running[request_id] = task
            task.add_done_callback(lambda done: self._forget(request_id, done))

    def _forget(self, request_id: Any, task: asyncio.Task[None]) -> None:
        if self._running.get(request_id) is task:
            del self._running[request_id]

    def _notified(self, method: str, params: Json) -> None:
        if method == "notifications/cancelled" and (task := self._running.get(params.get("requestId"))):
            task.cancel()

    async def _answer(self, request_id: Any, method: str, params: Any) -> None:
        try:
            if params is not None and not isinstance(params, dict):
                raise _Refused(INVALID_PARAMS, "Invalid request parameters", "")
            result = await self._result(request_id, method, params or {})
        except _Refused as refused:
            self._write({"id": request_id, "error": refused.error})
        except Exception as error:  # a defect: the client must get an answer all the same
            import traceback

            traceback.print_exc()
            words = f"gitchat failed in a way it does not know: {type(error).__name__}"
            self._write({"id": request_id, "error": {"code": INTERNAL_ERROR, "message": words}})
        else:
            self._write({"id": request_id, "result": result})

    async def _result(self, request_id: Any, method: str, params: Json) -> Json:
        self._settle_era(method, params)
        handler = (_LATER if self._is_later else _HANDSHAKE).get(method)
        if not (self._is_later or self._is_open or method in ("initialize", "ping")):
            raise _Refused(INVALID_PARAMS, "Invalid request parameters: initialize comes first", "")
        if handler is None:
            raise _Refused(METHOD_NOT_FOUND, "Method not found", method[:200])
        result = await handler(self, request_id, params)
        if not self._is_later:
            return result
        lists = {"ttlMs": 0, "cacheScope": "private"} if method in _CACHED else {}
        meta = {**result.pop("_meta", {}), _SERVER_KEY: _SERVER}
        return {**result, **lists, "resultType": "complete", "_meta": meta}

    def _settle_era(self, method: str, params: Json) -> None:
        """Which era this is, decided by the first request; refuse a request of the other one."""
        meta = params.get("_meta")
        has_envelope = isinstance(meta, dict) and _VERSION_KEY in meta
        if self._is_later is None:
            self._is_later = has_envelope and method != "initialize" and not self._has_channel
        if not self._is_later:
            if has_envelope and method != "initialize":
                raise _Refused(INVALID_REQUEST, "this connection serves the handshake protocol era")
            return
        supported = {"supported": [LATER_VERSION]}
        if method == "initialize":
            raise _Refused(
                UNSUPPORTED_VERSION,
                f"connection is serving the {LATER_VERSION} protocol; the initialize handshake is not accepted",
                supported | {"requested": str(params.get("protocolVersion"))[:40]},
            )
        if not isinstance(meta, dict) or not isinstance(meta.get(_VERSION_KEY), str):
            raise _Refused(INVALID_PARAMS, f"params._meta must be an object carrying {_VERSION_KEY!r}")
        if meta[_VERSION_KEY] != LATER_VERSION:
            raise _Refused(
                UNSUPPORTED_VERSION, "Unsupported protocol version", supported | {"requested": meta[_VERSION_KEY][:40]}
            )
        if not isinstance(meta.get(_CAPABILITIES_KEY), dict):
            raise _Refused(INVALID_PARAMS, f"params._meta is missing the required envelope key: {_CAPABILITIES_KEY}")

    # --- opening -------------------------------------------------------------------

    async def _initialize(self, request_id: Any, params: Json) -> Json:
        asked = params.get("protocolVersion")
        if not isinstance(asked, str):
            raise _Refused(INVALID_PARAMS, "Invalid request parameters", "")
        self._is_open = True
        version = asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        return {
            "protocolVersion": version,
            "capabilities": self._capabilities(has_lists_that_change=False),
            "serverInfo": _SERVER,
            "instructions": INSTRUCTIONS,
        }

    async def _discover(self, request_id: Any, params: Json) -> Json:
        return {
            "supportedVersions": [LATER_VERSION],
            "capabilities": self._capabilities(has_lists_that_change=True),
            "instructions": INSTRUCTIONS,
        }

    def _capabilities(self, *, has_lists_that_change: bool) -> Json:
        changing = {"listChanged": has_lists_that_change}
        shown: Json = {"prompts": changing, "resources": changing | {"subscribe": True}, "tools": changing}
        return shown | ({"experimental": {"claude/channel": {}}} if self._has_channel else {})

    async def _ping(self, request_id: Any, params: Json) -> Json:
        return {}

    # --- tools -----------------------------------------------------------------------

    @property
    def _service(self) -> Service:
        if self._made is None:
            self._made = self._make_service()
        return self._made

    async def _list_tools(self, request_id: Any, params: Json) -> Json:
        return {"tools": self._tools}

    async def _call_tool(self, request_id: Any, params: Json) -> Json:
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, (dict, type(None))):
            raise _Refused(INVALID_PARAMS, "Invalid request parameters", "")
        if not self._service.knows(name):
            raise _Refused(INVALID_PARAMS, f"unknown tool: {name[:80]!r}")
        if self._has_channel:
            self._begin_forwarding()
        answer = await self._service.call(name, arguments, self._progress_of(params))
        result: Json = {"content": [{"type": "text", "text": answer.text}], "isError": answer.is_error}
        return result | ({"structuredContent": answer.structured} if answer.structured is not None else {})

    def _progress_of(self, params: Json) -> Callable[[float, float, str], Awaitable[None]]:
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None

        async def tell(done: float, total: float, message: str) -> None:
            if token is not None:
                said = {"progressToken": token, "progress": done, "total": total, "message": message}
                self._write({"method": "notifications/progress", "params": said})

        return tell

    # --- resources and prompts ---------------------------------------------------------

    async def _list_resources(self, request_id: Any, params: Json) -> Json:
        return {"resources": self._service.resources()}

    async def _list_templates(self, request_id: Any, params: Json) -> Json:
        return {"resourceTemplates": self._service.templates()}

    async def _read_resource(self, request_id: Any, params: Json) -> Json:
        uri = _uri(params)
        text = self._refusing(lambda: self._service.read(uri))
        return {"contents": [{"uri": uri, "mimeType": "application/json", "text": text}]}

    async def _list_prompts(self, request_id: Any, params: Json) -> Json:
        return {"prompts": self._service.prompts()}

    async def _get_prompt(self, request_id: Any, params: Json) -> Json:
        name, arguments = params.get("name"), params.get("arguments") or {}
        is_given = isinstance(arguments, dict) and all(isinstance(value, str) for value in arguments.values())
        if not isinstance(name, str) or not is_given:
            raise _Refused(INVALID_PARAMS, "Invalid request parameters", "")
        text = self._refusing(lambda: self._service.prompt(name, arguments))
        return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}

    def _refusing(self, read: Callable[[], str]) -> str:
        from gitchat.model.errors import ChatError

        try:
            return read()
        except ChatError as error:
            raise _Refused(INVALID_PARAMS, f"{error} ({error.hint})") from error

    # --- push ----------------------------------------------------------------------------

    async def _subscribe(self, request_id: Any, params: Json) -> Json:
        self._subscribed.add(_uri(params))
        self._begin_forwarding()
        return {}

    async def _unsubscribe(self, request_id: Any, params: Json) -> Json:
        self._subscribed.discard(_uri(params))
        return {}

    async def _listen(self, request_id: Any, params: Json) -> Json:
        """A request that stays open until it is cancelled; what it asked for is told under its id."""
        asked = params.get("notifications")
        wanted = asked.get("resourceSubscriptions") if isinstance(asked, dict) else None
        uris = [uri for uri in wanted if isinstance(uri, str)] if isinstance(wanted, list) else []
        honored = {key: True for key in _LIST_CHANGES if isinstance(asked, dict) and asked.get(key) is True}
        meta = {_SUBSCRIPTION_KEY: request_id}
        said: Json = {"_meta": meta, "notifications": honored | ({"resourceSubscriptions": uris} if uris else {})}
        self._write({"method": "notifications/subscriptions/acknowledged", "params": said})
        self._streams[request_id] = set(uris)
        self._begin_forwarding()
        try:
            await asyncio.Event().wait()
        finally:
            del self._streams[request_id]
        return {}

    def _begin_forwarding(self) -> None:
        if self._forwarding is None:
            self._forwarding = asyncio.get_running_loop().create_task(self._forward(self._service.news()))

    async def _forward(self, coming: AsyncIterator[News]) -> None:
        async for news in coming:
            self._tell(news)

    def _tell(self, news: News) -> None:
        from gitchat.server.service import channel_params, uris_of

        for uri in uris_of(news):
            if uri in self._subscribed:
                self._write({"method": "notifications/resources/updated", "params": {"uri": uri}})
            for request_id, wanted in self._streams.items():
                if uri in wanted:
                    said = {"_meta": {_SUBSCRIPTION_KEY: request_id}, "uri": uri}
                    self._write({"method": "notifications/resources/updated", "params": said})
        if self._has_channel:
            self._write({"method": "notifications/claude/channel", "params": channel_params(news)})


def _uri(params: Json) -> str:
    uri = params.get("uri")
    if not isinstance(uri, str):
        raise _Refused(INVALID_PARAMS, "Invalid request parameters", "")
    return uri


_Handler = Callable[[_Front, Any, Json], Awaitable[Json]]

_COMMON: dict[str, _Handler] = {
    "tools/list": _Front._list_tools,
    "tools/call": _Front._call_tool,
    "resources/list": _Front._list_resources,
    "resources/templates/list": _Front._list_templates,
    "resources/read": _Front._read_resource,
    "prompts/list": _Front._list_prompts,
    "prompts/get": _Front._get_prompt,
}

_HANDSHAKE: dict[str, _Handler] = _COMMON | {
    "initialize": _Front._initialize,
    "ping": _Front._ping,
    "resources/subscribe": _Front._subscribe,
    "resources/unsubscribe": _Front._unsubscribe,
}

_LATER: dict[str, _Handler] = _COMMON | {
    "server/discover": _Front._discover,
    "subscriptions/listen": _Front._listen,
}

_CACHED = frozenset(
    {"server/discover", "tools/list", "resources/list", "resources/templates/list", "resources/read", "prompts/list"}
)
"""Results that tell how long they hold: not at all, because every answer is cheap."""

_LIST_CHANGES = ("toolsListChanged", "promptsListChanged", "resourcesListChanged")
