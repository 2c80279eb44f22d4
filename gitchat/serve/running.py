"""A server from its start to its end: the port, the repositories' hubs, and the signals that end it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from gitchat.serve import app
from gitchat.serve.hub import Hub
from gitchat.serve.served import Served
from gitchat.serve.settings import Settings
from gitchat.workspace.environment import Environment

END_SECONDS = 4
"""How long requests may go on after the hubs have ended what waits; then they are cut."""


class _Server(uvicorn.Server):
    """uvicorn's, whose signals are ours: the hubs end what waits first, which it would wait for."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(environments: Mapping[str, Environment], settings: Settings, tell: Callable[[Settings], None]) -> int:
    """Serve the repositories of ``environments`` until a signal ends it; the exit status.

    ``tell`` is called once, when the port is open, with the settings that hold it.
    """
    listening = socket.create_server((settings.host, settings.port), backlog=2048)
    settings = replace(settings, port=listening.getsockname()[1])
    asyncio.run(_serve(environments, settings, listening, tell))
    return 0


async def _serve(
    environments: Mapping[str, Environment],
    settings: Settings,
    listening: socket.socket,
    tell: Callable[[Settings], None],
) -> None:
    hubs = {name: Hub(environment, name=name) for name, environment in environments.items()}
    served = Served(hubs, settings)
    config = uvicorn.Config(
        app.make(served),
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    server = _Server(config)

    async def end() -> None:
        for hub in hubs.values():
            await hub.close()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    ending: set[asyncio.Task[None]] = set()

    def begin_to_end() -> None:
        if not ending:
            ending.add(loop.create_task(end()))
        else:
            server.force_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, begin_to_end)
    tell(settings)
    await server.serve(sockets=[listening])
