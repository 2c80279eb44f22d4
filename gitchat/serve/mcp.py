"""MCP over Streamable HTTP: a set of tools for each path, a service for each session.

The SDK takes a second or two to load, in a thread, while everything else is answered already. Who asks was decided by
the guard; a session belongs to the credentials that began it. Revisions of the protocol without sessions have one
service for each client of the same credentials.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route

from gitchat.model.errors import ConflictError, UserError
from gitchat.presence.holding import Holding
from gitchat.serve.acting import refuse_guest
from gitchat.serve.actor import Actor
from gitchat.serve.answers import MAX_BODY_BYTES
from gitchat.serve.ground import HubGround, Memory
from gitchat.serve.hub import Hub
from gitchat.serve.served import ACTOR, Served
from gitchat.serve.sessions import Sessions
from gitchat.server.callers import caller_of
from gitchat.server.service import Service
from gitchat.server.toolset import AGENTS, GITCHAT, PROFILES, Toolset, toolset_of
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from gitchat.serve.protocol import Context, Face, Manager

TICK_SECONDS = 1.0
"""How often it is looked which positions are due."""

MEANWHILE = "gitchat.meanwhile"
"""Where a request has what goes on until it is answered: an ExitStack."""

LAST_SECONDS = 0.5
"""How long the answers of calls that waited may take at the end."""

SESSION_SECONDS = 1800.0
"""How long a session without a request is kept; one that waits or streams is not without."""


def routes(served: Served) -> list[BaseRoute]:
    """A path for each set of tools, and the one where those of the server's profile are."""
    paths = {f"/mcp/{profile}": profile for profile in PROFILES} | {served.settings.path: served.settings.profile}
    offered = _Offered(served)
    return [Route(path, _Path(offered, profile)) for path, profile in paths.items()]


