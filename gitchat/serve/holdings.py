"""Who lives through the server: each name is held for the actor whose it is, as long as something of it is going on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.serve.actor import Actor
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

T = TypeVar("T")


class Work(Protocol):
    """What runs something in the worker thread, in the surroundings of an actor."""

    def __call__(self, act: Callable[[Environment], T], actor: Actor) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Joined:
    """How a name joined."""

    key: str
    """Whose it is: Actor.key."""
    room: RoomName
    role: str
    capabilities: tuple[str, ...]
    label: str
    """What it is called outside, such as ``Beta``; blank for its name."""
    given: str
    """The name as its owner spelled it."""
    session_id: str


class Holdings:
    """The names that live through one hub. For the event loop's thread."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._joined: dict[Name, Joined] = {}

    async def join(
        self,
        actor: Actor,
        name: Name,
        room: RoomName,
        role: str = "general",
        capabilities: Sequence[str] = (),
        label: str = "",
        given: str = "",
        session_id: str = "",
    ) -> None:
        """Live under ``name`` in ``room``; again with the same ``session_id``: the same, refreshed.

        Raises:
            UserError: ``name-taken`` while it lives elsewhere, or for another actor or session;
                ``bad-role``, ``bad-capability``.
        """
        wanted = Joined(actor.key, room, role, tuple(capabilities), label, given or name, session_id)
        known = self._joined.get(name)
        if known is not None and (known.key, known.session_id) != (wanted.key, wanted.session_id):
            raise UserError(
                f"participant '{name}' is already active; choose a different name or remove the stale participant",
                hint=f"take another name, such as '{name[:62]}-2', or come back when that session is over",
                code="name-taken",
            )
        await self._work(lambda environment: Room(environment, room, name).join(role, capabilities), actor)
        self._joined[name] = wanted if known is None else replace(wanted, label=label or known.label)

    async def leave(self, actor: Actor, name: Name, room: RoomName | None = None) -> bool:
        """Leave ``room``, or the one that it joined first; whether it was in."""
        known = self._joined.pop(name, None)
        where = room or (known.room if known else None)
        return await self._work(lambda environment: Room(environment, where, name).leave(), actor)

    def touch(self, actor: Actor, name: Name) -> None:
        """A request was made as ``name``: it lives 90 seconds more, if it joined."""

    @asynccontextmanager
    async def staying(self, actor: Actor, name: Name) -> AsyncIterator[None]:
        """A stream or a waiting request as ``name`` is open meanwhile: it lives, if it joined."""
        yield

    def __len__(self) -> int:
        """How many names live through the hub."""
        return len(self._joined)

    def label_of(self, name: Name) -> str:
        """What ``name`` is called outside; the name itself where nothing else was given."""
        known = self._joined.get(name)
        return known.label if known and known.label else name

    def spelled(self, name: Name) -> str:
        """``name`` as its owner spelled it."""
        known = self._joined.get(name)
        return known.given if known else name

    def actor_may(self, actor: Actor, name: Name) -> bool:
        """Whether ``actor`` may act as ``name`` as far as who lives through this server tells."""
        known = self._joined.get(name)
        return (known is None or known.key == actor.key) and actor.name in (None, name) and not actor.is_guest
