"""The service on our own JSON-RPC loop: answers a client before the SDK would be imported.

It speaks what clients of tools speak, in both eras of the protocol, and answers as the SDK
does (the same black-box suite runs over both). What a client asks first, which needs no waiting, is
answered before asyncio is imported; the rest comes with the first call. Source: docs/decisions/0004.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from gitchat.server.answers import Answers
from gitchat.server.frames import Cut, NotTaken, is_id, message_of
from gitchat.server.lines import Lines, of_standard_streams
from gitchat.server.protocol import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    Era,
    Handler,
    HandshakeEra,
    Json,
    Refused,
    Request,
    era_of,
    malformed,
)
from gitchat.server.subscriptions import Subscriptions
from gitchat.server.toolset import GITCHAT, Toolset, toolset_of

if TYPE_CHECKING:  # asyncio takes longer to load than all that is needed for the first answers
    import asyncio

    from gitchat.server.service import Service


def serve(
    *, as_data: bool = False, toolset: Toolset | None = None, has_channel: bool = False, is_user_wide: bool = False
) -> None:
    """Answer on standard input and output until the client goes away. The arguments are those of Service.

    With ``has_channel`` only in the handshake era: clients of the later one take no channels.
    """

    offered = toolset or toolset_of(GITCHAT)

    def make_service() -> Service:
        from gitchat.server.service import Service  # with the first call: a client asks for the tools first

        return Service(as_data=as_data, toolset=offered, is_user_wide=is_user_wide)

    front = _Front(make_service, offered, has_channel, of_standard_streams())
    front.greet()
    import asyncio  # with what may have to wait

    ended_by = asyncio.run(front.run())
    if ended_by is not None:
        # One more signal while its handler is changed would be reported on standard error, as one that nobody took.
        sys.unraisablehook = lambda report: None
        signal.signal(ended_by, signal.SIG_DFL)
        os.kill(os.getpid(), ended_by)
    # A thread may still wait for the client; nobody waits for it.
    os._exit(0)


STARTING_SECONDS = 1.0
"""How long a run that a program waits for is left alone while it starts: what is done for its session then, of which
the first call may be in need, would take from it the time that it takes itself."""

GREETING_SECONDS = 0.05
"""How long a client that was greeted may take to ask for the tools; what is begun for its session then would slow that
down."""

_AT_ONCE = frozenset({"initialize", "ping", "server/discover", "tools/list"})
"""What is answered without waiting for anything."""


class _Front:
    """One connection: takes its lines, and has each request answered by a task of its own."""

    def __init__(self, make_service: Callable[[], Service], toolset: Toolset, has_channel: bool, lines: Lines) -> None:
        self._make_service = make_service
        self._instructions = toolset.instructions
        self._made: Service | None = None
        self._making = threading.Lock()
        self._has_channel = has_channel
        self._lines = lines
        self._subscriptions = Subscriptions(self._service, send=lines.send, has_channel=has_channel)
        self._received = lines.received()
        self._taken: Json | None = None
        """What :meth:`greet` has read and left to be answered."""
        self._answers = Answers(
            list(toolset.catalogue),
            self._service,
            send=lines.send,
            client_name=lambda request: self._era.client_name(request) if self._era is not None else "",
            before_call=self._subscriptions.begin if has_channel else lambda: None,
        )
        self._era: Era | None = None
        """None until the first request."""
        self._handlers: dict[str, Handler] = {}
        """Those of the era."""
        self._running: dict[Any, asyncio.Task[None]] = {}
        self._is_called = threading.Event()
        """Set as soon as something is asked for that needs the service."""
        self._said: tuple[str, str] | None = None
        """What the client calls itself, and its version, once the first request was answered."""
        self._end: Callable[[], object] = lambda: None
        """Ends the connection, from any thread."""
        self._is_running = False
        """Whether there is a loop."""

    def _service(self) -> Service:
        self._is_called.set()
        with self._making:
            if self._made is None:
                self._made = self._make_service()
            return self._made

    def _begin_session(self, client_name: str, version: str) -> None:
        """What is done at the start, and not by the client's first request: nobody waits for it."""
        from gitchat.server.ghosts import end_with_client
        from gitchat.workspace.attended import is_headless
        from gitchat.workspace.client import named_in_handshake
        from gitchat.workspace.process import read_variables

        end_with_client(client_name, self._end)
        if is_headless(named_in_handshake(client_name) or "", read_variables()):
            self._is_called.wait(STARTING_SECONDS)
        self._service().start(client_name, version)

    # --- from the first line to the last ---------------------------------------

    def greet(self) -> None:
        """Answer what a client asks before it does anything, up to the list of tools, or the first other request.

        A signal, and the client's end, end the process: nothing was begun yet.
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        while self._lines.comes_within(GREETING_SECONDS if self._said is not None else None):
            line = next(self._received, None)
            if line is None:
                os._exit(0)
            message = self._message(line)
            if message is None or "id" not in message:
                continue  # nothing runs that it could be about
            if message["method"] not in _AT_ONCE:
                self._taken = message
                return
            _finish(self._answer(message["id"], message["method"], message.get("params")))
            if message["method"] == "tools/list":
                return

    async def run(self) -> signal.Signals | None:
        """Until the client goes away, or a signal comes: that signal. Further ones change nothing from then on."""
        import asyncio

        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        ended_by: list[signal.Signals] = []

        def end(number: int, frame: FrameType | None) -> None:
            if not ended_by:
                ended_by.append(signal.Signals(number))
                with suppress(RuntimeError):  # the loop has ended first
                    loop.call_soon_threadsafe(over.set)

        def end_from_thread() -> None:
            with suppress(RuntimeError):  # the loop has ended first
                loop.call_soon_threadsafe(over.set)

        self._end, self._is_running = end_from_thread, True
        # Not the loop's own handlers, which it takes away while it closes: git passes on what it hears, and the
        # process group has heard it too, so that a second signal comes just then.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
            signal.siginterrupt(number, False)
        if self._said is not None:
            self._begin_aside()
        if self._taken is not None:
            self._begin(self._taken, loop)
        if not self._lines.watch(loop, lambda line: self._take(line, loop), over.set):
            threading.Thread(target=self._read, args=(loop, over), daemon=True).start()
        await over.wait()
        for task in self._running.values():
            task.cancel()
        self._subscriptions.end()
        if self._made is not None:
            self._made.close()
        return ended_by[0] if ended_by else None

    def _read(self, loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
        with suppress(RuntimeError):  # the loop has ended first
            for line in self._received:
                loop.call_soon_threadsafe(self._take, line, loop)
            loop.call_soon_threadsafe(over.set)

    def _take(self, line: bytes | Cut, loop: asyncio.AbstractEventLoop) -> None:
        message = self._message(line)
        if message is None:
            return
        if "id" in message:
            self._begin(message, loop)
        else:
            params = message.get("params")
            self._notified(message["method"], params if isinstance(params, dict) else {})

    def _message(self, line: bytes | Cut) -> Json | None:
        """What stands on a line; None for nothing, or for what was answered because it cannot be taken."""
        try:
            return message_of(line)
        except NotTaken as refused:
            for answer in refused.answers:
                self._lines.send(answer)
            return None

    def _begin(self, message: Json, loop: asyncio.AbstractEventLoop) -> None:
        """Have a request answered."""
        request_id = message["id"]
        task = loop.create_task(self._answer(request_id, message["method"], message.get("params")))
        self._running[request_id] = task
        task.add_done_callback(lambda done: self._forget(request_id, done))

    def _forget(self, request_id: int | str, task: asyncio.Task[None]) -> None:
        if self._running.get(request_id) is task:
            del self._running[request_id]

    def _notified(self, method: str, params: Json) -> None:
        cancelled = params.get("requestId") if method == "notifications/cancelled" else None
        if is_id(cancelled) and (task := self._running.get(cancelled)):
            task.cancel()

    # --- a request -------------------------------------------------------------

    async def _answer(self, request_id: int | str, method: str, params: Any) -> None:
        try:
            if params is not None and not isinstance(params, dict):
                raise malformed()
            request = Request(request_id, method, params or {})
            result = await self._result(request)
        except Refused as refused:
            self._lines.send({"id": request_id, "error": refused.error})
        except Exception as error:  # a defect: the client must get an answer all the same
            import traceback

            traceback.print_exc()
            words = f"gitchat failed in a way it does not know: {type(error).__name__}"
            self._lines.send({"id": request_id, "error": {"code": INTERNAL_ERROR, "message": words}})
        else:
            self._lines.send({"id": request_id, "result": result})
            if self._said is None and self._era is not None:
                self._said = (self._era.client_name(request), self._era.client_version(request))
                if self._is_running:
                    self._begin_aside()

    def _begin_aside(self) -> None:
        assert self._said is not None
        threading.Thread(target=self._begin_session, args=self._said, name="gitchat-session", daemon=True).start()

    async def _result(self, request: Request) -> Json:
        if self._era is None:
            self._era = era_of(request, self._instructions, has_channel=self._has_channel)
            self._handlers = self._answers.handlers() | self._handlers_of(self._era)
        self._era.check(request)
        handler = self._handlers.get(request.method)
        if handler is None:
            raise Refused(METHOD_NOT_FOUND, "Method not found", request.method[:200])
        return self._era.wrapped(request.method, await handler(request))

    def _handlers_of(self, era: Era) -> dict[str, Handler]:
        """Who answers what clients of one era alone ask."""
        if isinstance(era, HandshakeEra):
            return {
                "initialize": era.initialize,
                "ping": era.ping,
                "resources/subscribe": self._subscriptions.subscribe,
                "resources/unsubscribe": self._subscriptions.unsubscribe,
            }
        return {"server/discover": era.discover, "subscriptions/listen": self._subscriptions.listen}


def _finish(answering: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing to its end."""
    with suppress(StopIteration):
        answering.send(None)
        raise AssertionError("it waits")
