"""``git chat run``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.program import run_started
from gitchat.model.errors import ChatError
from gitchat.model.names import parse_recipients
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.storage.relay import Relay
    from gitchat.verbs.resulting import Ground
    from gitchat.verbs.room import Room


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("program", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-t", "--to", "to", multiple=True, metavar="WHO", help="Whom the result is for. Repeatable.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Tell it under this name.")
@click.option("-q", "--quiet", is_flag=True, help="Do not print the number of what was told.")
@click.pass_context
def command(
    context: click.Context,
    program: tuple[str, ...],
    to: tuple[str, ...],
    room: str | None,
    as_: str | None,
    quiet: bool,
) -> None:
    """Run COMMAND, and tell the room what it gave.

    Its input, output, signals and exit status are passed on. A status of type result tells whether it passed, on which
    commit, whether the worktree was clean, and when it failed its last lines. It is unread for those whom --to names;
    without any, for whoever made the commit, when that is in chat.base and nothing else was changed.

    Options stand before COMMAND; what follows it is its own. Where the room cannot be written, that is said on standard
    error, and the exit status is COMMAND's all the same.

    \b
    Examples:
      git chat run make test
      git chat run --to role:release -- ./release.sh 1.2
      git chat log --type result
    """
    from gitchat.storage import relay as relays  # for who runs something

    environment: Environment = context.obj
    recipients = parse_recipients(to)
    chosen, on = _begin(environment, room, as_)
    started: list[Relay] = []

    def start() -> Relay:
        started.append(relays.Relay(program, cwd=environment.cwd, variables=environment.variables))
        return started[0]

    begin = time.monotonic()
    status = run_started(program[0], start)
    if chosen is not None and on is not None:
        seconds = time.monotonic() - begin
        try:
            _tell(chosen, on, program, started[0], seconds=seconds, to=recipients, is_quiet=quiet)
        except (ChatError, OSError) as error:
            _excuse(error)
    context.exit(status)


def _begin(environment: Environment, room: str | None, as_: str | None) -> tuple[Room | None, Ground | None]:
    """The room, and what the command runs on; nothing where there is none: COMMAND runs all the same."""
    from gitchat.cli.naming import may_speak
    from gitchat.verbs.resulting import ground
    from gitchat.verbs.room import Room

    try:
        chosen = Room(environment, arrive(environment, room), may_speak(environment, as_))
        environment.repository.refuse_mirror()
        return chosen, ground(chosen)
    except (ChatError, OSError) as error:
        _excuse(error)
        return None, None


def _tell(
    room: Room,
    on: Ground,
    program: tuple[str, ...],
    relay: Relay,
    *,
    seconds: float,
    to: tuple[str, ...],
    is_quiet: bool,
) -> None:
    from gitchat.cli.delivering import hand_on, push_now
    from gitchat.verbs.resulting import tell_result
    from gitchat.workspace.pushing import stays

    entry = tell_result(room, on, program, relay.status, seconds=seconds, output=relay.kept, to=to)
    if entry.number is None and not stays(room.environment):
        entry = push_now(room.environment, room.name, entry)
    elif entry.number is None:
        hand_on(room.environment, room.name, is_quiet=True)
    if not is_quiet:
        for_whom = f" for {', '.join(entry.record.to)}" if entry.record.to else ""
        first = terminal.escape_line(entry.record.body.partition("\n")[0])
        click.echo(f"{entry.label}{for_whom}: {first}", err=True)


def _excuse(error: ChatError | OSError) -> None:
    words = terminal.escape_line(str(error))
    click.echo(f"the room is not told of the result: {words}", err=True)
    if isinstance(error, ChatError):
        click.echo(f"hint: {terminal.escape_line(error.hint)}", err=True)
