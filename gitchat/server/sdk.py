"""The service on the MCP SDK's low-level server: every protocol revision that the SDK speaks.

The only module that imports ``mcp``, which takes over a second. What it answers is the
service's; this is the translation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import mcp.types as t
from mcp.server import NotificationOptions, Server
from mcp.server.context import ServerRequestContext
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from gitchat.model.errors import ChatError
from gitchat.model.escape import tame_line
from gitchat.server.service import Service

Context = ServerRequestContext[Any, Any]


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
        asyncio.run(_Face(service, has_channel).run())
    finally:
        service.close()


class _Face:
    def __init__(self, service: Service, has_channel: bool) -> None:
        self._service = service
        self._has_channel = has_channel
        self._bus = InMemorySubscriptionBus()
        self._session: Any = None
        """The handshake era's session; None in the other one, and before the first request."""
        self._subscribed: set[str] = set()

    async def run(self) -> None:
        server = self._server()
        options = server.create_initialization_options(
            NotificationOptions(), {"claude/channel": {}} if self._has_channel else None
        )
        async with stdio_server() as (reader, writer):
            if self._has_channel:
                async with self._lifespan(server) as state:
                    await serve_loop(server, reader, writer, lifespan_state=state, init_options=options)
            else:
                await server.run(reader, writer, options)

    def _server(self) -> Server[Any]:
        return Server(
            self._service.name,
            version=self._service.version,
            instructions=self._service.instructions,
            lifespan=self._lifespan,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscribe_resource=self._subscribe,
            on_unsubscribe_resource=self._unsubscribe,
            on_subscriptions_listen=ListenHandler(self._bus),
            on_list_prompts=self._list_prompts,
            on_get_prompt=self._get_prompt,
        )

    @asynccontextmanager
    async def _lifespan(self, server: Server[Any]) -> AsyncIterator[None]:
        forwarding = asyncio.create_task(self._forward())
        try:
            yield None
        finally:
            forwarding.cancel()
            with suppress(asyncio.CancelledError):
                await forwarding

    # --- tools -----------------------------------------------------------------

    async def _list_tools(self, context: Context, params: Any) -> t.ListToolsResult:
        return t.ListToolsResult.model_validate({"tools": self._service.tools})

    async def _call_tool(self, context: Context, params: t.CallToolRequestParams) -> t.CallToolResult:
        self._session = self._session or context.session
        if not self._service.knows(params.name):
            raise MCPError(t.INVALID_PARAMS, f"unknown tool: {params.name[:80]!r}")

        async def progress(done: float, total: float, message: str) -> None:
            await context.session.report_progress(done, total, message)

        said = context.session.client_params
        caller = self._service.caller(said.client_info.name if said else "", (context.params or {}).get("_meta"))
        answer = await self._service.call(params.name, params.arguments, progress, caller)
        content: list[t.ContentBlock] = [
            t.TextContent(text=text) for text in (answer.text, answer.told) if text is not None
        ]
        return t.CallToolResult(content=content, structured_content=answer.structured, is_error=answer.is_error)

    # --- resources and prompts -----------------------------------------------------

    async def _list_resources(self, context: Context, params: Any) -> t.ListResourcesResult:
        return t.ListResourcesResult.model_validate({"resources": self._service.resources()})

    async def _list_templates(self, context: Context, params: Any) -> t.ListResourceTemplatesResult:
        return t.ListResourceTemplatesResult.model_validate({"resourceTemplates": self._service.templates()})

    async def _read_resource(self, context: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
        uri = str(params.uri)
        try:
            text = await self._service.read(uri)
        except ChatError as error:
            raise MCPError(t.INVALID_PARAMS, tame_line(f"{error} ({error.hint})")) from error
        return t.ReadResourceResult(contents=[t.TextResourceContents(uri=uri, mime_type="application/json", text=text)])

    async def _subscribe(self, context: Context, params: t.SubscribeRequestParams) -> t.EmptyResult:
        self._session = context.session
        self._subscribed.add(str(params.uri))
        return t.EmptyResult()

    async def _unsubscribe(self, context: Context, params: t.UnsubscribeRequestParams) -> t.EmptyResult:
        self._subscribed.discard(str(params.uri))
        return t.EmptyResult()

    async def _list_prompts(self, context: Context, params: Any) -> t.ListPromptsResult:
        return t.ListPromptsResult.model_validate({"prompts": self._service.prompts()})

    async def _get_prompt(self, context: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult:
        try:
            text = self._service.prompt(params.name, params.arguments)
        except ChatError as error:
            raise MCPError(t.INVALID_PARAMS, tame_line(f"{error} ({error.hint})")) from error
        return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=t.TextContent(text=text))])

    # --- push --------------------------------------------------------------------

    async def _forward(self) -> None:
        async for news in self._service.news():
            for uri in news.uris:
                await self._bus.publish(ResourceUpdated(uri=uri))
                if uri in self._subscribed:
                    await self._session.send_resource_updated(uri)
            if self._has_channel and self._session is not None and news.channel is not None:
                await self._push(news.channel)

    async def _push(self, channel: dict[str, Any]) -> None:
        params = ChannelParams.model_validate(channel)
        await self._session.send_notification(ChannelNotification(params=params))
