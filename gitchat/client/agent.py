"""One agent: what it says, and how it hears what is said to it.

    agent = AgentClient("http://localhost:8080", session_id="01TYEi4Mjf2T", name="Beta")
    await agent.register()
    await agent.send_message("ALL", {"type": "task_proposal", "task": "code_review"})
    await agent.listen(callback)

Needs the standard library, and for :meth:`AgentClient.listen` the package ``websockets``, which the extra ``serve``
brings. What goes wrong is a :class:`gitchat.errors.ChatError` with the server's own words.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitchat.client.asking import LATER, Json, Server, error_of, pause
from gitchat.model.errors import RemoteError, UserError
from gitchat.model.names import suggest_slug

if TYPE_CHECKING:  # a package that only who listens needs
    from websockets.asyncio.client import ClientConnection

Callback = Callable[[Json], Awaitable[object] | object]
"""Is given a message: ``id``, ``type``, ``from``, ``to``, ``message``, ``timestamp``; what may follow: docs/rest.md."""

BEAT_SECONDS = 30.0
"""How often a listening agent says that it is here; a server takes three missed ones for its end."""

KNOWN = 10_000
"""Of how many messages it is known that the callback had them."""


class AgentClient:
    """One agent of one session, at one server. For one event loop; an ``async with`` block closes it."""

    def __init__(
        self,
        server_url: str,
        session_id: str | None,
        name: str,
        *,
        agent_id: str | None = None,
        capabilities: Sequence[str] = (),
        token: str | None = None,
        room: str | None = None,
    ) -> None:
        """``name`` is what the agent is called; ``agent_id`` its address, by default ``<name>-<8 of session_id>``.

        A ``session_id`` that is None is made up: another for each client. ``token`` is what ``git chat token add``
        printed, for a server that wants one; ``room`` the one to talk in, by default the server's.
        """
        self._server = Server(server_url, token, room)
        self.session_id = session_id or _made_up()
        self.name = name
        self.agent_id = agent_id or f"{suggest_slug(name) or 'agent'}-{self.session_id[:8]}"
        self.capabilities = list(capabilities)
        self._run = f"{self.agent_id}/{self.session_id}/{_made_up()}"
        self._sent = 0
        self._had: OrderedDict[tuple[str, int | str], None] = OrderedDict()
        self._is_registered = False
        self._closed = asyncio.Event()

    # --- requests ----------------------------------------------------------------------

    async def register(self) -> Json:
        """Be among those who are here; what the server answers: ``agent_id``, ``peers``, ``websocket_url``.

        Raises:
            ConflictError: ``name-taken`` while another session lives under ``agent_id``.
            UserError, RemoteError: as :meth:`send_message`.
        """
        body = {"agent_id": self.agent_id, "session_id": self.session_id, "name": self.name,
                "capabilities": self.capabilities}  # fmt: skip
        registered = await self._server.ask("POST", "/agents/register", body)
        self._is_registered = True
        return registered

    async def send_message(
        self,
        to: str | Sequence[str],
        message: Any,
        *,
        type: str | None = None,  # noqa: A002 - the field's name in every face
        reply_to: int | str | None = None,
        priority: str | None = None,
        at: str | Sequence[str] | None = None,
    ) -> Json:
        """Send any JSON value, and return ``message_id`` and ``timestamp`` once it is stored.

        ``to`` is an agent, ``ALL``, ``role:ROLE``, or a list of these; ``at`` is the code that it is about,
        ``src/lexer.py:40-46`` from the top of the repository, or a list of such. A message that may have been lost on
        the way is sent again, and still stored once.

        Raises:
            UserError: the server refuses it; the code says why.
            ConflictError: somebody else's doing stands in the way.
            RemoteError: ``unreachable`` after half a minute; ``server-failed``.
        """
        self._sent += 1
        places = at if at is None or isinstance(at, str) else list(at)
        optional = {"type": type, "reply_to": reply_to, "priority": priority, "at": places}
        body = {"from": self.agent_id, "to": to if isinstance(to, str) else list(to), "message": message,
                "key": f"{self._run}/{self._sent}"}  # fmt: skip
        return await self._server.ask("POST", "/messages", body | optional)

    async def agents(self) -> list[Json]:
        """Who is here, or was within a day. Raises as :meth:`send_message`."""
        found: list[Json] = (await self._server.ask("GET", "/agents"))["agents"]
        return found

    async def leave(self) -> None:
        """Be here no more, and say so. Raises as :meth:`send_message`."""
        self._is_registered = False
        await self._server.ask("DELETE", f"/agents/{quote(self.agent_id, safe='')}")

    # --- listening ---------------------------------------------------------------------

    async def listen(self, callback: Callback) -> None:
        """Call ``callback`` with each message for this agent: what it has not had yet, then what comes, in order.

        Goes on, over lost connections and restarts of the server, until :meth:`close`, or until it is cancelled. A
        message is marked as read once the callback has returned, and given to it once. What the callback raises ends
        it; that message comes again the next time.

        Raises:
            UserError: ``no-serve`` without the package websockets; ``no-token``, ``not-your-name``, ...
            ConflictError: ``name-held``, ``name-taken`` while somebody else lives under ``agent_id``.
        """
        closing = asyncio.ensure_future(self._closed.wait())
        listening = asyncio.ensure_future(self._listen(callback))
        try:
            await asyncio.wait({closing, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
        finally:
            for task in (closing, listening):
                task.cancel()
            await asyncio.gather(closing, listening, return_exceptions=True)

    async def close(self) -> None:
        """End :meth:`listen`. The agent stays known: :meth:`leave` says goodbye."""
        self._closed.set()

    async def __aenter__(self) -> AgentClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self, callback: Callback) -> None:
        connect, lost, refused = _websockets()
        tries = 0
        while True:
            try:
                if tries and self._is_registered:
                    await self.register()  # a server that began anew has forgotten how it is called
                async with connect(
                    self._server.socket_url(f"/ws/{quote(self.agent_id, safe='')}", ack="1"),
                    additional_headers=self._server.headers(),
                    proxy=None if self._server.is_here else True,
                    max_size=None,
                ) as line:
                    tries = 0
                    await self._hear(line, callback)
            except _Raised as raised:
                raise raised.error from raised.error.__cause__
            except refused as error:
                if error.response.status_code not in LATER:
                    raise error_of(error.response.status_code, error.response.body or b"") from error
            except lost:
                pass
            tries += 1
            await asyncio.sleep(pause(tries - 1))

    async def _hear(self, line: ClientConnection, callback: Callback) -> None:
        """What comes on one connection, until it is lost."""
        beating = asyncio.ensure_future(_beat(line))
        try:
            async for text in line:
                frame = json.loads(text)
                place = _place_of(frame)
                if place is None:
                    continue
                if place not in self._had:
                    await _call(callback, frame)
                    self._had[place] = None
                    while len(self._had) > KNOWN:
                        self._had.popitem(last=False)
                told = {"id": frame["id"]} if frame["id"] is not None else {"handle": frame.get("handle")}
                await line.send(json.dumps({"type": "ack", "room": frame.get("room"), **told}))
        finally:
            beating.cancel()


class _Raised(Exception):
    """What a callback raised, told apart from what ends a connection."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


