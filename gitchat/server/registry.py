"""Who registered through one server: its names, groups and holdings, and which connection speaks for which.

A group is the role that a name has in the default room. What is kept here ends with the server; who is here at all is
told by the clone (:mod:`gitchat.presence`). Everything is done where a call acts.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gitchat.doorbell.beats import Elsewhere
from gitchat.model.escape import tame_line
from gitchat.model.names import Name, suggest_slug
from gitchat.model.participant import MAX_WORD_CHARS, Participant
from gitchat.server import party
from gitchat.server.lives import Life
from gitchat.verbs import attendance
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

UNBOUND_SECONDS = 60.0
"""How long who is bound to no connection any more stays registered without calling: AGENTS_UNBOUND_TIMEOUT_MS."""


@dataclass(slots=True)
class Agent:
    """Somebody who registered here."""

    name: Name
    given: str
    """The name as it was spelled."""
    group: str
    environment: Environment
    bound: object | None = None
    """The connection that it is pushed to."""
    seen: float = field(default_factory=time.monotonic)
    """When it last called."""
    life: Life = field(default_factory=Life)

    @property
    def chat(self) -> Room:
        """The default room, as it sees it."""
        return Room(self.environment, None, self.name)


class Registry:
    """Who registered through one server, in the order in which they did."""

    def __init__(self) -> None:
        self._agents: dict[Name, Agent] = {}

    def of(self, given: str) -> Agent | None:
        """Who registered under a name; if it fell silent, it lives again. Raises UserError ``name-taken``."""
        name = suggest_slug(given)
        found = self._agents.get(Name(name)) if name is not None else None
        if found is not None:
            found.seen = time.monotonic()
            found.life.heard()
            found.life.wake(found.environment)
        return found

    def bound_to(self, connection: object) -> Agent | None:
        """Whom a connection is bound to."""
        return next((agent for agent in self._agents.values() if agent.bound is connection), None)

    def reached(self, environment: Environment) -> list[Participant]:
        """Whom a message reaches in the default room: who lives there, and who is registered, also while silent."""
        known = environment.roll.known(Room(environment).name)
        return [one for one in known if one.is_present or one.name in self._agents]

    def spelled(self, name: str) -> str:
        """A name as its agent spelled it."""
        agent = self._agents.get(Name(name))
        return agent.given if agent is not None else name

    def order(self, one: Participant) -> tuple[int, int, str]:
        """What sorts participants: who registered here as they did, then the others as they joined."""
        names = list(self._agents)
        return (names.index(one.name) if one.name in names else len(names), one.joined_at, one.name)

    def register(self, environment: Environment, given: str, description: str, group: str, connection: object) -> Agent:
        """Register a name, again or for the first time, and bind ``connection`` to it and to nobody else.

        Raises:
            UserError: ``name-taken`` while another process lives under it; ``bad-name``.
        """
        name, role = party.name_of(given), party.slug_of(group, "group", "research")
        agent = self._agents.get(name)
        made = agent or Agent(name, given, role, party.begin(environment, name))
        words = party.spelling_of(description)
        try:
            made.life.heard()
            made.life.wake(made.environment)
            made.environment.hold(name, given=party.spelling_of(given))
            attendance.live(made.chat, role, [words[:MAX_WORD_CHARS]] if words else [])
        except BaseException:
            if agent is None:
                party.end(made.environment)
            raise
        if (other := self.bound_to(connection)) is not None:
            other.bound = None
        made.given, made.group, made.bound, made.seen = party.spelling_of(given), role, connection, time.monotonic()
        self._agents[name] = made
        return made

    def deregister(self, agent: Agent) -> None:
        """Leave the room, and live no more. Raises what :meth:`Room.leave` raises; then it stays registered."""
        agent.chat.leave()
        self._release(agent)

    def unbind(self, connection: object) -> None:
        """A connection is over; whom it was bound to stays registered for a while, since it may come back."""
        if (agent := self.bound_to(connection)) is not None:
            agent.bound = None

    def sweep(self, seconds: float) -> None:
        """Let go of who is bound to nothing, and called last longer ago than that."""
        for agent in list(self._agents.values()):
            if agent.bound is None and time.monotonic() - agent.seen > seconds:
                self._release(agent)

    def lapse(self, is_open: Callable[[object], bool]) -> None:
        """Let rest who called last too long ago, and whose connection is not open: it is registered, and not here."""
        for agent in self._agents.values():
            if agent.life.is_silent and not agent.life.is_resting and not (agent.bound and is_open(agent.bound)):
                agent.life.rest(agent.environment)

    def close(self) -> None:
        """The server ends: nobody is registered any more. Never fails."""
        for agent in list(self._agents.values()):
            self._release(agent)

    def _release(self, agent: Agent) -> None:
        self._agents.pop(agent.name, None)
        party.end(agent.environment)


def agent_id(name: str, host: str) -> str:
    """The id that a name has on a host, the same each time it registers."""
    return f"{name}-{hashlib.sha256(f'{name}@{host}'.encode()).hexdigest()[:8]}"


def told_of_other(one: Elsewhere) -> str:
    """Who lives in another clone: what that one says, without a host."""
    state = f"active | group: {tame_line(one.role)} | host: another clone | remote"
    return f"- {tame_line(one.name)} ({tame_line(agent_id(one.name, one.clone))}): {state}"
