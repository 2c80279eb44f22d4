"""Server-sent events: records, and signs that something else is to be shown anew, for a page or a program.

Each record has its arrival number as its id, so that who comes back goes on exactly where it was. A reader that is too
slow is let go, and comes back the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from gitchat.model.errors import ConflictError
from gitchat.serve.actor import Actor
from gitchat.serve.handing import CursorMoved, Event, PresenceChanged, Reader, Record, Reset, RoomChanged, one_line
from gitchat.serve.hub import Hub

COMMENT_SECONDS = 15
"""How often something is sent when nothing comes: proxies cut what is silent for longer."""

BACK_MILLISECONDS = 2000
"""How soon who lost the stream should come back."""

STUCK_SECONDS = 30
"""How long one event may wait for a reader that takes nothing."""


class Stream(EventSourceResponse):
    """The answer to ``GET events``; ends when its reader goes, is too slow or stuck, or the server ends."""

    def __init__(self, hub: Hub, actor: Actor, reader: Reader, arrival: str | None) -> None:
        """``arrival`` is the id of the last event that the reader had; None for one that begins."""
        super().__init__(
            _events(hub, actor, reader, arrival),
            ping=COMMENT_SECONDS,
            ping_message_factory=lambda: ServerSentEvent(comment="here"),
            send_timeout=STUCK_SECONDS,
            sep="\n",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. A reader that is stuck is no failure of ours."""
        with suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


async def _events(hub: Hub, actor: Actor, reader: Reader, arrival: str | None) -> AsyncIterator[ServerSentEvent]:
    with suppress(ConflictError):  # the server ends
        async with hub.holdings.staying(actor, reader.name):
            with hub.subscribe(reader) as coming:
                missed, now, newest = await hub.missed(arrival, reader, actor)
                known = newest if arrival is not None else 0  # who begins is told all that came since it began
                if missed is None:
                    yield _event_of(Reset())
                for record in missed or []:
                    yield _event_of(record)
                yield ServerSentEvent(id=now, retry=BACK_MILLISECONDS)
                async for event in coming:
                    if not (isinstance(event, Record) and event.number <= known):
                        yield _event_of(event)


def _event_of(event: Event) -> ServerSentEvent:
    match event:
        case Record():
            return ServerSentEvent(event.frame, event="message", id=event.arrival)
        case PresenceChanged(room):
            return _sign("presence", {"room": room})
        case RoomChanged(room):
            return _sign("room", {"room": room})
        case CursorMoved(name, room):
            return _sign("cursor", {"room": room, "name": name})
        case Reset():
            return _sign("reset", {})


def _sign(kind: str, data: dict[str, str]) -> ServerSentEvent:
    return ServerSentEvent(one_line(data), event=kind)
