"""What comes as it comes: ``/ws/ID`` for a participant, and ``events`` as server-sent events for a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import parse_name, parse_room
from gitchat.serve import catching
from gitchat.serve.acting import as_name, refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.answers import refusal
from gitchat.serve.catching import Start
from gitchat.serve.contract import ROOT
from gitchat.serve.handing import Reader
from gitchat.serve.hub import Hub
from gitchat.serve.line import Line
from gitchat.serve.served import Served
from gitchat.serve.stream import Stream

MOST = 10**18
"""More than any number, and within what the index can compare."""


def routes(served: Served) -> list[BaseRoute]:
    """The WebSocket and the stream."""
    return [
        WebSocketRoute("/ws/{agent_id}", _socket(served)),
        Route(f"{ROOT}/events", _events(served)),
    ]


def _socket(served: Served) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        hub, actor = served.hub_of(socket), served.actor_of(socket)
        try:
            start = await _start(served, hub, actor, socket)
            line = Line(
                hub, served.rates, actor, start, socket,
                since_id=_number(socket.query_params.get("since_id")),
                with_acks=socket.query_params.get("ack") == "1",
            )  # fmt: skip
        except ChatError as error:
            await socket.send_denial_response(refusal(error, is_local=actor.is_local))
            return
        await socket.accept()
        await line.run()

    return endpoint


async def _start(served: Served, hub: Hub, actor: Actor, socket: WebSocket) -> Start:
    """Where the stream of a participant begins. Raises what refuses it."""
    name = as_name(actor, parse_name(socket.path_params["agent_id"]))
    if not hub.holdings.actor_may(actor, name):
        raise UserError(
            f"'{name}' lives here for somebody else",
            hint="take another name, or use the credentials that this one joined with",
            code="name-held",
        )
    room = socket.query_params.get("room") or served.settings.room
    return await hub.call(lambda environment: catching.start(environment, actor, room, name), actor)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise UserError(
            f"since_id must be a whole number, and not {text[:40]!r}",
            hint="give the last id that you have, or leave it out for what is unread",
            code="bad-argument",
        )
    return min(int(text[:19]), MOST)


def _events(served: Served) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        hub, actor = served.hub_of(request), served.actor_of(request)
        rooms = [parse_room(room) for room in request.query_params.getlist("room")]
        for room in rooms:
            refuse_unseen(actor, room)
        given = request.query_params.get("as")
        name = as_name(actor, parse_name(given)) if given is not None else actor.name
        reader = Reader(name, frozenset(rooms) or None, is_all=True, within=actor.rooms)
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        return Stream(hub, actor, reader, last)

    return endpoint
