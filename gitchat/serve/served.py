"""What all parts of a running server share: the repositories' hubs, and who asks."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from gitchat.model.names import Name
from gitchat.serve.acting import RateLimited
from gitchat.serve.actor import Actor
from gitchat.serve.bucket import Buckets
from gitchat.serve.hub import Hub
from gitchat.serve.settings import Settings

ACTOR = "gitchat.actor"
"""Where the guard puts who asks, in the scope of a request."""
REPOSITORY = "gitchat.repository"
"""Where it puts which repository is meant, when its path says so."""
OTHERS_RATE = 50.0
"""Requests a second of an address without credentials."""


MAX_WAITING = 64
"""How many requests of one name may wait at once."""


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
        """A request of an address without credentials, or of credentials that act under no name. Raises RateLimited."""
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

    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rates", Rates(self.settings))

    @property
    def first(self) -> Hub:
        """The hub of the repository that is meant where a path names none."""
        return next(iter(self.hubs.values()))

    def hub_of(self, connection: HTTPConnection) -> Hub:
        """The hub of the repository that a request or a WebSocket is about."""
        name = connection.scope.get(REPOSITORY)
        return self.hubs[name] if name is not None else self.first

    def actor_of(self, connection: HTTPConnection) -> Actor:
        """Who asks, as the guard has found it."""
        return cast(Actor, connection.scope[ACTOR])
