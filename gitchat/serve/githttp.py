"""``/git/``: a remote for the rooms, and nothing else of the repository, by git's own ``http-backend``.

git is run beside each request and fed as the request's body comes; nothing is kept in memory or on disk here. What it
shows, and who judges what is pushed: ``serve/exchange``. Here is who may come, how many, and that no git outlives its
request. The backend gets no ``CONTENT_LENGTH``: with one it goes on reading the end of a body that was cut, for ever
and with a whole core; without it the end is the end, also when this process is killed.

Source: git-http-backend(1), gitprotocol-http(5).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount

from gitchat.model.errors import ChatError
from gitchat.serve.actor import Actor
from gitchat.serve.backend import Answer, Conversation, Gone, Refused, too_large
from gitchat.serve.exchange import Exchange
from gitchat.serve.hub import Hub
from gitchat.serve.served import ACTOR, Served
from gitchat.storage import git, streamed

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

AT_ONCE = 4
"""How many gits run at once: each may take a core."""

TURN_SECONDS = 30.0
"""How long a request waits for its turn."""

SERVICES = {"git-upload-pack": False, "git-receive-pack": True}
"""What git does over HTTP, and whether it writes."""


def routes(served: Served) -> list[BaseRoute]:
    """``/git/``, where the server was asked for it."""
    return [Mount("/git", _Repositories(served))] if served.settings.git else []


class _Repositories:
    """The application for whichever repository a request is about."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._gits: dict[str, Git] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = self._served.hub_of(HTTPConnection(scope))
        if hub.name not in self._gits:
            self._gits[hub.name] = await self._begun(hub, scope[ACTOR])
        await self._gits[hub.name](scope, receive, send)

    async def _begun(self, hub: Hub, actor: Actor) -> Git:
        exchange = await hub.call(lambda here: Exchange(here.repository.location.common_dir, here.variables), actor)
        git = Git(exchange)
        hub.endings.append(git.close)
        return git


class Git:
    """An ASGI application: the three requests of git's smart protocol, below the path that it is mounted at."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._following = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = Answer(send)
        task = asyncio.ensure_future(self._answer(scope, receive, answer))
        self._running.add(task)
        try:
            await task
        except Refused as refusal:
            await answer.refuse(refusal)
        except asyncio.CancelledError:
            if (own := asyncio.current_task()) is not None and own.cancelling():
                raise
            await answer.refuse(Refused(503, "the server ends"))
        except Gone:
            pass
        finally:
            self._running.discard(task)

    async def close(self) -> None:
        """End every git that runs for somebody. Returns when none is left."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        service, path = _asked(scope)
        admit(scope.get(ACTOR), writes=SERVICES[service])
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        _refuse_size(headers.get("content-length", ""), self._exchange.limit_bytes)
        async with self._turn():
            if scope["method"] == "GET" or not self._exchange.path.exists():
                await self._follow()
            variables = self._exchange.variables | {
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROJECT_ROOT": str(self._exchange.path),
                "PATH_INFO": path,
                "QUERY_STRING": scope["query_string"].decode("latin-1"),
                "REQUEST_METHOD": scope["method"],
                "CONTENT_TYPE": headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
            }
            where = str(self._exchange.path)
            process = await streamed.start([*self._exchange.settings(), "http-backend"], cwd=where, variables=variables)
            try:
                await Conversation(process, receive, answer, self._exchange.limit_bytes).run()
            finally:
                await asyncio.shield(streamed.end(process))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._turns.acquire(), TURN_SECONDS)
        except TimeoutError:
            words = f"{AT_ONCE} others are served just now; try again"
            raise Refused(503, words, {"retry-after": "10"}) from None
        try:
            yield
        finally:
            self._turns.release()

    async def _follow(self) -> None:
        async with self._following:
            try:
                await asyncio.to_thread(self._exchange.follow)
            except (ChatError, git.GitFailed, OSError) as error:
                raise Refused(503, "the rooms cannot be read just now; see git chat doctor there") from error


def _asked(scope: Scope) -> tuple[str, str]:
    """Which service a request is about, and its path below ours. Raises Refused."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    path = "/" + path.lstrip("/")
    if scope["method"] == "GET" and path == "/info/refs":
        service = scope["query_string"].decode("latin-1").removeprefix("service=")
        if service in SERVICES:
            return service, path
        raise Refused(403, "this needs a git that speaks the smart protocol")
    service = path.removeprefix("/")
    if service in SERVICES:
        if scope["method"] == "POST":
            return service, path
        raise Refused(405, "this takes POST alone", {"allow": "POST"})
    raise Refused(404, "here are the rooms of a repository, for git: git remote add chat ADDRESS; git chat sync chat")


def admit(actor: Actor | None, *, writes: bool) -> None:
    """Refuse who may not. Raises Refused.

    Who fetches gets all rooms with all positions, and who pushes can write under any name, as with any remote.
    """
    if actor is None:
        raise Refused(401, "a token is needed, as the password", {"www-authenticate": 'Basic realm="gitchat"'})
    if actor.is_guest or actor.rooms is not None:
        raise Refused(403, "this token is for less than all rooms, and git brings all of them")
    if writes and actor.name is not None:
        raise Refused(403, f"this token is for the name {actor.name}; a clone needs one for any name to push")


def _refuse_size(length: str, limit_bytes: int) -> None:
    if length.isascii() and length.isdigit() and int(length[:20]) > limit_bytes:
        raise too_large(limit_bytes)
