"""Options that several commands share."""

from __future__ import annotations

import sys
import time

import click

from gitchat.model.names import RoomName
from gitchat.workspace.environment import Environment

room = click.option("--room", metavar="ROOM", help="The room.  [default: chat.room, else lobby]")
date = click.option(
    "--date", "date_style", metavar="STYLE", help="As git log's: relative, iso, short, human, format:%H:%M, ..."
)
color = click.option(
    "--color",
    type=click.Choice(["always", "auto", "never"]),
    is_flag=False,
    flag_value="always",
    help="Colour the output.  [default: color.ui, else auto]",
)
no_color = click.option(
    "--no-color",
    is_flag=True,
    expose_value=False,
    # Not a second option for the same value: click would then take the default of one for that of both.
    callback=lambda context, _, is_given: context.params.update(color="never") if is_given else None,
    help="The same as --color=never.",
)
allow_secret = click.option(
    "--allow-secret", is_flag=True, help="Write it though it looks like a secret: you are a person, and it is none."
)
no_pager = click.option("--no-pager", is_flag=True, help="Print straight to the terminal.")


def in_room(environment: Environment, name: RoomName) -> str:
    """The option that chooses the room ``name`` in a command that one could type, with a blank before it."""
    return "" if name == environment.room_name(None) else f" --room {name}"


class ShowProgress:
    """Says how far a walk got that takes over a second, on a terminal only, and clears the line after it."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._is_shown = False

    def __call__(self, task: str, count: int | None) -> None:
        if count is None and self._is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)
        elif count is not None and time.monotonic() - self._begin > 1.0 and sys.stderr.isatty():
            self._is_shown = True
            click.echo(f"\r{task} messages: {count:,}", nl=False, err=True)
