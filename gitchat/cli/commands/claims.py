"""``git chat claims``."""

from __future__ import annotations

import sys
from collections import Counter

import click

from gitchat.cli import claims, options
from gitchat.cli.arriving import arrive
from gitchat.workspace.environment import Environment


@click.command("claims")
@click.argument("what", nargs=-1)
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object a claim.")
@click.pass_obj
def command(environment: Environment, what: tuple[str, ...], room: str | None, as_json: bool) -> None:
    """Show who has claimed what, and who waits.

    With WHAT only what is about that.

    \b
    Examples:
      git chat claims
      git chat claims src/lexer/string.py task:12
    """
    from gitchat.model.names import Name
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room))
    chosen.refuse_unknown()
    found = chosen.claims(what)
    if as_json:
        sys.stdout.writelines(map(claims.json_line, found))
        return
    if not found:
        click.echo("nobody has claimed anything here" if not what else "nobody has claimed anything of that", err=True)
        return
    seats = Counter(name for name, _ in {(one.claim.seat.name, one.claim.seat) for one in found})
    known = {one.claim.seat.name: environment.roll.find(Name(one.claim.seat.name)) for one in found}
    names = [one.claim.seat.name for one in found]
    rows = [
        claims.row(one, known[name], seats[name] > 1, environment.now()) for one, name in zip(found, names, strict=True)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]).rstrip())
