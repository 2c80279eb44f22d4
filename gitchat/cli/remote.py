"""``git chat remote``."""

from __future__ import annotations

import json

import click

from gitchat.cli import terminal
from gitchat.environment import Environment
from gitchat.errors import ConflictError
from gitchat.names import RoomName, parse_room


@click.group("remote", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a room.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show which remote numbers each room, and what is pending.

    A room is attached by its first: git chat sync REMOTE
    """
    environment: Environment = context.obj
    if context.invoked_subcommand is not None:
        return
    for room in environment.store.rooms():
        authority, pending = environment.authority(room), len(environment.log(room).pending())
        if as_json:
            shown = {"room": room, "remote": authority, "pending": pending}
            click.echo(terminal.escape_json(json.dumps(shown, ensure_ascii=False)))
        else:
            waiting = f", {pending} pending" if pending else ""
            click.echo(f"{room}: {terminal.escape_line(authority) if authority else 'this clone'}{waiting}")


@command.command("detach")
@click.argument("room", metavar="ROOM")
@click.pass_obj
def detach(environment: Environment, room: str) -> None:
    """From now on this clone gives the numbers of ROOM.

    Refused while the remote has not accepted everything: those messages would get numbers that may stand for others
    there.
    """
    name: RoomName = parse_room(room)
    environment.refuse_unknown_room(name)
    authority = environment.authority(name)
    pending = len(environment.log(name).pending())
    if pending:
        raise ConflictError(
            f"{pending} messages in room '{name}' are pending at '{authority}'",
            hint=f"push them first: git chat sync {authority} --room {name}",
            code="pending",
        )
    environment.attach(name, None)
    click.echo(f"{name}: this clone")
