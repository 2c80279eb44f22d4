"""The application: what each part answers, behind the guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gitchat import __version__
from gitchat.model.errors import ChatError, UserError
from gitchat.rooms.recovery import damaged_rooms
from gitchat.serve import doorbell, githttp, live, mcp, page, rest, rooms, session
from gitchat.serve.answers import answer, refusal
from gitchat.serve.asked import Asked
from gitchat.serve.credentials import NOBODY, UnknownToken
from gitchat.serve.guard import Guard
from gitchat.serve.metrics import Metrics, sessions
from gitchat.serve.served import Served
from gitchat.workspace.environment import Environment

FACES = (session, rooms, rest, live, mcp, doorbell, githttp, page)
"""The modules whose ``routes(served)`` are joined; the page's, which begin anywhere, last."""

CORS_HEADERS = ("Authorization", "Content-Type", "Last-Event-ID", "Mcp-Session-Id", "Mcp-Protocol-Version")
CORS_SHOWN = ("Mcp-Session-Id", "Retry-After")


def make(served: Served) -> Starlette:
    """The application of a running server."""
    metrics = Metrics(served)
    served.observers.append(metrics)
    routes: list[BaseRoute] = [Route("/health", _health(served)), Route("/metrics", _metrics(served, metrics))]
    for face in FACES:
        routes += face.routes(served)
    middleware = [Middleware(Guard, served=served)]
    if served.settings.cors:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=served.settings.cors,
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=CORS_HEADERS,
            expose_headers=CORS_SHOWN,
        )
        middleware.insert(0, cors)
    app = Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={ChatError: _refuse, HTTPException: _refuse_path},
        lifespan=_lifetime(served),
    )
    app.state.served = served
    return app


def _lifetime(served: Served) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifetime(app: Starlette) -> AsyncIterator[None]:
        for hub in served.hubs.values():
            await hub.start()
        watching = [
            asyncio.create_task(hub.revoking.watch(served.tokens[name], served.now))
            for name, hub in served.hubs.items()
        ]
        try:
            yield
        finally:
            for task in watching:
                task.cancel()
            await served.end()

    return lifetime


def _health(served: Served) -> Callable[[Request], Awaitable[Response]]:
    """Whether the server works, for who looks after it: what it says needs no credentials."""

    async def health(request: Request) -> Response:
        try:
            troubles = [await hub.call(_trouble, NOBODY) for hub in served.hubs.values()]
        except Exception as error:  # what is not even an error of ours is no health either
            troubles = [getattr(error, "code", "defect")]
        if trouble := next(filter(None, troubles), None):
            return answer({"status": "failing", "error": trouble}, 503)  # a word and no more: a stranger may ask, too
        counting = {"counting": True} if any(hub.is_counting for hub in served.hubs.values()) else {}
        return answer({"status": "ok", "version": __version__, "sessions": sessions(served), **counting})

    return health


def _trouble(environment: Environment) -> str | None:
    """What is wrong with the refs of the rooms, in a word; None where all can be read. Raises ChatError."""
    if not environment.store.common_dir.joinpath("HEAD").exists():  # a listing can be from before it went
        return "not-a-repository"
    environment.store.rooms()
    return "damaged-ref" if damaged_rooms(environment.store) else None


def _metrics(served: Served, metrics: Metrics) -> Callable[[Request], Awaitable[Response]]:
    async def figures(request: Request) -> Response:
        actor = served.actor_of(request)
        is_from_here = Asked.of(request.scope).is_from_here and not served.settings.token_always
        if not (is_from_here or actor.is_admin or actor.sees_figures):
            if actor is NOBODY:
                raise UnknownToken("figures are for this machine, and for tokens of who looks after the server")
            raise UserError(
                "these credentials see no figures",
                hint="ask who runs the server: git chat token add NAME --metrics",
                code="guest",
            )
        return Response(metrics.text(), media_type=metrics.content_type)

    return figures


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ChatError)
    actor = request.app.state.served.actor_of(request)
    return refusal(error, is_local=actor.is_local)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no-such-path", 405: "bad-method"}.get(error.status_code, "bad-argument")
    said = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not for {request.url.path}",
    }.get(error.status_code, error.detail)
    hint = "see what there is: GET /api/v1/openapi.json"
    return JSONResponse({"success": False, "error": said, "hint": hint, "code": code}, error.status_code, error.headers)
