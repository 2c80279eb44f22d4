"""``git chat unsend``."""

from __future__ import annotations

import click

from gitchat.cli import options, terminal
from gitchat.cli.naming import may_speak
from gitchat.workspace.environment import Environment

SHOWN_CHARS = 60


@click.command("unsend")
@click.argument("handles", metavar="HANDLE", nargs=-1, required=True)
@options.room
@click.option("--as", "as_", metavar="NAME", help="Do it under this name.")
@click.pass_obj
def command(environment: Environment, handles: tuple[str, ...], room: str | None, as_: str | None) -> None:
    """Take messages back that the remote has not taken yet.

    HANDLE is what send printed, such as ~k3f9q2. What comes after a message stays as it is. A message that
    has a number stays: others have it. A person takes back whatever was said in this clone, an agent its own.

    A push that is under way is waited for, 10 seconds at most. What the message was stays in git's store,
    where no room shows it, until git prunes it.

    \b
    Examples:
      git chat unsend ~k3f9q2
      git chat unsend --room review ~k3f9q2 ~7q2m0x
    """
    from gitchat.verbs.room import Room  # brings SQLite

    chat = Room(environment, room, may_speak(environment, as_))
    for handle in handles:
        unsent = chat.unsend(handle)
        said = " ".join(terminal.escape_line(unsent.entry.record.body).split())
        shown = said if len(said) <= SHOWN_CHARS else said[: SHOWN_CHARS - 1] + "…"
        click.echo(f"{unsent.entry.handle} is taken back: {terminal.escape_name(unsent.entry.record.author)}: {shown}")
        if unsent.unheard is not None:
            click.echo(
                f"note: {terminal.escape_line(unsent.unheard)}; if an earlier push came there, it comes back with a "
                "number",
                err=True,
            )
