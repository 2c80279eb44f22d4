"""``git chat room``."""

from __future__ import annotations

import click

from gitchat.model.names import parse_room
from gitchat.workspace.environment import Environment

NAME = click.argument("name", metavar="ROOM")
AS = click.option("--as", "as_", metavar="NAME", help="Do it under this name.")


@click.group("room")
def command() -> None:
    """Open, close or title a room.

    A room also begins by itself with its first message.
    """


@command.command("open")
@NAME
@click.option("--title", metavar="TEXT", help="One line that says what the room is for.")
@AS
@click.pass_obj
def open_room(environment: Environment, name: str, title: str | None, as_: str | None) -> None:
    """Make a room, or open a closed one again."""
    _describe(environment, name, as_, title=title, state="open")


@command.command("close")
@NAME
@AS
@click.pass_obj
def close_room(environment: Environment, name: str, as_: str | None) -> None:
    """Close a room: it can be read, and nobody can write to it.

    Refused where there is no such room.
    """
    _refuse_unknown(environment, name)
    _describe(environment, name, as_, state="closed")


@command.command("title")
@NAME
@click.argument("text", nargs=-1, required=True)
@AS
@click.pass_obj
def title_room(environment: Environment, name: str, text: tuple[str, ...], as_: str | None) -> None:
    """Say what a room is for."""
    _refuse_unknown(environment, name)
    _describe(environment, name, as_, title=" ".join(text))


def _describe(
    environment: Environment, name: str, as_: str | None, *, title: str | None = None, state: str | None = None
) -> None:
    writer = environment.writer(parse_room(name))
    environment.repository.refuse_mirror()
    writer.describe(environment.caller.identity(as_), title=title, state=state)
    overview = environment.log(writer.name).overview()
    shown = f": {overview.title}" if overview.title else ""
    click.echo(f"room '{overview.name}' is {'closed' if overview.is_closed else 'open'}{shown}")


def _refuse_unknown(environment: Environment, name: str) -> None:
    environment.refuse_unknown_room(parse_room(name))
