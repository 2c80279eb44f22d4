"""``/git/`` alone: its ASGI application under uvicorn in a thread, for one who was let in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

from gitchat.serve.actor import Actor
from gitchat.serve.exchange import Exchange
from gitchat.serve.githttp import Git
from tests.world import World

LIMIT_BYTES = 16 * 1024 * 1024
LOCAL = Actor(key="local", is_local=True)


@dataclass
class Served:
    """A clone whose rooms are served; ``actor`` is who asks, to be changed by a test."""

    world: World
    path: Path
    actor: Actor | None = LOCAL
    url: str = ""
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    git: Git = field(init=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application: the guard's part is done by a field."""
        if scope["type"] == "http":
            await self.git(scope | {"gitchat.actor": self.actor, "root_path": "/git"}, receive, send)

    def processes(self) -> list[str]:
        """The command lines of all processes that work in the exchange or for its requests."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    where = os.readlink(entry / "cwd")
                except OSError:
                    continue
                if str(self.path) in where + words and "git" in words.split(" ", 1)[0]:
                    found.append(words)
        return found


@contextmanager
def served(world: World, path: Path) -> Iterator[Served]:
    """Serve the rooms of the clone at ``path`` on a free port of loopback."""
    it = Served(world, path)
    config = uvicorn.Config(it, port=0, lifespan="off", log_level="error", loop="asyncio", http="h11", ws="none")
    server = uvicorn.Server(config)

    async def run() -> None:
        it.git = Git(Exchange(path / ".git", world.variables, LIMIT_BYTES))
        serving = asyncio.ensure_future(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        it.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/git/"
        await serving

    thread = Thread(target=it.loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    while not it.url and thread.is_alive():
        thread.join(0.01)
    try:
        yield it
    finally:
        server.should_exit = True
        thread.join(10)
        it.loop.close()
