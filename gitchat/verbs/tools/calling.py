"""A call of a tool: the room that it is about, for whom it is, and the arguments that several tools have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from gitchat.index.condition import Condition, authored_by, of_type
from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Handle, Name, RoomName, parse_locator, parse_name, parse_slug
from gitchat.verbs.room import Room
from gitchat.verbs.tools.arguments import refuse_blank, refuse_negative, refuse_outside
from gitchat.workspace.environment import Environment, current_directory, here
from gitchat.workspace.opened import AGENTS_PATIENCE_SECONDS
from gitchat.workspace.pushing import push_soon
from gitchat.workspace.seating import Seating
from gitchat.workspace.surroundings import in_client

Json = dict[str, Any]
Content = str | Json | list[Any]
Place = int | str
"""A number, or a handle such as ``~k3f9q2`` for what has no number yet."""

At = str | list[str]
"""A place in code, or several."""

MAX_LIMIT = 100

_BEYOND = 10**18
"""More than any number, and within what the index can compare."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the tools of a server, as a call tells it: a program that imports the tools is itself."""

    client: str
    """The client's short name."""
    session: str = ""
    """The session's id, where the call tells it."""
    thread: str = ""
    """The conversation of a subagent, where the call tells it."""
    project: str = ""
    """The session's directory, where the call tells it."""
    is_model: bool = False
    """Whether a model reads the answers: it is one participant, and no program that may act as anyone."""
    connection: str = ""
    """What the session is called when nothing tells one."""

    @property
    def is_subagent(self) -> bool:
        """Whether a session's subagent calls, as far as its client tells."""
        return self.thread not in ("", self.session)


_caller: ContextVar[Caller | None] = ContextVar("_caller", default=None)

_given: ContextVar[Environment | None] = ContextVar("_given", default=None)

_environments: dict[tuple[str, Caller | None], Environment] = {}

_latest: tuple[str, Caller | None, Environment] | None = None
"""Of these the one that was asked for last."""

# --- the room --------------------------------------------------------------------


def here_environment() -> Environment:
    """The surroundings that :func:`using` gives, else those of the current directory; the same again: opening costs."""
    global _latest
    given = _given.get()
    if given is not None:
        return given
    cwd, caller = current_directory(), _caller.get()
    found = _latest  # one call asks many times, and another thread meanwhile
    if found is None or found[1] is not caller or found[0] != cwd:
        if (cwd, caller) not in _environments:
            _environments[cwd, caller] = _as_called(here(cwd=cwd), caller)
        found = _latest = (cwd, caller, _environments[cwd, caller])
    return found[2]


def _as_called(environment: Environment, caller: Caller | None) -> Environment:
    """The surroundings as the session of ``caller`` has them, or a program that has none."""
    if caller is None:
        return replace(environment, acts_as_anyone=True)
    seen = in_client(environment, caller.client, caller.session, caller.thread, caller.project)
    if not seen.caller.keys:
        seen = replace(seen, variables={**seen.variables, "GITCHAT_SESSION": caller.session or caller.connection})
    return replace(
        seen,
        acts_as_anyone=not caller.is_model,
        is_subagent=caller.is_subagent,
        patience_seconds=AGENTS_PATIENCE_SECONDS,
    )


@contextmanager
def using(environment: Environment) -> Iterator[None]:
    """What is called meanwhile, in this task or thread, acts in ``environment``, wherever this process is."""
    token = _given.set(environment)
    try:
        yield
    finally:
        _given.reset(token)


@contextmanager
def staying_here() -> Iterator[None]:
    """What is called meanwhile, in this task, acts in the surroundings of now, for which it asks many times.

    Raises what :func:`here_environment` raises.
    """
    with using(here_environment()):
        yield


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """What is called meanwhile, in this task, is called by ``caller``."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


def end_sessions() -> set[RoomName]:
    """The sessions that called here are over: their seats are given back, in these rooms.

    How far they have read goes to the remotes at once, because they may go on elsewhere. Never fails.
    """
    ended: set[RoomName] = set()
    for (_, caller), environment in list(_environments.items()):
        if caller is not None and not caller.is_subagent:
            with suppress(ChatError):
                ended |= Seating(environment).end_session()
    for room in ended:
        push_soon(here_environment(), room, cursors=True)
    return ended


def forget() -> None:
    """Close what was opened for directories used so far."""
    global _latest
    for environment in _environments.values():
        with suppress(Exception):
            environment.store.backend.close()
    _environments.clear()
    _latest = None


def named(name: str | None, room: str) -> Room:
    """The room for a participant that is named, or for the seat of who calls."""
    environment = here_environment()
    given = parse_name(refuse_blank(name, "name")) if name is not None else seat()
    return Room(environment, room or None, given)


def seat() -> Name:
    """The name of who calls: that under which its session joined last, else its default name.

    Raises:
        UserError: ``no-name``, ``bad-name``, and as Repository.location.
    """
    environment = here_environment()
    held, name = environment.held(), environment.caller.name()
    if not held or name in held:
        return name
    known = environment.roll.find(name)
    if known is not None and known.holder is not None and environment.caller.acts_for(known.holder):
        return name  # taken since, by another process of the session
    return max(held)


def counts_own() -> bool:
    """Whether what one said to all is unread for oneself, too: so it is by the contract, for programs.

    A model is told of what others say.
    """
    return here_environment().acts_as_anyone


def looking(room: str) -> Room:
    """The room for somebody who only looks."""
    return Room(here_environment(), room or None)


def acting(name: str | None, room: str) -> Room:
    """As :func:`named`, for what only the participant itself may do."""
    chat = named(name, room)
    refuse_other(chat)
    return chat


def refuse_other(chat: Room) -> None:
    """Raise UserError ``name-held`` when somebody else lives under the name."""
    why_not = chat.why_not_act()
    if why_not is not None:
        raise UserError(
            f"cannot act as '{chat.me}': {why_not}",
            hint=f"use the name that this process joined under, or join as '{chat.me}' where it is free",
            public_hint="use the name that you joined under, or another that nobody lives under",
            code="name-held",
        )


# --- arguments -------------------------------------------------------------------


def check_limit(value: int, field: str) -> None:
    """Raise UserError ``bad-argument`` for a number of records that no call gives."""
    refuse_outside(value, field, 1, MAX_LIMIT, "call again for more")


def number_of(chat: Room, place: Place, field: str) -> int:
    """The number of ``place``, which need not be given yet."""
    located: int | Handle = parse_locator(place) if isinstance(place, str) else place
    if isinstance(located, str):
        number = chat.find(located).number
        return chat.overview().count if number is None else number  # what is pending stands behind every number
    refuse_negative(located, field, "0 is before the first message")
    return min(located, _BEYOND)


def conditions_of(type: str, sender: str) -> list[Condition]:  # noqa: A002 - the field's name in every face
    """What is asked for by type and sender, where they are given."""
    conditions = [of_type(parse_slug(type, "type"))] if type else []
    return conditions + ([authored_by(parse_slug(sender, "sender"))] if sender else [])


def checked_name(name: str) -> str:
    """``name`` as a participant's. Raises UserError ``bad-name``."""
    return parse_name(name.strip())
