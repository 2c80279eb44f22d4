"""The one thread in which everything of a repository happens, each time for one of those that the server acts for."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gitchat.model.errors import ConflictError
from gitchat.presence.holding import Holding
from gitchat.serve.actor import Actor
from gitchat.verbs import tools
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Worker:
    """A thread, and the surroundings of each actor in it. For the thread of the event loop, but for what says else."""

    def __init__(self, environment: Environment, name: str) -> None:
        self._environment = environment
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"gitchat-hub-{name}")
        self._parties: dict[str, Holding] = {}
        self._surroundings: dict[Actor, Environment] = {}
        self._is_ending = False

    async def act(self, act: Callable[[Environment], T], actor: Actor) -> T:
        """What ``act`` gives in the surroundings of ``actor``. Raises ConflictError ``ending``."""
        return await self.do(lambda: self.act_here(act, actor))

    async def do(self, do: Callable[[], T]) -> T:
        """What ``do`` gives. Who stops waiting for it ends it only while it has not begun.

        Raises:
            ConflictError: ``ending`` when the server ends.
        """
        if self._is_ending:
            raise ConflictError("the server ends", hint="ask again when it is back", code="ending")
        return await self.finish(do)

    async def finish(self, do: Callable[[], T]) -> T:
        """As :meth:`do`, also while the server ends."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, contextvars.copy_context().run, do)

    async def forget(self, actor: Actor) -> None:
        """Free the names of ``actor``, and keep nothing for it any more. Raises ConflictError ``ending``."""

        def release() -> None:
            self._surroundings.pop(actor, None)
            party = self._parties.pop(actor.key, None)
            if party is not None:
                party.release()

        await self.do(release)

    async def end(self, last: Callable[[], None]) -> None:
        """Take nothing new, finish what was taken, then do the ``last``, free all names, and end the thread."""
        self._is_ending = True

        def end() -> None:
            last()
            for party in self._parties.values():
                party.release()

        await self.finish(end)
        await asyncio.to_thread(self._pool.shutdown)

    # --- in the thread itself ------------------------------------------------------------

    def act_here(self, act: Callable[[Environment], T], actor: Actor) -> T:
        """As :meth:`act`, for what runs in the thread already."""
        if actor not in self._surroundings:
            self._surroundings[actor] = self._made(actor)
        environment = self._surroundings[actor]
        with tools.using(environment):
            return act(environment)

    def _made(self, actor: Actor) -> Environment:
        party = self._parties.setdefault(actor.key, Holding())
        session = hashlib.sha256(actor.key.encode()).hexdigest()
        return self._environment.holding(
            party, session=session, name=actor.name, email=actor.email, is_person=actor.is_person
        )
