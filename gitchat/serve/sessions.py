"""Whose names live through sessions of tools: a session's own, or those of a token for one name, however many have it.

They live while a request or a stream is open, and for 90 seconds after the last; at the end of the last session they
are free at once. For the thread of the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from gitchat.model.errors import ChatError
from gitchat.model.names import Name
from gitchat.serve.actor import Actor
from gitchat.serve.hub import Hub
from gitchat.server.lives import Life
from gitchat.workspace.environment import Environment


@dataclass(slots=True)
class _Party:
    """Those who live under the same names: the sessions of one token, or one session."""

    actor: Actor
    life: Life = field(default_factory=Life)
    environment: Environment | None = None
    """None as long as none of its sessions was opened."""
    sessions: int = 0
    """How many of them are open."""


class Sessions:
    """The parties behind the sessions of one set of tools."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._parties: dict[str, _Party] = {}
        hub.holdings.others.append(self.lives)

    @staticmethod
    def key_of(actor: Actor, session: str) -> str:
        """Which party ``session`` is of."""
        return actor.key if actor.name is not None else session

    @contextmanager
    def going_on(self, key: str, actor: Actor) -> Iterator[None]:
        """A request or a stream of the party is open meanwhile."""
        party = self._parties.setdefault(key, _Party(actor))
        try:
            with party.life.going_on():
                yield
        finally:
            if not party.sessions and self._parties.get(key) is party:
                del self._parties[key]  # it was never opened: a made-up session

    def begin(self, key: str, actor: Actor, environment: Environment) -> None:
        """One more session of the party was opened."""
        party = self._parties.setdefault(key, _Party(actor))
        party.environment = party.environment or environment
        party.sessions += 1

    async def wake(self, key: str) -> None:
        """Who fell silent lives again, as far as nobody took its names meanwhile."""
        party = self._parties.get(key)
        if party is not None and party.life.is_resting and party.environment is not None:
            with suppress(ChatError):  # whoever acts under that name is told so
                await self._hub.finish(partial(party.life.wake, party.environment))

    async def end(self, key: str) -> None:
        """A session of the party is over; with the last one its names are free. Never fails."""
        party = self._parties.get(key)
        if party is None:
            return
        party.sessions -= 1
        if party.sessions <= 0:
            del self._parties[key]
            with suppress(Exception):  # whatever a name is held by ends with the process
                await self._hub.finish(partial(self._let_go, party))

    async def sweep(self) -> None:
        """Let rest who fell silent."""
        for party in list(self._parties.values()):
            if party.life.is_silent and not party.life.is_resting and party.environment is not None:
                party.life.is_resting = True  # so that who asks now waits until it rests, and wakes it
                with suppress(ChatError):
                    await self._hub.finish(partial(self._let_go, party))

    def is_open(self, key: str) -> bool:
        """Whether a request or a stream of the party is open."""
        party = self._parties.get(key)
        return party is not None and party.life.is_open

    def lives(self, actor: Actor, name: Name) -> bool:
        """Whether ``name`` lives by sessions of the token of ``actor``."""
        party = self._parties.get(actor.key)
        return party is not None and actor.name == name and not party.life.is_resting

    def _let_go(self, party: _Party) -> None:
        assert party.environment is not None
        # What the same token lives under by other requests goes on living by these.
        party.life.rest(party.environment, lambda name: self._hub.holdings.lives_for(party.actor, name))
