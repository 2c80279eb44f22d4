"""``git chat redact``."""

from __future__ import annotations

import click

from gitchat.cli import options, terminal
from gitchat.cli.naming import may_speak
from gitchat.workspace.environment import Environment


@click.command("redact")
@click.argument("numbers", metavar="N", nargs=-1, required=True)
@options.room
@click.option("--as", "as_", metavar="NAME", help="Do it under this name, which is shown.")
@click.pass_obj
def command(environment: Environment, numbers: tuple[str, ...], room: str | None, as_: str | None) -> None:
    """Hide messages in every view. Their bytes stay in git: rotate a secret first, then git chat purge.

    What N says and what is attached to it is shown nowhere any more, but "(redacted by NAME)" in its place, in every
    clone that has heard of it. Anybody can do that to any message, and it says who did. No number changes.

    \b
    Examples:
      git chat redact 12
      git chat redact 12 15 --room review
    """
    from gitchat.verbs.room import Room  # brings SQLite

    chat = Room(environment, room, may_speak(environment, as_))
    for number in numbers:
        entry = chat.redact(number)
        by = terminal.escape_line(entry.record.hidden or "")
        click.echo(f"{entry.label} of {terminal.escape_name(entry.record.author)} is {by}; its bytes stay in git")
