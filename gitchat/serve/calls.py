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
from gitchat.model.names import Handle, Name, RoomName, parse_locator, parse_name
from gitchat.serve.actor import Actor
from gitchat.serve.answers import answer, json_object
from gitchat.serve.contract import ROOT, Operation
from gitchat.serve.fields import check
from gitchat.serve.hub import Hub
from gitchat.serve.served import Served
from gitchat.verbs.room import Room
from gitchat.verbs.tools.calling import refuse_other
from gitchat.workspace.environment import Environment

Json = dict[str, Any]
T = TypeVar("T")

DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked against its table."""

    hub: Hub
    actor: Actor
    given: Mapping[str, Any]
    """The values of its fields, by their names; those that were not given are missing."""
    default_room: RoomName | None
    """The room of a request that names none; None is the clone's."""
    is_gone: Callable[[], Awaitable[None]]
    """Ends when who asked has gone."""

    @property
    def limit(self) -> int:
        """How many records are asked for."""
        return int(self.given.get("limit", DEFAULT_LIMIT))

    # --- who --------------------------------------------------------------------------

    def acting(self, field: str = "as") -> Name | None:
        """The name that is acted under; None is the person whose clone this is, at the page.

        Raises:
            UserError: ``guest``, ``not-your-name``, ``name-held``, ``bad-name``, ``bad-argument`` without any.
        """
        name = self.reader(field)
        if self.actor.is_guest:
            raise UserError(
                "guests only read", hint="ask who runs the server for a token: git chat token add NAME", code="guest"
            )
        if name is None and not self.actor.is_person:
            raise UserError(
                f"{field} is missing, and the credentials are of no name",
                hint=f"give {field}: the name to act under",
                code="bad-argument",
            )
        if name is not None and not self.hub.holdings.actor_may(self.actor, name):
            raise UserError(
                f"'{name}' lives here for somebody else",
                hint="take another name, or use the token that this one joined with",
                code="name-held",
            )
        return name

    def reader(self, field: str = "as") -> Name | None:
        """The name that is read for; None for nobody in particular.

        Raises:
            UserError: ``guest``, ``not-your-name``, ``bad-name``.
        """
        given = self.given.get(field)
        if given is None:
            return self.actor.name
        name = parse_name(given)
        if self.actor.is_guest:
            raise UserError("guests read for nobody", hint=f"leave out {field}", code="guest")
        if self.actor.name not in (None, name):
            raise UserError(
                f"this token acts only as '{self.actor.name}'",
                hint=f"give {field} as '{self.actor.name}', or ask for a token of '{name}'",
                code="not-your-name",
            )
        return name

    # --- where ------------------------------------------------------------------------

    def chat(self, environment: Environment, name: Name | None = None, *, may_begin: bool = False) -> Room:
        """The room that is asked about, for ``name``; one that is not there yet where it ``may_begin``.

        Raises:
            UserError: ``no-such-room``, ``bad-name``.
        """
        chat = Room(environment, self.given.get("room") or self.default_room, name)
        if not self.actor.sees(chat.name):
            raise unknown_room(chat.name)
        if may_begin:
            return chat
        try:
            chat.refuse_unknown()
        except UserError as error:  # its hint has the names of all rooms
            raise unknown_room(chat.name) from error
        return chat

    def writing(self, environment: Environment, name: Name | None, *, may_begin: bool = False) -> Room:
        """As :meth:`chat`, to act in it. Raises UserError ``name-held`` while somebody else lives under the name."""
        chat = self.chat(environment, name, may_begin=may_begin)
        refuse_other(chat)
        return chat

    async def do(self, act: Callable[[Environment], T], name: Name | None = None) -> T:
        """What ``act`` gives, in the repository's own thread; a sign of life of ``name`` where that is the actor's."""
        is_own = name is not None and self.hub.holdings.actor_may(self.actor, name)
        return await self.hub.call(act, self.actor, name if is_own else None)


def unknown_room(name: RoomName) -> UserError:
    """There is no such room, or none that the credentials are for: nobody can tell which."""
    return UserError(
        f"there is no room '{name}' here",
        hint=f"GET {ROOT}/rooms lists those that are; PUT {ROOT}/rooms/{name} begins it",
        code="no-such-room",
    )


def place_of(value: int | str) -> int | Handle:
    """The number or handle that ``value`` is. Raises UserError ``bad-number``."""
    return parse_locator(value) if isinstance(value, str) else value


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
        call = Call(
            served.hub_of(request), served.actor_of(request), check(carried, operation.fields), served.settings.room,
            lambda: _gone(request),
        )  # fmt: skip
        answered = await acts[operation.act](call)
        return answered if isinstance(answered, Response) else answer(answered)

    return endpoint


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