class _Offered:
    """The sets of tools of all repositories, each made when it is first asked for."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._offers: dict[tuple[str, str], _Offer] = {}

    def of(self, connection: HTTPConnection, profile: str) -> _Offer:
        hub = self._served.hub_of(connection)
        if (hub.name, profile) not in self._offers:
            self._offers[hub.name, profile] = _Offer(hub, toolset_of(profile))
        return self._offers[hub.name, profile]


class _Path:
    """The ASGI application of one path."""

    def __init__(self, offered: _Offered, profile: str) -> None:
        self._offered = offered
        self._profile = profile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_less_than_all(scope[ACTOR])
        await self._offered.of(HTTPConnection(scope), self._profile).answer(scope, receive, send)


def _refuse_less_than_all(actor: Actor) -> None:
    """Raise UserError for whose credentials are for less than all rooms: tools list and read any."""
    refuse_guest(actor)
    if actor.rooms is not None:
        raise UserError(
            "this token is for some rooms, and tools are for all",
            hint="ask at /api/v1 with it, or ask who runs the server for a token of all rooms",
            code="guest",
        )


class _Offer:
    """A set of tools over one repository: the manager of its sessions, and what they have in common."""

    def __init__(self, hub: Hub, toolset: Toolset) -> None:
        self._hub = hub
        self._toolset = toolset
        self._memory = Memory(with_own=toolset.name != GITCHAT)
        self._shared: Any = None
        self._beginning: asyncio.Task[Manager] | None = None
        self._running: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._faces: dict[str, asyncio.Task[_Opened]] = {}
        self._sessions = Sessions(hub)
        self._calls = 0
        self._is_quiet = asyncio.Event()
        """Set while no call is being answered."""
        self._is_quiet.set()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises ConflictError ``ending``."""
        if self._ended.is_set():
            raise ConflictError("the server ends", hint="ask again when it is back", code="ending")
        if self._beginning is None:
            self._beginning = asyncio.create_task(self._begin())
        manager = await asyncio.shield(self._beginning)
        is_gone = False

        async def hear() -> Message:
            nonlocal is_gone
            message = await receive()
            is_gone = is_gone or message["type"] == "http.disconnect"
            return message

        from gitchat.serve.protocol import GONE, OWNER

        actor, session = scope[ACTOR], HTTPConnection(scope).headers.get("mcp-session-id")
        with ExitStack() as meanwhile:
            told = {GONE: lambda: is_gone, MEANWHILE: meanwhile, OWNER: actor.key}
            if session is not None:
                meanwhile.enter_context(self._sessions.going_on(Sessions.key_of(actor, session), actor))
            if scope["method"] == "POST":
                meanwhile.enter_context(self._counted())
            await manager.handle_request({**scope, **told}, hear, send)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """A call is being answered meanwhile."""
        self._calls += 1
        self._is_quiet.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._is_quiet.set()

    # --- its life ----------------------------------------------------------------------

    async def _begin(self) -> Manager:
        protocol = await asyncio.to_thread(import_module, "gitchat.serve.protocol")
        self._shared = self._toolset.shared()
        manager: Manager = protocol.manager_of(
            protocol.About(self._toolset.instructions),
            self._face_of,
            self._hub.random_bytes,
            has_channel=self._toolset.name == AGENTS,
            idle_seconds=SESSION_SECONDS,
            max_body_bytes=MAX_BODY_BYTES,
        )
        started = asyncio.get_running_loop().create_future()
        self._running = asyncio.create_task(self._run(manager, started))
        await started
        self._hub.endings.append(self._end)
        return manager

    async def _run(self, manager: Manager, started: asyncio.Future[None]) -> None:
        """The manager's life, in one task from its begin to its end."""
        async with manager.run():
            started.set_result(None)
            while not self._ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), TICK_SECONDS)
                for due in self._memory.positions.due(time.monotonic()):
                    self._memory.positions.begin(due)
                    await self._hub.finish(partial(self._memory.write, due))
                await manager.sweep()
                await self._sweep()

    async def _sweep(self) -> None:
        """Let go the names of who fell silent."""
        await self._sessions.sweep()
        if self._shared is not None:
            faces = [one.result() for one in self._faces.values() if one.done() and not one.exception()]
            going_on = {one.face.service.desk for one in faces if self._sessions.is_open(one.party)}
            await self._hub.finish(partial(self._shared.lapse, going_on.__contains__))

    async def _end(self) -> None:
        """The server ends: calls that waited answer, then sessions end, and what they had is written."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_quiet.wait(), LAST_SECONDS)
        self._ended.set()
        assert self._running is not None
        await self._running
        for key in list(self._faces):
            await self._forget(key)
        for due in self._memory.positions.due():
            await self._hub.finish(partial(self._memory.write, due))
        if self._shared is not None:
            with suppress(Exception):  # whatever a name is held by ends with the process
                await self._hub.finish(self._shared.close)

    # --- sessions ----------------------------------------------------------------------

    async def _face_of(self, context: Context) -> Face:
        """What answers the session that a request is of, made for its first request."""
        from gitchat.serve import protocol

        assert context.request is not None
        actor: Actor = context.request.scope[ACTOR]
        said = context.session.client_params
        client = said.client_info.name if said else ""
        session = protocol.session_of(context)
        key = session or f"{actor.key} {client}"
        party = Sessions.key_of(actor, key)
        if session is None:
            context.request.scope[MEANWHILE].enter_context(self._sessions.going_on(party, actor))
        if key not in self._faces:
            self._faces[key] = asyncio.create_task(self._open(actor, key, client))
            if session is not None:
                protocol.at_end(context, lambda: self._forget(key))
        opened = await asyncio.shield(self._faces[key])
        await self._sessions.wake(party)
        return opened.face

    async def _open(self, actor: Actor, key: str, client: str) -> _Opened:
        from gitchat.serve.protocol import Face

        caller = caller_of(client, None, None, is_model=True, connection=key)
        environment = await self._hub.call(lambda here: _party(here, actor, key, caller.client), actor)
        ground = HubGround(self._hub, actor, self._memory)
        service = Service(
            toolset=self._toolset,
            environment=environment,
            ground=ground,
            shared=self._shared,
            is_far=not actor.is_local,
        )
        face = Face(service, has_channel=self._toolset.name == AGENTS)
        party = Sessions.key_of(actor, key)
        self._sessions.begin(party, actor, environment)
        await self._hub.call(lambda here: service.start(client), actor)
        if face.has_channel:
            face.tell()
        return _Opened(face, party)

    async def _forget(self, key: str) -> None:
        """A session is over: nobody lives by it any more. Never fails."""
        opening = self._faces.pop(key, None)
        if opening is None:
            return
        with suppress(Exception):
            opened = await opening
            await opened.face.tell_no_more()
            await self._hub.finish(opened.face.service.close)
            assert opened.face.service.environment is not None
            await self._hub.finish(partial(self._memory.settle, opened.face.service.environment))
            await self._sessions.end(opened.party)


class _Opened(NamedTuple):
    """A session that was opened."""

    face: Face
    party: str
    """Whose names it lives under: the key of :class:`Sessions`."""


def _party(here: Environment, actor: Actor, key: str, client: str) -> Environment:
    """The surroundings of one session: its own names, or those that its token is for, which it shares with all who
    come with that.
    """
    assert here.party is not None
    is_shared = actor.name is not None
    session = hashlib.sha256((actor.key if is_shared else f"{actor.key} {key}").encode()).hexdigest()
    return here.holding(
        here.party.holding if is_shared else Holding(),
        client=client,
        session=session,
        name=actor.name,
        email=actor.email,
        acts_as_anyone=False,
    )
