"""``git chat show``."""

from __future__ import annotations

import sys

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.render import Renderer, json_line
from gitchat.environment import Environment
from gitchat.names import parse_locator


@click.command("show")
@click.argument("number", nargs=-1, required=True)
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--body", "only_body", is_flag=True, help="Only the text, byte for byte (not escaped).")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment,
    number: tuple[str, ...],
    room: str | None,
    as_json: bool,
    only_body: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show messages with everything that is known about them.

    NUMBER is 12, '#12', or a handle such as ~k3f9q2.
    """
    chat = environment.log(environment.room_name(room))
    if as_json and only_body:
        raise click.UsageError("--json and --body exclude each other")
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "default"
    entries = [chat.find(parse_locator(text)) for text in number]
    labels = chat.labels(entries)
    if as_json:
        sys.stdout.writelines(json_line(entry, labels) for entry in entries)
        return
    if only_body:
        for entry in entries:
            sys.stdout.buffer.write(entry.record.body.encode("utf-8", "replace"))
        return
    screen = terminal.screen_for(environment, color)
    renderer = Renderer(screen, style, environment.now())
    text = "\n".join(renderer.whole(entry, labels) for entry in entries)
    if no_pager:
        sys.stdout.write(text)
    else:
        terminal.page(environment, screen, [text])
