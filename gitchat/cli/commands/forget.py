"""``git chat forget``."""

from __future__ import annotations

import click

from gitchat.cli import terminal
from gitchat.model.names import parse_room
from gitchat.workspace.environment import Environment


@click.command("forget")
@click.argument("name")
@click.option("--room", metavar="ROOM", help="In this room alone.  [default: in all]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(environment: Environment, name: str, room: str | None, as_json: bool) -> None:
    """Give back what NAME left: its positions, seats and refs.

    What NAME said stays. The remote drops its positions, too, now or with the next sync that hears it.
    Refused while a process goes by NAME, and to an agent for any name but its own. If NAME comes again it begins
    anew: an agent with what came after the newest summary, a person with everything. (To forget a room: git chat
    room forget.)

    \b
    Examples:
      git chat forget codex-7
      git chat forget codex-7 --room review
    """
    from gitchat.verbs.forgetting import forget  # brings SQLite

    done = forget(environment, name, parse_room(room) if room is not None else None)
    if as_json:
        shown = {
            "name": done.name,
            "cursors": done.cursors,
            "seats": done.seats,
            "waiting": done.waiting,
            "unheard": done.unheard,
            "alarms": list(done.alarms),
        }
        click.echo(terminal.json_text(shown))
        return
    for alarm in done.alarms:
        click.echo(f"warning: {terminal.escape_line(alarm)}", err=True)
    where = f"in room '{room}'" if room is not None else "here"
    parts = [_count(done.cursors, "position"), *([_count(done.seats, "seat")] if done.seats else [])]
    if done.cursors or done.seats or done.was_known:
        click.echo(f"{done.name} is forgotten {where}: {', '.join(parts)}; what it said stays")
    else:
        click.echo(f"nothing is left of {done.name} {where} but what it said")
    for remote, rooms in done.waiting.items():
        why = terminal.escape_line(done.unheard.get(remote) or "it was moved meanwhile")
        there, count = terminal.escape_line(remote), _count(len(rooms), "position")
        click.echo(f"'{there}' has still to drop {count} ({why}): git chat sync {there}", err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
