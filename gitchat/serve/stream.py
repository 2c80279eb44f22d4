"""Server-sent events: records, and signs that something else is to be shown anew, for a page or a program.

Each record has its arrival number as its id, so that who comes back goes on exactly where it was. A reader that is too
slow is let go, and comes back the same way.

A stream is two tasks, one that writes and one that hears its reader go, and the bytes of a record are made once for
all. Source: docs/decisions/0020-event-streams-of-our-own.md, which has why no library does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gitchat.model.errors import ChatError, ConflictError
from gitchat.serve.actor import Actor
from gitchat.serve.handing import (
    CursorMoved,
    Event,
    PresenceChanged,
    Reader,
    Record,
    Reset,
    RoomChanged,
    Subscription,
    one_line,
)
from gitchat.serve.hub import Hub

COMMENT_SECONDS = 15
"""How often something is sent when nothing comes: proxies cut what is silent for longer."""

COMMENT = b": here\n\n"

BACK_MILLISECONDS = 2000
"""How soon who lost the stream should come back."""

STUCK_SECONDS = 30
"""How long one writing may wait for a reader that takes nothing."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would gather what comes, and pass it on when there is much
}


class Stream(Response):
    """The answer to ``GET events``; ends when its reader goes, is too slow or stuck, or the server ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, actor: Actor, reader: Reader, arrival: str | None) -> None:
        """``arrival`` is the id of the last event that the reader had; None for one that begins."""
        self.status_code = 200
        self.background = None
        self.init_headers(HEADERS)  # and no more of a Response, whose length is known before it is sent
        self._hub = hub
        self._actor = actor
        self._reader = reader
        self._arrival = arrival

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. A reader that is stuck is no failure of ours, and what it was sent stays without an end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            with suppress(ConflictError):  # the server ends
                if not await self._stream(receive, send):
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, receive: Receive, send: Send) -> bool:
        """Write until one of both ends it; whether the reader took what was written."""
        async with self._hub.holdings.staying(self._actor, self._reader.name):
            with self._hub.subscribe(self._reader) as coming:
                leaving = asyncio.create_task(_leave(receive, coming))
                try:
                    await self._write(coming, send)
                except TimeoutError:
                    return False
                finally:
                    leaving.cancel()
        return True

    async def _write(self, coming: Subscription, send: Send) -> None:
        missed, now, newest = await self._hub.missed(self._arrival, self._reader, self._actor)
        known = newest if self._arrival is not None else 0  # who begins is told all that came since it began
        await _send(send, [*map(_event_of, [Reset()] if missed is None else missed), _place(now)])
        while await coming.something(COMMENT_SECONDS) or not coming.is_closed:
            events = coming.taken()
            fresh = [one for one in events if not (isinstance(one, Record) and one.number <= known)]
            if fresh or not events:
                await _send(send, map(_event_of, fresh) if fresh else [COMMENT])


async def _leave(receive: Receive, coming: Subscription) -> None:
    """End it when the reader has gone."""
    with suppress(ChatError):  # what it sends beside its question is too much
        while (await receive())["type"] != "http.disconnect":
            pass
    coming.close()


async def _send(send: Send, texts: Iterable[bytes]) -> None:
    """Write these at once. Raises TimeoutError for a reader that is stuck."""
    async with asyncio.timeout(STUCK_SECONDS):
        await send({"type": "http.response.body", "body": b"".join(texts), "more_body": True})


def _place(arrival: str) -> bytes:
    """Tells where one is, and no event."""
    return f"id: {arrival}\nretry: {BACK_MILLISECONDS}\n\n".encode()


def _event_of(event: Event) -> bytes:
    match event:
        case Record():
            return event.event
        case PresenceChanged(room):
            return _sign("presence", {"room": room})
        case RoomChanged(room):
            return _sign("room", {"room": room})
        case CursorMoved(name, room):
            return _sign("cursor", {"room": room, "name": name})
        case Reset():
            return _sign("reset", {})


def _sign(kind: str, data: dict[str, str]) -> bytes:
    return f"event: {kind}\ndata: {one_line(data)}\n\n".encode()
