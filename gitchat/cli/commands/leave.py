"""``git chat leave``."""

from __future__ import annotations

import json

import click

from gitchat.cli import options
from gitchat.workspace.environment import Environment


@click.command("leave")
@click.argument("name", required=False)
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(environment: Environment, name: str | None, room: str | None, as_json: bool) -> None:
    """Leave a room: you, or NAME.

    The room is told. Messages and what was read stay. To come back: git chat join.

    \b
    Examples:
      git chat leave
      git chat leave codex --room release
    """
    from gitchat.verbs.room import Room

    chosen = Room(environment, room, name)
    chosen.refuse_unknown()
    has_left = chosen.leave()
    if as_json:
        click.echo(json.dumps({"left": has_left}))
    elif has_left:
        click.echo(f"{chosen.me} left room '{chosen.name}'")
    else:
        click.echo(f"nothing changed: {chosen.me} was not in room '{chosen.name}'")
        if name is not None and room is None and str(chosen.me) in environment.store.rooms():
            click.echo(f"'{chosen.me}' is a room: git chat leave --room {chosen.me}", err=True)
