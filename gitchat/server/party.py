"""Whom one server acts for: each has a name of its own, and lives under it apart from the others.

A name is given as its agent likes to spell it, and is a slug here.
"""

from __future__ import annotations

from contextlib import suppress

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Name, parse_name, suggest_slug
from gitchat.presence.holding import Holding
from gitchat.workspace.environment import Environment
from gitchat.workspace.seating import Seating

MAX_SPELLING_CHARS = 128


def name_of(given: str) -> Name:
    """The name that an agent goes by here. Raises UserError ``bad-name``, ``reserved-name``."""
    return parse_name(suggest_slug(given) or given)


def spelling_of(given: str) -> str:
    """A name as its agent spells it, on one line of at most 128 characters: a stranger's text all the same."""
    return " ".join("".join(filter(lambda one: one.isprintable() or one.isspace(), given)).split())[:MAX_SPELLING_CHARS]


def slug_of(given: str, what: str, example: str) -> str:
    """The slug of a topic, a channel or a group. Raises UserError ``bad-name``."""
    slug = suggest_slug(given)
    if slug is None:
        raise UserError(
            f"a {what} cannot be called {given[:80]!r}", hint=f"use letters and digits: {example}", code="bad-name"
        )
    return slug


def host_of(environment: Environment, name: str) -> str:
    """The host that a name was taken on last; of who never took one, ours."""
    presence = environment.roll.find(Name(name))
    holder = presence.holder if presence is not None else None
    return holder.host if holder is not None else environment.caller.holder().host


def begin(environment: Environment, name: Name) -> Environment:
    """The surroundings of one more party, which acts as ``name`` and holds nothing yet.

    ``environment`` is that of the connection: its address is the author's of what the party writes.
    """
    client = environment.party.client if environment.party else environment.caller.client
    return environment.holding(
        Holding(),
        client=client or "mcp",
        session=environment.new_uid(),
        name=name,
        email=environment.party.email if environment.party else None,
        acts_as_anyone=False,
    )


def end(environment: Environment) -> None:
    """Give back the party's seats and its name. Never fails."""
    with suppress(ChatError):
        Seating(environment).end_session()
    if environment.party is not None:
        environment.party.holding.release()
