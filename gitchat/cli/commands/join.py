"""``git chat join``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.program import PROGRAM, WithProgram, run
from gitchat.model.errors import FormatError
from gitchat.model.names import MAX_SLUG_CHARS, Name
from gitchat.verbs import people_json
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import in_session

if TYPE_CHECKING:
    from gitchat.verbs.room import Room


@click.command("join", cls=WithProgram)
@click.argument("name", required=False)
@click.option("--role", metavar="ROLE", default="general", show_default=True, help="What you are for, such as review.")
@click.option("--can", "capabilities", multiple=True, metavar="CAPABILITY", help="What you can do. Repeatable.")
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(
    context: click.Context,
    name: str | None,
    role: str,
    capabilities: tuple[str, ...],
    room: str | None,
    as_json: bool,
) -> None:
    """Join a room, under your name or NAME.

    You are registered until you leave, and role:ROLE reaches you. With a COMMAND you are
    living instead: nobody else can take the name until COMMAND ends, which finds it in
    GITCHAT_NAME. The exit status is that of COMMAND.

    \b
    Examples:
      git chat join
      git chat join codex --role review --can python
      git chat join codex -- ./agent.sh
    """
    from gitchat.verbs.room import Room

    environment: Environment = context.obj
    program: list[str] | None = context.meta[PROGRAM]
    chosen = Room(environment, arrive(environment, room), name)
    chosen.refuse_unknown()
    if program is not None:
        if not program or as_json:
            raise click.UsageError(
                "--json says who joined, not what COMMAND does" if as_json else "no COMMAND after --"
            )
        context.exit(_live(environment, room, chosen.me, role, capabilities, program))
    participant = chosen.register(role, capabilities)
    if as_json:
        click.echo(terminal.escape_json(json.dumps(people_json.of_presence(participant), ensure_ascii=False)))
        return
    said = f"{chosen.me} joined room '{chosen.name}'{_as_role(role)} (registered, not living)"
    click.echo(terminal.escape_line(said))
    _tell_of_another(chosen)
    if name is not None and room is None and str(chosen.me) in environment.store.rooms():
        click.echo(
            f"'{chosen.me}' is a room, and is a name now, too: git chat leave {chosen.me}; to come into the room: "
            f"git chat join --room {chosen.me}",
            err=True,
        )


def _as_role(role: str) -> str:
    return f" as {role}" if role.strip() else ""


def _live(
    environment: Environment,
    room: str | None,
    name: Name,
    role: str,
    capabilities: Sequence[str],
    program: list[str],
) -> int:
    """Hold ``name`` while ``program`` runs, and return its exit status.

    The kernel frees the name when this process ends, however it ends: the lock is not handed on.
    """
    from gitchat.verbs.room import Room

    session = in_session(environment, environment.new_uid(), name)
    living = Room(session, room, name)
    living.join(role, capabilities)
    said = f"{name} joined room '{living.name}'{_as_role(role)} (living while {program[0]} runs)"
    click.echo(terminal.escape_line(said), err=True)
    _tell_of_another(living)
    return run(program, session.cwd, session.variables)


def _tell_of_another(room: Room) -> None:
    """A name that is asked for is given, also when an agent in another clone speaks under it."""
    with suppress(FormatError):
        if room.is_elsewhere():
            said = f"{room.me} speaks in another clone, too; what is for {room.me} reaches both"
            click.echo(f"{said}; to be told apart: git chat join {room.me[: MAX_SLUG_CHARS - 2]}-2", err=True)
