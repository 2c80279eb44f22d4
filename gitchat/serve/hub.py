"""A repository's worker: everything of git and SQLite happens in its one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gitchat.model.names import Name
from gitchat.serve.actor import Actor
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Hub:
    """One repository, as a server works on it."""

    def __init__(self, environment: Environment, *, name: str = "") -> None:
        self.name = name
        self._environment = environment
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"hub {name}")

    async def start(self) -> None:
        """Bring the index up to date, and begin to watch."""

    async def close(self) -> None:
        """End what waits."""
        self._worker.shutdown(wait=False)

    async def call(self, act: Callable[[Environment], T], actor: Actor, name: Name | None = None) -> T:
        """What ``act`` gives, run in the worker. ChatErrors pass through."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, act, self._environment)
