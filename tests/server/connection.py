"""A connection without a wire: a service in this process, as a server for many makes one for each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from gitchat.presence.holding import Holding
from gitchat.server.desk import Answer, Ground
from gitchat.server.service import Service
from gitchat.server.toolset import Toolset, toolset_of
from gitchat.workspace.environment import Environment

Json = dict[str, Any]

DEADLINE_SECONDS = 20.0
"""How long a test waits for what must come. Only a defect makes it pass."""


async def unheard(done: float, total: float, message: str) -> None:
    """A client that does not ask for progress."""


class Server:
    """What all connections of a server with one toolset have in common."""

    def __init__(self, profile: str, environment: Environment) -> None:
        self.toolset: Toolset = toolset_of(profile)
        self.environment = environment
        self.shared = self.toolset.shared()

    def connect(self, ground: Ground | None = None, *, is_far: bool = False) -> Connection:
        """A new connection, of a party of its own."""
        own = self.environment.holding(Holding(), session=self.environment.new_uid(), acts_as_anyone=False)
        return Connection(
            Service(toolset=self.toolset, environment=own, ground=ground, shared=self.shared, is_far=is_far)
        )


class Connection:
    """One client, and its calls."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.caller = service.caller("by-hand", None)

    async def begin(self, tool: str, **more: Any) -> Answer:
        """Call a tool. ``is_gone`` and ``progress`` are the call's, all else its arguments."""
        is_gone, progress = more.pop("is_gone", lambda: False), more.pop("progress", unheard)
        return await self.service.call(tool, more, progress, self.caller, is_gone=is_gone)

    def call(self, tool: str, **more: Any) -> Answer:
        """Call a tool, and wait for its answer."""
        return within(lambda: self.begin(tool, **more))

    def text(self, tool: str, **more: Any) -> str:
        """The text of an answer."""
        return self.call(tool, **more).text

    def data(self, tool: str, **more: Any) -> Any:
        """The JSON of an answer that is none of an error."""
        answer = self.call(tool, **more)
        assert not answer.is_error, answer.text
        return json.loads(answer.text)

    def refused(self, tool: str, **more: Any) -> str:
        """The sentence of a refusal."""
        answer = self.call(tool, **more)
        assert answer.is_error, answer.text
        return answer.text.split("\n")[0]


def within(begin: Callable[[], Awaitable[Any]]) -> Any:
    """What an awaitable gives. Only a defect makes it take long."""

    async def run() -> Any:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await begin()

    return asyncio.run(run())
