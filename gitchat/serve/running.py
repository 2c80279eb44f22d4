"""A server from its start to its end: the port, the repositories' hubs, and the signals that end it."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import h11
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from gitchat.model.errors import UserError
from gitchat.serve import app
from gitchat.serve.answers import MAX_BODY_BYTES
from gitchat.serve.asked import CONNECTION
from gitchat.serve.audit import Audit
from gitchat.serve.limits import REQUEST_SECONDS
from gitchat.serve.served import Served
from gitchat.serve.servefile import Running, ServeFile
from gitchat.serve.settings import Settings
from gitchat.workspace.environment import Environment

END_SECONDS = 4
"""How long requests may go on after the hubs have ended what waits; then they are cut."""
SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter from another. With Python's own 5 ms a message to one client took 44 ms
where it takes 11: whoever sends gives the interpreter away, and the worker has it for all of its turn."""
MAX_HEADER_BYTES = 64 * 1024


def run(environments: Mapping[str, Environment], settings: Settings, tell: Callable[[Settings], None]) -> int:
    """Serve the repositories of ``environments`` until a signal ends it; the exit status.

    ``tell`` is called once, when all can be asked, with the settings that hold the port.

    Raises:
        UserError: ``port-taken``, ``bad-host``.
        StorageError: ``no-audit``; and what hubs raise when they start.
    """
    first = next(iter(environments.values()))
    listening = _open_port(settings, ServeFile(first.repository.directory))
    settings = replace(settings, port=listening.getsockname()[1])
    served = Served.of(environments, settings)
    if settings.audit is not None:
        served.observers.append(Audit(settings.audit, served.now))
    files = [ServeFile(environment.repository.directory) for environment in environments.values()]
    try:
        asyncio.run(_serve(served, listening, lambda: _tell_all(environments, served, files, tell)))
    finally:
        for file in files:
            file.remove(os.getpid())
    return 0


def address_of(settings: Settings, name: str, is_first: bool) -> str:
    """Where a program here finds the repository that paths call ``name``, without a slash at its end."""
    return settings.base_url if is_first else f"{settings.base_url}/r/{name}"


def _tell_all(
    environments: Mapping[str, Environment], served: Served, files: list[ServeFile], tell: Callable[[Settings], None]
) -> None:
    for place, (name, file) in enumerate(zip(environments, files, strict=True)):
        address = address_of(served.settings, name, place == 0)
        file.add(Running(os.getpid(), address, served.settings.port, served.now()))
    tell(served.settings)
    # Beside everything else, so that a client's first request does not wait for it: some begin without slow tools.
    threading.Thread(target=import_module, args=("gitchat.serve.protocol",), daemon=True).start()


async def _serve(served: Served, listening: socket.socket, tell: Callable[[], None]) -> None:
    application = app.make(served)
    settings = served.settings
    asked: Any = application
    if settings.behind_proxy:
        asked = ProxyHeadersMiddleware(asked, [str(network) for network in settings.behind_proxy])
    config = uvicorn.Config(
        asked,
        http=_Protocol,
        ws="websockets-sansio",
        ws_max_size=MAX_BODY_BYTES,
        ws_ping_interval=None,  # who is silent for 90 s is closed; a ping each would cost a thousand more than that
        ws_per_message_deflate=False,  # its state is tens of kB for each
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        lifespan="off",  # ours, so that what fails at the start is an error like any other
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=END_SECONDS,
        ssl_certfile=settings.tls.certificate if settings.tls else None,
        ssl_keyfile=settings.tls.key if settings.tls else None,
    )
    server = _Server(config, tell)
    # Each send to a client lets the worker's thread in, and the next one waits this long for its turn.
    sys.setswitchinterval(SWITCH_SECONDS)
    async with application.router.lifespan_context(application):
        with _ended_by_signals(server, served):
            await server.serve(sockets=[listening])


@contextmanager
def _ended_by_signals(server: _Server, served: Served) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    ending: list[asyncio.Task[None]] = []

    async def end() -> None:
        try:
            await served.end()
        finally:
            server.should_exit = True

    def begin_to_end() -> None:
        if ending:
            server.force_exit = True  # the second time it is meant
        else:
            ending.append(loop.create_task(end()))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin_to_end)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """uvicorn's, whose signals are ours: what waits is ended first, which it would wait for."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = tell

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()


class _Protocol(H11Protocol):
    """uvicorn's, which by itself waits for the end of a request's headers for ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.app_state = {**self.app_state, CONNECTION: {}}
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._be_patient()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._lose_patience()
        elif self._patience is None and not self.transport.is_closing():
            self._be_patient()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._lose_patience()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose_patience()
        super().connection_lost(exc)

    def _be_patient(self) -> None:
        self._patience = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _lose_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _open_port(settings: Settings, file: ServeFile) -> socket.socket:
    """The socket that will be listened at. Raises UserError ``bad-host``, ``port-taken``."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _bad_host(settings, error) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(1)  # of two who are bound only one may: the other learns it here
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise _port_taken(settings, file) from error
        raise _bad_host(settings, error) from error
    return made


def _port_taken(settings: Settings, file: ServeFile) -> UserError:
    ours = [one for one in file.running() if one.port == settings.port]
    if ours:
        return UserError(
            f"a server of this clone is at port {settings.port} already: process {ours[0].pid}",
            hint=f"get its address: git chat serve --url; or end it first: kill {ours[0].pid}",
            code="port-taken",
        )
    return _no_port(f"another program listens at port {settings.port} of {settings.host}")


def _no_port(said: str) -> UserError:
    return UserError(said, hint="take any free one: git chat serve --port 0", code="port-taken")


def _bad_host(settings: Settings, error: OSError) -> UserError:
    if error.errno == errno.EACCES:
        return _no_port(f"port {settings.port} is for the system's own services")
    return UserError(
        f"this machine cannot listen at {settings.host!r}: {error.strerror or error}",
        hint="leave --host out for this machine alone; --host 0.0.0.0 is all its addresses",
        code="bad-host",
    )