async def _call(callback: Callback, frame: Json) -> None:
    try:
        called = callback(frame)
        if isinstance(called, Awaitable):
            await called
    except Exception as error:
        raise _Raised(error) from error


async def _beat(line: ClientConnection) -> None:
    with suppress(Exception):  # whoever reads learns that the connection is lost, and why
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await line.send('{"type": "heartbeat"}')


def _place_of(frame: Json) -> tuple[str, int | str] | None:
    """Where a message stands; None for what is none: an answer, or an error."""
    if not {"id", "from", "timestamp"} <= frame.keys():
        return None
    return frame.get("room", ""), frame["id"] if frame["id"] is not None else frame.get("handle", "")


def _made_up() -> str:
    """A word that no other client of this machine has had since it started."""
    told = f"{os.uname().nodename} {os.getpid()} {time.monotonic_ns()}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _websockets() -> tuple[Any, tuple[type[Exception], ...], Any]:
    """What connects, what tells that a connection is lost, and that it is refused. Raises UserError ``no-serve``."""
    try:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
    except ImportError as error:
        raise UserError(
            "to listen needs the package websockets, which is not installed",
            hint="install git-chatroom with its extra 'serve', which brings it",
            code="no-serve",
        ) from error
    return connect, (ConnectionClosed, InvalidHandshake, OSError, RemoteError), InvalidStatus  # a time that is up, too
