"""``/api/v1/session``: a browser shows a code or a token once, and has a cookie from then on."""

from __future__ import annotations

from asyncio import to_thread

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gitchat.model.errors import UserError
from gitchat.serve.actor import Actor
from gitchat.serve.answers import answer, json_object
from gitchat.serve.credentials import NOBODY, UnknownToken, cookie_name
from gitchat.serve.guard import SESSION_PATH
from gitchat.serve.served import REPOSITORY, Served
from gitchat.serve.tokens import Tokens


def routes(served: Served) -> list[BaseRoute]:
    """Who one is (GET), to be let in (POST), and to go (DELETE)."""

    async def session(request: Request) -> Response:
        match request.method:
            case "POST":
                return await _begin(served, request)
            case "DELETE":
                return await _end(served, request)
        actor = served.actor_of(request)
        if actor is NOBODY:
            raise UnknownToken("who asks is not known here")
        return answer(_shape(actor))

    return [Route(SESSION_PATH, session, methods=["GET", "POST", "DELETE"])]


async def _begin(served: Served, request: Request) -> Response:
    given = await json_object(request)
    secret = given.get("code", given.get("token"))
    if not isinstance(secret, str):
        raise UserError("neither a code nor a token was given", hint='send {"code": ...}', code="bad-argument")
    made = await to_thread(_tokens(served, request).exchange, secret, served.now())
    if made is None:
        raise UserError(
            "this code or token is not known: a code holds for ten minutes and for one use",
            hint="get a new address where the server runs: git chat serve --url",
            code="no-code",
        )
    cookie, token = made
    done = answer(_shape(token.actor()))
    _set(done, served, request, cookie, max(0, (token.expires or 0) - served.now()))
    return done


async def _end(served: Served, request: Request) -> Response:
    """Forget the browser that asks; who has none is none afterwards, too."""
    tokens = _tokens(served, request)
    shown = request.cookies.get(_cookie(served, request), "")
    page = tokens.find(shown, served.now(), "page")
    if page is not None:
        await to_thread(tokens.revoke, page.digest, served.now())
    done = answer({"success": True})
    _set(done, served, request, "", 0)
    return done


def _set(done: JSONResponse, served: Served, request: Request, value: str, seconds: int) -> None:
    is_secure = request.url.scheme == "https"
    done.set_cookie(
        _cookie(served, request), value, seconds, path="/", secure=is_secure, httponly=True, samesite="strict"
    )


def _cookie(served: Served, request: Request) -> str:
    return cookie_name(served, request.scope.get(REPOSITORY), request.url.scheme)


def _tokens(served: Served, request: Request) -> Tokens:
    return served.tokens_of(request.scope.get(REPOSITORY))


def _shape(actor: Actor) -> dict[str, object]:
    return {
        "success": True,
        "name": actor.name,
        "guest": actor.is_guest,
        "admin": actor.is_admin,
        "rooms": sorted(actor.rooms) if actor.rooms is not None else None,
    }
