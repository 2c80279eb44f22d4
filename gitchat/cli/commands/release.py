"""``git chat release``."""

from __future__ import annotations

import click

from gitchat.cli import options
from gitchat.cli.arriving import arrive
from gitchat.cli.naming import may_speak
from gitchat.cli.terminal import escape_line
from gitchat.workspace.environment import Environment


@click.command("release")
@click.argument("what", required=False)
@options.room
@click.option("--as", "as_", metavar="NAME", help="Give back what NAME has.")
@click.pass_obj
def command(environment: Environment, what: str | None, room: str | None, as_: str | None) -> None:
    """Give back what you claimed.

    WHAT is a thing, or the number or handle of a claim; without it all of your claims end. Who waited for it has it
    then, and is told.

    \b
    Examples:
      git chat release
      git chat release src/lexer/
      git chat release 41
    """
    from gitchat.verbs.claimwords import listed
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room), may_speak(environment, as_))
    for claim in chosen.release(what):
        click.echo(f"given back: {escape_line(listed(claim.whats))} ({claim.entry.label})")
