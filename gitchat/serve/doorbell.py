"""``/git/doorbell``: a stream of lines that tells clones what was pushed to ``/git/``, for who may fetch there.

One thread of a repository looks, as long as anybody listens; what it says goes to all of them. Nobody is told more than
that a ref of a room has another commit, which a fetch would tell him. Source: docs/format.md section 15.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from gitchat.doorbell.lines import GREETING, HERE
from gitchat.model.errors import ChatError
from gitchat.serve.backend import Refused
from gitchat.serve.githttp import admit
from gitchat.serve.hub import Hub
from gitchat.serve.served import ACTOR, Served
from gitchat.staying.reporting import reports
from gitchat.workspace.environment import Environment

HERE_SECONDS = 15.0
"""How often it is said that the line stands: proxies cut what is silent for longer."""

MOST_LISTENERS = 512

BACKLOG = 256
"""How many lines wait for a clone that takes none, before it is let go: it looks when it comes back."""


def routes(served: Served) -> list[BaseRoute]:
    """``/git/doorbell``, where the server was asked for ``/git/``."""
    return [Route("/git/doorbell", _doorbell(served))] if served.settings.git else []


def _doorbell(served: Served) -> Callable[[Request], Awaitable[Response]]:
    reporters: dict[str, Reporter] = {}

    async def endpoint(request: Request) -> Response:
        hub = served.hub_of(request)
        try:
            admit(request.scope.get(ACTOR), writes=False)
        except Refused as refusal:
            return PlainTextResponse(f"{refusal.words}\n", refusal.status, refusal.headers)
        if hub.name not in reporters:
            here = await hub.call(lambda environment: replace(environment), served.actor_of(request))
            reporters[hub.name] = Reporter(here, hub)
        reporter = reporters[hub.name]
        if reporter.is_full:
            return PlainTextResponse("too many clones listen\n", 503, {"retry-after": "60"})
        lines = reporter.lines()
        return StreamingResponse(lines, media_type="text/plain", headers={"x-accel-buffering": "no"})

    return endpoint


class Reporter:
    """What is told of one repository, to all who listen. For the thread of the event loop."""

    def __init__(self, environment: Environment, hub: Hub) -> None:
        """``environment`` has nothing open yet: what the thread opens it uses alone."""
        self._environment = environment
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._stop: threading.Event | None = None
        self._looks = asyncio.Event()
        hub.endings.append(self._end)

    @property
    def is_full(self) -> bool:
        """Whether as many listen as may."""
        return len(self._listeners) >= MOST_LISTENERS

    async def lines(self) -> AsyncIterator[str]:
        """What one who listens is sent, until he goes, is too slow, or the server ends."""
        queue = asyncio.Queue[str | None](BACKLOG)
        self._listeners.add(queue)
        try:
            self._begin()
            await self._looks.wait()  # what is pushed from here on is told
            yield f"{GREETING}\n"
            while True:
                line: str | None = HERE
                with suppress(TimeoutError):
                    line = await asyncio.wait_for(queue.get(), HERE_SECONDS)
                if line is None:
                    return
                yield f"{line}\n"
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._stop is not None:
                self._stop.set()
                self._stop, self._looks = None, asyncio.Event()

    def _begin(self) -> None:
        """Look, unless somebody does already."""
        if self._stop is None:
            self._stop = stop = threading.Event()
            loop, looks = asyncio.get_running_loop(), self._looks

            def look() -> None:
                with suppress(ChatError, RuntimeError):  # it cannot be read; the loop has ended
                    for line in reports(replace(self._environment), stop):
                        if line == GREETING:
                            loop.call_soon_threadsafe(looks.set)
                        elif line != HERE:
                            loop.call_soon_threadsafe(self._tell, line)

            threading.Thread(target=look, name="gitchat-doorbell", daemon=True).start()

    def _tell(self, line: str | None) -> None:
        for queue in self._listeners:
            is_slow = queue.full()
            while is_slow and not queue.empty():
                queue.get_nowait()
            queue.put_nowait(None if is_slow else line)  # he looks when he comes back, and finds it all

    async def _end(self) -> None:
        self._tell(None)
