"""Options that several commands share."""

from __future__ import annotations

import sys

import click

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
no_color = click.option("--no-color", "color", flag_value="never", help="The same as --color=never.")
no_pager = click.option("--no-pager", is_flag=True, help="Print straight to the terminal.")


def show_progress(count: int) -> None:
    """Say how far a long walk got, on a terminal only, and leave the line clean for what follows."""
    if sys.stderr.isatty():
        click.echo(f"\rcounting records: {count:,}\r", nl=False, err=True)
