"""Under which name is spoken: what may be chosen, and saying once which it is where ``user.name`` gives none."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.cli.terminal import escape_line
from gitchat.model.errors import ChatError
from gitchat.model.names import parse_name
from gitchat.workspace.environment import Environment
from gitchat.workspace.naming import Given


def tell_of_name(environment: Environment) -> None:
    """Say it on standard error, once in a clone for each ``user.name``. Never fails."""
    with suppress(ChatError):
        given = environment.caller.passed_over()
        if given is not None and _is_news(environment, given):
            click.echo(escape_line(words(given)), err=True)


def may_speak(environment: Environment, as_: str | None) -> str | None:
    """``as_``, where it may be spoken under now; None is our own name, which always may.

    Raises:
        UserError: ``bad-name``, ``reserved-name``.
        ConflictError: ``name-held`` while somebody else lives under it.
    """
    if as_ is not None:
        from gitchat.workspace.speaking import refuse_elsewhere  # for who chooses

        refuse_elsewhere(environment.caller, parse_name(as_))
    return as_


def words(given: Given) -> str:
    """Which name did not do, and why; which one is used, and how another is chosen."""
    return (
        f"git's user.name {given.passed_over!r} has nothing that a name here is made of (a-z, 0-9), so you are "
        f"'{given.name}', as in your address; to choose another: git config chat.name NAME"
    )


def _is_news(environment: Environment, given: Given) -> bool:
    from urllib.parse import quote  # for who has such a name

    from gitchat.presence.defaults import Defaults

    defaults = Defaults(environment.repository.directory)
    whose = ("user.name", quote(given.passed_over or "", safe=""))
    if given.name in defaults.given(*whose):
        return False
    defaults.note(given.name, *whose)
    return True
