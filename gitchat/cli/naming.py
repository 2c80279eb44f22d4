"""Saying once under which name a person speaks, where git's ``user.name`` gives none."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.cli.terminal import escape_line
from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment
from gitchat.workspace.naming import Given


def tell_of_name(environment: Environment) -> None:
    """Say it on standard error, once in a clone for each ``user.name``. Never fails."""
    with suppress(ChatError):
        given = environment.caller.passed_over()
        if given is not None and _is_news(environment, given):
            click.echo(escape_line(words(given)), err=True)


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
