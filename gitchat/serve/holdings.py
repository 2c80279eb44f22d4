"""Who lives through the server: each name is held for the actor whose it is, as long as something of it goes on.

The kernel's lock of a name is ours while a stream or a waiting request is open, and for 90 seconds after the last
request. So the command line, hooks and other servers see it living and cannot take it, and a killed server frees all
at once. What a name joined as stays known afterwards: its next request lets it live again, if nobody took it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import MAX_SLUG_CHARS, Name, RoomName
from gitchat.serve import joining
from gitchat.serve.actor import Actor
from gitchat.serve.joining import Joined
from gitchat.server.lives import LIVES_SECONDS
from gitchat.workspace.environment import Environment

REMEMBERED = 10_000
"""Names that lived here once and are known for their spelling; the ones that were seen longest ago are forgotten."""

T = TypeVar("T")


class Work(Protocol):
    """What runs something in the worker thread, in the surroundings of an actor."""

    def __call__(self, act: Callable[[Environment], T], actor: Actor) -> Coroutine[Any, Any, T]: ...


class _Lease:
    """A name that joined, and how long it lives."""

    def __init__(self, actor: Actor, joined: Joined, now: float) -> None:
        self.actor = actor
        self.joined = joined
        self.seen = now
        self.open = 0
        self.is_living = True

    def is_over(self, now: float) -> bool:
        return self.is_living and self.open == 0 and now - self.seen >= LIVES_SECONDS


class Holdings:
    """The names that live through one hub. For the thread of the event loop."""

    def __init__(
        self,
        work: Work,
        *,
        now: Callable[[], float],
        joined: Callable[[Name, RoomName], None],
        changed: Callable[[RoomName], None],
        settle: Callable[[Name], Coroutine[Any, Any, None]],
        called: Callable[[Name], tuple[str | None, str | None]] = lambda name: (None, None),
    ) -> None:
        """``joined`` is told who joined where, ``changed`` which room has other people; ``settle`` is awaited before a
        name goes. ``called`` gives the label and the spelling of who did not join here.
        """
        self._work = work
        self._now = now
        self._joined = joined
        self._changed = changed
        self._settle = settle
        self._called = called
        self._leases: dict[Name, _Lease] = {}
        self._strangers: set[tuple[str, Name]] = set()
        """Who did not join through a server before this one: by whom each was asked for, and is not again."""
        self.others: list[Callable[[Actor, Name], bool]] = []
        """What else lets a name of an actor live: then it is not let go when its last request here is long ago."""
        self._turn = asyncio.Lock()
        self._reviving: set[asyncio.Task[None]] = set()

    # --- joining and leaving -----------------------------------------------------------

    async def join(
        self,
        actor: Actor,
        name: Name,
        room: RoomName,
        role: str = "general",
        capabilities: Sequence[str] = (),
        label: str = "",
        given: str = "",
        session_id: str | None = None,
    ) -> None:
        """Live under ``name`` in ``room``; again with the same ``session_id``: the same, refreshed.

        Raises:
            UserError: ``name-taken`` while it lives elsewhere, or for another actor or session;
                ``bad-role``, ``bad-capability``.
        """
        async with self._turn:  # two who come at once must not both find it free
            lease = self._leases.get(name)
            known = lease.joined if lease is not None and lease.joined.key == actor.key else None
            if lease is not None and lease.is_living and not _is_same(known, session_id):
                raise _taken(name)
            wanted = Joined(actor.key, (room,), role, tuple(capabilities), label, given or name, session_id)
            await self._work(lambda environment: joining.join(environment, name, wanted), actor)
            joined = replace(wanted, rooms=tuple(dict.fromkeys([*(known.rooms if known is not None else ()), room])))
            if lease is None or known is None:
                lease = self._leases[name] = _Lease(actor, joined, self._now())
            lease.joined, lease.seen, lease.is_living = joined, self._now(), True
        self._joined(name, room)
        self._changed(room)

    async def leave(self, actor: Actor, name: Name, room: RoomName | None = None) -> list[RoomName]:
        """Leave ``room``, or all that it joined through this server; those that it was in.

        Raises:
            UserError: ``name-taken`` while it lives elsewhere, or for another actor.
        """
        async with self._turn:
            lease = self._leases.get(name)
            if lease is not None and lease.is_living and lease.joined.key != actor.key:
                raise _taken(name)
            rooms = [room] if room is not None else list(lease.joined.rooms) if lease is not None else []
            await self._settle(name)
            left = await self._work(lambda environment: joining.leave(environment, name, rooms), actor)
            if lease is not None:
                staying = tuple(one for one in lease.joined.rooms if one not in rooms)
                lease.joined = replace(lease.joined, rooms=staying)
                lease.is_living = lease.is_living and bool(staying)
        for one in left:
            self._changed(one)
        return left

    # --- signs of life -----------------------------------------------------------------

    def touch(self, actor: Actor, name: Name) -> None:
        """A request came as ``name``: it lives 90 seconds more, or again, if it joined here."""
        lease = self._leases.get(name)
        if lease is None or lease.joined.key != actor.key:
            return
        lease.seen = self._now()
        if not lease.is_living and lease.joined.rooms:
            lease.is_living = True  # so that a second request begins nothing
            task = asyncio.create_task(self._revive(lease, name))
            self._reviving.add(task)
            task.add_done_callback(self._reviving.discard)

    @asynccontextmanager
    async def staying(self, actor: Actor, name: Name | None) -> AsyncIterator[None]:
        """A stream or a waiting request of ``name`` is open meanwhile: it lives, if it joined.

        Also who joined through a server that was here before this one.
        """
        if name is None:
            yield
            return
        if name not in self._leases and (actor.key, name) not in self._strangers:
            await self._remember(actor, name)
        self.touch(actor, name)
        lease = self._leases.get(name)
        if lease is None or lease.joined.key != actor.key:
            yield
            return
        lease.open += 1
        try:
            yield
        finally:
            lease.open -= 1
            lease.seen = self._now()

    async def _revive(self, lease: _Lease, name: Name) -> None:
        """Let a name live again; where somebody took it meanwhile, it is theirs."""
        joined = lease.joined
        try:
            await self._work(lambda environment: joining.join(environment, name, joined), lease.actor)
        except ChatError:
            lease.is_living = False
            return
        for room in joined.rooms:
            self._changed(room)

    async def _remember(self, actor: Actor, name: Name) -> None:
        """Take over who joined through HTTP before this server began, and did not leave."""
        joined = await self._work(lambda environment: joining.joined_before(environment, actor, name), actor)
        if joined is not None and name not in self._leases:
            self._leases[name] = lease = _Lease(actor, joined, self._now())
            lease.is_living = False
        elif joined is None:
            if len(self._strangers) >= REMEMBERED:
                self._strangers.clear()
            self._strangers.add((actor.key, name))

    # --- the end -------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Let go who gave no sign for too long."""
        now = self._now()
        for name in [name for name, lease in self._leases.items() if lease.is_over(now)]:
            await self._settle(name)
            async with self._turn:
                lease = self._leases[name]
                if lease.is_over(self._now()):
                    lease.is_living = False
                    if any(lives(lease.actor, name) for lives in self.others):
                        continue
                    with suppress(ChatError):
                        await self._work(partial(joining.release, name=name), lease.actor)
            for room in lease.joined.rooms:
                self._changed(room)
        for name in list(self._leases)[: max(0, len(self._leases) - REMEMBERED)]:
            if not self._leases[name].is_living:
                del self._leases[name]

    # --- what is known -------------------------------------------------------------------

    def living(self) -> list[Name]:
        """Who lives through this server now."""
        return [name for name, lease in self._leases.items() if lease.is_living]

    def joined(self, name: Name) -> Joined | None:
        """How ``name`` joined through this server, also after it fell silent; None when it did not."""
        lease = self._leases.get(name)
        return lease.joined if lease is not None else None

    def seen_ago(self, name: Name) -> float | None:
        """Seconds since the last request of ``name``, 0 while something of it is open; None for who did not join."""
        lease = self._leases.get(name)
        if lease is None:
            return None
        return 0.0 if lease.open else self._now() - lease.seen

    def label_of(self, name: Name) -> str:
        """What ``name`` is called outside; the name itself where nothing else was given."""
        joined = self.joined(name)
        return (joined.label if joined is not None else self._called(name)[0]) or name

    def spelled(self, name: Name) -> str:
        """``name`` as its owner spelled it."""
        joined = self.joined(name)
        return (joined.given if joined is not None else self._called(name)[1]) or name

    def lives_for(self, actor: Actor, name: Name) -> bool:
        """Whether ``name`` lives here, and is of ``actor``."""
        lease = self._leases.get(name)
        return lease is not None and lease.is_living and lease.joined.key == actor.key

    def actor_may(self, actor: Actor, name: Name) -> bool:
        """Whether ``actor`` may act as ``name``, as far as this server knows."""
        lease = self._leases.get(name)
        is_free = lease is None or not lease.is_living or lease.joined.key == actor.key
        return is_free and actor.name in (None, name) and not actor.is_guest


def _is_same(joined: Joined | None, session_id: str | None) -> bool:
    """Whether it is the same session that joins again. Who said none is followed by whom it says."""
    return joined is not None and (joined.session_id is None or joined.session_id == session_id)


def _taken(name: Name) -> UserError:
    return UserError(
        f"participant '{name}' is already active; choose a different name or remove the stale participant",
        hint=f"take another name, such as '{name[: MAX_SLUG_CHARS - 2]}-2', or come back when that session is over",
        code="name-taken",
    )
