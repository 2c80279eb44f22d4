"""The service on the MCP SDK's low-level server: every protocol revision that the SDK speaks.

It imports ``mcp``, which takes over a second, and beside it only ``serve/mcp`` does. What is answered is the service's;
this is the translation, one :class:`Face` for each connection, whatever carries it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, cast

import mcp.types as t
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from gitchat.model.errors import ChatError
from gitchat.model.escape import tame_line
from gitchat.server.service import Service

Context = ServerRequestContext[Any, Any]

CHANNEL: dict[str, dict[str, Any]] = {"claude/channel": {}}
"""The capability of a server that tells a client what it has not asked for."""


class ChannelParams(t.NotificationParams):
    """What a Claude channel shows; ``meta`` holds strings only."""

    content: str
    meta: dict[str, str]


class ChannelNotification(t.Notification[ChannelParams, Literal["notifications/claude/channel"]]):
    """A message pushed into a session."""

    method: Literal["notifications/claude/channel"] = "notifications/claude/channel"


def serve(service: Service, *, has_channel: bool) -> None:
    """Answer on standard input and output until the client goes away.

    With ``has_channel`` only in the handshake era: clients of the later one do not take channels.
    """
    try:
        service.start()
        asyncio.run(_serve(Face(service, has_channel=has_channel)))
    finally:
        service.close()


async def _serve(face: Face) -> None:
    async def only(context: Context) -> Face:
        return face

    @asynccontextmanager
    async def lifespan(server: Server[Any]) -> AsyncIterator[None]:
        face.tell()
        try:
            yield None
        finally:
            await face.tell_no_more()

    server = server_of(face.service, only, lifespan, has_channel=face.has_channel)
    async with stdio_server() as (reader, writer):
        if face.has_channel:
            async with lifespan(server) as state:
                await serve_loop(server, reader, writer, lifespan_state=state)
        else:
            await server.run(reader, writer, server.create_initialization_options())


Lifespan = Callable[[Server[Any]], AbstractAsyncContextManager[None]]


def server_of(
    told: Service | About, face_of: Callable[[Context], Awaitable[Face]], lifespan: Lifespan, *, has_channel: bool
) -> Server[Any]:
    """The SDK's server for connections to one toolset; ``face_of`` gives that of a request's connection.

    ``told`` is what a client is told of the server before its first call.
    """

    def by(method: Callable[..., Awaitable[Any]]) -> Callable[[Context, Any], Awaitable[Any]]:
        async def answer(context: Context, params: Any) -> Any:
            return await method(await face_of(context), context, params)

        return answer

    kind = _WithChannel if has_channel else Server
    return kind(
        told.name,
        version=told.version,
        instructions=told.instructions,
        lifespan=lifespan,
        on_list_tools=by(Face.list_tools),
        on_call_tool=by(Face.call_tool),
        on_list_resources=by(Face.list_resources),
        on_list_resource_templates=by(Face.list_templates),
        on_read_resource=by(Face.read_resource),
        on_subscribe_resource=by(Face.subscribe),
        on_unsubscribe_resource=by(Face.unsubscribe),
        on_subscriptions_listen=by(Face.listen),
        on_list_prompts=by(Face.list_prompts),
        on_get_prompt=by(Face.get_prompt),
    )


class _WithChannel(Server[Any]):
    """A server that says in the handshake that it has a channel; in the later era it has none."""

    def create_initialization_options(self, *given: Any, **options: Any) -> Any:
        return super().create_initialization_options(*given, **{"experimental_capabilities": CHANNEL, **options})


@dataclass(frozen=True, slots=True)
class About:
    """What a client is told of a server before anything of it was opened."""

    instructions: str
    name: str = Service.name
    version: str = Service.version


class Face:
    """One connection: what its client asks, and what it is told without asking."""

    def __init__(self, service: Service, *, has_channel: bool = False) -> None:
        self.service = service
        self.has_channel = has_channel
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._session: Any = None
        """The handshake era's session; None in the other one, and before the first request."""
        self._subscribed: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    # --- tools -----------------------------------------------------------------

    async def list_tools(self, context: Context, params: Any) -> t.ListToolsResult:
        """What there is to be called."""
        return t.ListToolsResult.model_validate({"tools": self.service.tools})

    async def call_tool(self, context: Context, params: t.CallToolRequestParams) -> t.CallToolResult:
        """Call a tool; nothing is marked as read where :func:`when_gone` tells that nobody gets the answer."""
        self._session = self._session or context.session
        if not self.service.knows(params.name):
            raise MCPError(t.INVALID_PARAMS, f"unknown tool: {params.name[:80]!r}")
        is_gone = when_gone(context)

        async def progress(done: float, total: float, message: str) -> None:
            if is_gone():
                raise asyncio.CancelledError
            await context.session.report_progress(done, total, message)

        said = context.session.client_params
        meta = (context.params or {}).get("_meta")
        caller = self.service.caller(said.client_info.name if said else "", meta)
        answer = await self.service.call(params.name, params.arguments, progress, caller, meta, is_gone)
        content: list[t.ContentBlock] = [
            t.TextContent(text=text) for text in (answer.text, answer.told) if text is not None
        ]
        return t.CallToolResult(content=content, structured_content=answer.structured, is_error=answer.is_error)

    # --- resources and prompts -----------------------------------------------------

    async def list_resources(self, context: Context, params: Any) -> t.ListResourcesResult:
        """The resources that always exist."""
        return t.ListResourcesResult.model_validate({"resources": self.service.resources()})

    async def list_templates(self, context: Context, params: Any) -> t.ListResourceTemplatesResult:
        """Those that take a parameter."""
        return t.ListResourceTemplatesResult.model_validate({"resourceTemplates": self.service.templates()})

    async def read_resource(self, context: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
        """A resource as JSON."""
        uri = str(params.uri)
        try:
            text = await self.service.read(uri)
        except ChatError as error:
            raise MCPError(t.INVALID_PARAMS, tame_line(f"{error} ({error.hint})")) from error
        return t.ReadResourceResult(contents=[t.TextResourceContents(uri=uri, mime_type="application/json", text=text)])

    async def subscribe(self, context: Context, params: t.SubscribeRequestParams) -> t.EmptyResult:
        """Tell when a resource changes, from now on."""
        self._session = context.session
        self.tell()
        self._subscribed.add(str(params.uri))
        return t.EmptyResult()

    async def unsubscribe(self, context: Context, params: t.UnsubscribeRequestParams) -> t.EmptyResult:
        """Tell it no more."""
        self._subscribed.discard(str(params.uri))
        return t.EmptyResult()

    async def list_prompts(self, context: Context, params: Any) -> t.ListPromptsResult:
        """What a person can ask for by name."""
        return t.ListPromptsResult.model_validate({"prompts": self.service.prompts()})

    async def get_prompt(self, context: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult:
        """One of them."""
        try:
            text = self.service.prompt(params.name, params.arguments)
        except ChatError as error:
            raise MCPError(t.INVALID_PARAMS, tame_line(f"{error} ({error.hint})")) from error
        return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=t.TextContent(text=text))])

    # --- what is told ------------------------------------------------------------

    async def listen(self, context: Context, params: t.SubscriptionsListenRequestParams) -> Any:
        """The later era's stream of changes."""
        self.tell()
        return await self._listen(context, params)

    def tell(self) -> None:
        """Tell the client from now on what comes, as far as it asked for it. Again: nothing happens."""
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def tell_no_more(self) -> None:
        """End that."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    async def _tell(self) -> None:
        async for news in self.service.news():
            for uri in news.uris:
                await self._bus.publish(ResourceUpdated(uri=uri))
                if uri in self._subscribed:
                    await self._session.send_resource_updated(uri)
            if self.has_channel and self._session is not None and news.channel is not None:
                params = ChannelParams.model_validate(news.channel)
                await self._session.send_notification(ChannelNotification(params=params))


GONE = "gitchat.gone"
"""Where a request over HTTP has what tells whether its client went away."""


def when_gone(context: Context) -> Callable[[], bool]:
    """What tells whether the client of a request went away, as far as what carries it knows."""
    if context.request is None:
        return lambda: False
    return cast(Callable[[], bool], context.request.scope.get(GONE, lambda: False))
