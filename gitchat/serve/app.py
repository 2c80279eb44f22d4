"""The application: what each part answers, behind the guard."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gitchat import __version__
from gitchat.model.errors import ChatError
from gitchat.serve.answers import answer, refusal
from gitchat.serve.guard import Guard
from gitchat.serve.served import ACTOR, Served

FACES = ("session", "rooms", "rest", "live", "mcp", "githttp", "page")
"""The modules whose ``routes(served)`` are joined; the page's, which begin anywhere, last."""


def make(served: Served) -> Starlette:
    """The application of a running server."""
    routes: list[BaseRoute] = [Route("/health", _health(served))]
    for name in FACES:
        if find_spec(f"gitchat.serve.{name}") is not None:
            routes += import_module(f"gitchat.serve.{name}").routes(served)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, served=served)],
        exception_handlers={ChatError: _refuse, HTTPException: _refuse_path, Exception: _defect},
        lifespan=_lifetime(served),
    )
    app.state.served = served
    return app


def _lifetime(served: Served):  # type: ignore[no-untyped-def]
    @asynccontextmanager
    async def lifetime(app: Starlette) -> AsyncIterator[None]:
        for hub in served.hubs.values():
            await hub.start()
        try:
            yield
        finally:
            for hub in served.hubs.values():
                await hub.close()

    return lifetime


def _health(served: Served):  # type: ignore[no-untyped-def]
    async def health(request: Request) -> Response:
        return answer({"status": "ok", "version": __version__, "sessions": 0})

    return health


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ChatError)
    return refusal(error, is_local=request.scope[ACTOR].is_local)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "no-such-path", 405: "bad-method"}.get(error.status_code, "bad-argument")
    said = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not for {request.url.path}",
    }.get(error.status_code, error.detail)
    hint = "see what there is: GET /api/v1/openapi.json"
    return JSONResponse({"success": False, "error": said, "hint": hint, "code": code}, error.status_code, error.headers)


async def _defect(request: Request, error: Exception) -> Response:
    """Tell nothing of the cause to who asked, and all to who runs the server."""
    traceback.print_exception(error, file=sys.stderr)
    said = "gitchat failed in a way it does not know"
    hint = "tell who runs the server: its standard error says more"
    return JSONResponse({"success": False, "error": said, "hint": hint, "code": "defect"}, 500)
