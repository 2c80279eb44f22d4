"""What all parts of a running server share: the repositories' hubs, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection

from gitchat.serve.actor import Actor
from gitchat.serve.hub import Hub
from gitchat.serve.settings import Settings

ACTOR = "gitchat.actor"
"""Where the guard puts who asks, in the scope of a request."""
REPOSITORY = "gitchat.repository"
"""Where it puts which repository is meant, when its path says so."""


@dataclass(frozen=True)
class Served:
    """A running server, as ``app.state.served``."""

    hubs: Mapping[str, Hub]
    """By the name that a path calls the repository by; not empty, and the first is meant where a path names none."""
    settings: Settings

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
