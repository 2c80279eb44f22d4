"""What all parts of a running server share: the repositories' hubs and credentials, and who asks."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from gitchat.model.names import Name, RoomName
from gitchat.serve.acting import RateLimited
from gitchat.serve.actor import Actor
from gitchat.serve.asked import Asked
from gitchat.serve.bucket import Buckets
from gitchat.serve.hub import Hub
from gitchat.serve.peer import Address, owner_of
from gitchat.serve.settings import Settings
from gitchat.serve.tokens import Tokens
from gitchat.workspace.environment import Environment

ACTOR = "gitchat.actor"
"""Where the guard puts who asks, in the scope of a request."""
REPOSITORY = "gitchat.repository"
"""Where it puts which repository is meant, when its path says so."""
WROTE = "gitchat.wrote"
"""Where a path puts the room and the number of what it wrote; None for what has no number yet."""

OTHERS_RATE = 50.0
"""Requests a second of an address without credentials."""
MAX_WAITING = 64
"""How many requests of one name may wait at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a request, when it is over."""

    asked: Asked
    actor: Actor
    status: int
    """101 for a WebSocket that was open; 0 where nobody was there any more."""
    sent_bytes: int
    seconds: float
    wrote: tuple[RoomName, int | None] | None


class Rates:
    """How often names, and addresses, may ask."""

    def __init__(self, settings: Settings) -> None:
        self._names = Buckets(settings.rate, settings.rate)
        self._others = Buckets(OTHERS_RATE, OTHERS_RATE)
        self._waiting: Counter[Name] = Counter()

    def spend(self, name: Name) -> None:
        """A request acts as ``name``. Raises RateLimited."""
        self._take(self._names, name, f"'{name}'")

    def spend_other(self, key: str) -> None:
        """A request of an address without credentials, or of credentials, whatever it names. Raises RateLimited."""
        self._take(self._others, key, "this address" if key.startswith("address") else "whoever has these credentials")

    def _take(self, buckets: Buckets, key: str, who: str) -> None:
        seconds = buckets.spend(key, time.monotonic())
        if seconds:
            raise RateLimited(who, math.ceil(seconds))

    @contextmanager
    def waiting(self, name: Name) -> Iterator[None]:
        """A request of ``name`` waits meanwhile. Raises RateLimited when MAX_WAITING of it do so already."""
        if self._waiting[name] >= MAX_WAITING:
            raise RateLimited(f"'{name}', of whom {MAX_WAITING} requests wait,", 1)
        self._waiting[name] += 1
        try:
            yield
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name]


@dataclass(frozen=True)
class Served:
    """A running server, as ``app.state.served``."""

    hubs: Mapping[str, Hub]
    """By the name that a path calls the repository by; not empty, and the first is meant where a path names none."""
    settings: Settings
    tokens: Mapping[str, Tokens]
    """The credentials of each repository: who is let in to one is nobody in another."""
    now: Callable[[], int]
    """The time in seconds since the epoch."""
    owner_of: Callable[[Address, Address], int | None] = owner_of
    observers: list[Callable[[Seen], None]] = field(default_factory=list)
    """Told of each request when it is over."""
    endings: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Called when the server ends, after the hubs have: what waits or streams without one ends by it."""
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rates", Rates(self.settings))

    @classmethod
    def of(
        cls,
        environments: Mapping[str, Environment],
        settings: Settings,
        owner_of: Callable[[Address, Address], int | None] = owner_of,
    ) -> Served:
        """The repositories of ``environments``, none of which has begun to be served yet."""
        first = next(iter(environments.values()))
        return cls(
            {name: Hub(one, name=name) for name, one in environments.items()},
            settings,
            {
                name: Tokens(one.repository.directory, random_bytes=one.random_bytes)
                for name, one in environments.items()
            },
            lambda: first.now().seconds,
            owner_of,
        )

    @property
    def first(self) -> Hub:
        """The hub of the repository that is meant where a path names none."""
        return next(iter(self.hubs.values()))

    async def end(self) -> None:
        """End what waits and streams, which a server would else wait for; write down where everybody stands."""
        for hub in self.hubs.values():
            await hub.close()
        for ending in self.endings:
            await ending()

    def hub_named(self, repository: str | None) -> Hub:
        """The hub of the repository that a path names; None is the first."""
        return self.hubs[repository] if repository is not None else self.first

    def hub_of(self, connection: HTTPConnection) -> Hub:
        """The hub of the repository that a request or a WebSocket is about."""
        return self.hub_named(connection.scope.get(REPOSITORY))

    def tokens_of(self, repository: str | None) -> Tokens:
        """The credentials of the repository that a path names; None is the first."""
        return self.tokens[repository] if repository is not None else next(iter(self.tokens.values()))

    def actor_of(self, connection: HTTPConnection) -> Actor:
        """Who asks, as the guard has found it."""
        return cast(Actor, connection.scope[ACTOR])
