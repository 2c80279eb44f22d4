"""Who wants to hear of news, and telling them: subscriptions of both eras, and a Claude channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from gitchat.server.protocol import Json, Request, uri_of

if TYPE_CHECKING:
    import asyncio

    from gitchat.server.desk import Told
    from gitchat.server.service import Service

_SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"

_LIST_CHANGES = ("toolsListChanged", "promptsListChanged", "resourcesListChanged")


class Subscriptions:
    """What one client wants to hear of. News are looked for from the first wish on, by one task."""

    def __init__(self, service: Callable[[], Service], *, send: Callable[[Json], None], has_channel: bool) -> None:
        self._service = service
        self._send = send
        self._has_channel = has_channel
        self._subscribed: set[str] = set()
        """Resources, in the handshake era."""
        self._streams: dict[int | str, set[str]] = {}
        """In the later one: open ``subscriptions/listen`` requests, and the resources each wants to hear of."""
        self._forwarding: asyncio.Task[None] | None = None

    async def subscribe(self, request: Request) -> Json:
        """Tell of a resource from now on."""
        self._subscribed.add(uri_of(request))
        self.begin()
        return {}

    async def unsubscribe(self, request: Request) -> Json:
        """Tell of it no more."""
        self._subscribed.discard(uri_of(request))
        return {}

    async def listen(self, request: Request) -> Json:
        """A request that stays open until it is cancelled; what it asked for is told under its id."""
        import asyncio  # long to load, and the first answers need none

        asked = request.params.get("notifications")
        wanted = asked.get("resourceSubscriptions") if isinstance(asked, dict) else None
        uris = [uri for uri in wanted if isinstance(uri, str)] if isinstance(wanted, list) else []
        honored = {key: True for key in _LIST_CHANGES if isinstance(asked, dict) and asked.get(key) is True}
        meta = {_SUBSCRIPTION_KEY: request.id}
        said: Json = {"_meta": meta, "notifications": honored | ({"resourceSubscriptions": uris} if uris else {})}
        self._send({"method": "notifications/subscriptions/acknowledged", "params": said})
        self._streams[request.id] = set(uris)
        self.begin()
        try:
            await asyncio.Event().wait()
        finally:
            del self._streams[request.id]
        return {}

    def begin(self) -> None:
        """Look for news, of what is said after the first call of this."""
        if self._forwarding is None:
            import asyncio

            self._forwarding = asyncio.get_running_loop().create_task(self._forward(self._service().news()))

    def end(self) -> None:
        """Look for none any more."""
        if self._forwarding is not None:
            self._forwarding.cancel()

    async def _forward(self, coming: AsyncIterator[Told]) -> None:
        async for news in coming:
            self._tell(news)

    def _tell(self, news: Told) -> None:
        for uri in news.uris:
            if uri in self._subscribed:
                self._send({"method": "notifications/resources/updated", "params": {"uri": uri}})
            for request_id, wanted in self._streams.items():
                if uri in wanted:
                    said = {"_meta": {_SUBSCRIPTION_KEY: request_id}, "uri": uri}
                    self._send({"method": "notifications/resources/updated", "params": said})
        if self._has_channel and (params := news.channel) is not None:
            self._send({"method": "notifications/claude/channel", "params": params})
