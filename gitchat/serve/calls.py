"""A request of the contract: routed and checked by its table, and answered by a function of a face.

What several of those functions ask stands here: who acts, in which room, and what they may know of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName, parse_name
from gitchat.model.record import Entry
from gitchat.serve.acting import as_name, refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.answers import answer, json_object
from gitchat.serve.contract import ROOT, Operation
from gitchat.serve.entering import enter, enter_to_act
from gitchat.serve.fields import check
from gitchat.serve.hub import Hub
from gitchat.serve.served import Served
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

Json = dict[str, Any]
T = TypeVar("T")

DEFAULT_LIMIT = 50

WROTE = "gitchat.wrote"
"""Where the scope of a request has the room and number of what it wrote."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked against its table."""

    served: Served
    hub: Hub
    actor: Actor
    given: Mapping[str, Any]
    """The values of its fields, by their names; those that were not given are missing."""
    request: Request

    @property
    def limit(self) -> int:
        """How many records are asked for."""
        return int(self.given.get("limit", DEFAULT_LIMIT))

    # --- who --------------------------------------------------------------------------

    def acting(self, field: str = "as") -> Name:
        """The name that is acted under; one request of its share is spent.

        Raises:
            UserError: ``guest``, ``not-your-name``, ``no-name``, ``name-held``, ``bad-name``, ``rate-limited``.
        """
        given = self.given.get(field)
        name = as_name(self.actor, parse_name(given) if given is not None else None)
        self.served.rates.spend(name)
        if not self.hub.holdings.actor_may(self.actor, name):
            raise UserError(
                f"'{name}' lives here for somebody else",
                hint="take another name, or use the credentials that this one joined with",
                code="name-held",
            )
        return name

    def reader(self, field: str = "as") -> Name | None:
        """The name that is read for; None for nobody in particular.

        Raises:
            UserError: ``guest``, ``not-your-name``, ``bad-name``.
        """
        given = self.given.get(field)
        return as_name(self.actor, parse_name(given)) if given is not None else self.actor.name

    # --- where ------------------------------------------------------------------------

    def chat(self, environment: Environment, name: Name | None = None) -> Room:
        """The room that is asked about, for ``name``. Raises UserError ``no-such-room``, ``bad-name``."""
        return enter(environment, self.actor, self._room, name)

    def writing(self, environment: Environment, name: Name, *, may_begin: bool = False) -> Room:
        """As :meth:`chat`, to act in it; one that is not there yet where it ``may_begin``.

        Raises UserError ``name-held`` while somebody else lives under the name.
        """
        return enter_to_act(environment, self.actor, self._room, name, may_begin=may_begin)

    @property
    def _room(self) -> str | None:
        return self.given.get("room") or self.served.settings.room

    async def room(self, name: Name | None) -> RoomName:
        """The name of the room that is asked about, for ``name``, without a reading where it is known here.

        Raises UserError ``no-such-room``, ``bad-name``.
        """
        known = self.hub.recent.room(self._room)
        if known is None:
            return await self.do(lambda environment: self.chat(environment, name).name)
        refuse_unseen(self.actor, known)
        return known

    def touch(self, name: Name | None) -> None:
        """The request is a sign of life of ``name``, where that is the actor's."""
        if name is not None and self.hub.holdings.actor_may(self.actor, name):
            self.hub.holdings.touch(self.actor, name)

    async def do(self, act: Callable[[Environment], T], name: Name | None = None) -> T:
        """What ``act`` gives, in the repository's own thread; a sign of life of ``name`` where that is the actor's."""
        is_own = name is not None and self.hub.holdings.actor_may(self.actor, name)
        return await self.hub.call(act, self.actor, name if is_own else None)

    def wrote(self, entry: Entry) -> None:
        """Note for the audit which record has come of the request."""
        self.request.scope[WROTE] = (entry.room, entry.number)

    async def when_gone(self, act: Callable[[], None]) -> None:
        """Do ``act`` when who asked has gone."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass
        act()


# --- routing ----------------------------------------------------------------------------

Act = Callable[[Call], Awaitable[Json | Response]]


def routes_of(served: Served, operations: Iterable[Operation], acts: Mapping[str, Act]) -> list[BaseRoute]:
    """A route for each path of ``operations``, so that a wrong method is told all that are right."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [
        Route(ROOT + path, _endpoint(served, of_method, acts), methods=list(of_method))
        for path, of_method in by_path.items()
    ]


def _endpoint(
    served: Served, of_method: Mapping[str, Operation], acts: Mapping[str, Act]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        operation = of_method["GET" if request.method == "HEAD" else request.method]
        carried = {**request.query_params, **request.path_params}
        if operation.has_body:
            carried = {**await json_object(request), **request.path_params}
        given = check(carried, operation.fields)
        call = Call(served, served.hub_of(request), served.actor_of(request), given, request)
        answered = await acts[operation.act](call)
        return answered if isinstance(answered, Response) else answer(answered)

    return endpoint
