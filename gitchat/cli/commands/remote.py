"""``git chat remote``."""

from __future__ import annotations

from typing import Any

import click

from gitchat.cli import dates, syncing, terminal
from gitchat.model.errors import ConflictError
from gitchat.model.names import RoomName, parse_room
from gitchat.workspace.environment import Environment


@click.group("remote", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a room.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show which remote numbers each room, and what is pending.

    \b
    Examples:
      git chat remote
      git chat remote attach lobby origin
      git chat remote detach lobby
    """
    environment: Environment = context.obj
    if context.invoked_subcommand is not None:
        return
    for room in environment.store.rooms():
        _show(environment, room, as_json)


def _show(environment: Environment, room: RoomName, as_json: bool) -> None:
    authority, pending = environment.authorities.of(room), environment.log(room).pending()
    since = environment.store.read(pending[0]).author.moment if pending else None
    if as_json:
        shown: dict[str, Any] = {"room": room, "remote": authority, "pending": len(pending)}
        click.echo(terminal.json_text(shown | ({"pending_since": since.utc} if since else {})))
        return
    ago = dates.relative(environment.now().seconds - since.seconds) if since else ""
    waiting = f", {len(pending)} pending, the oldest from {ago}" if since else ""
    click.echo(f"{room}: {terminal.escape_line(authority) if authority else 'this clone'}{waiting}")


@command.command("attach")
@click.argument("room", metavar="ROOM")
@syncing.remote
@syncing.yes
@syncing.as_json
@click.pass_obj
def attach(environment: Environment, room: str, remote: str | None, has_consent: bool, as_json: bool) -> None:
    """From now on REMOTE gives the numbers of ROOM.

    The same as git chat sync REMOTE --room ROOM: what is here is pushed, what is there is fetched.
    """
    syncing.bring_together(
        environment,
        environment.repository.remote_name(remote),
        room,
        has_consent=has_consent,
        pushes=True,
        as_json=as_json,
    )


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
    authority = environment.authorities.of(name)
    with environment.store.writing():  # or a message that is sent now would be pending nowhere
        pending = len(environment.log(name).pending())
        if not pending:
            environment.authorities.set(name, None)
    if pending:
        raise ConflictError(
            f"{pending} message{'s' if pending > 1 else ''} in room '{name}' "
            f"{'are' if pending > 1 else 'is'} pending at '{authority}'",
            hint=f"push first: git chat sync {authority} --room {name}",
            code="pending",
        )
    click.echo(f"{name}: this clone")
