"""``git chat rooms``."""

from __future__ import annotations

import sys

import click

from gitchat import as_json as forms
from gitchat.cli import dates, options, terminal
from gitchat.environment import Environment
from gitchat.log import Overview


@click.command("rooms")
@click.option("--status", type=click.Choice(["open", "closed", "all"]), default="all", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.color
@options.no_color
@click.pass_obj
def command(environment: Environment, status: str, as_json: bool, color: str | None) -> None:
    """List the rooms here, the most recently active first."""
    rooms = [environment.log(name).overview() for name in environment.store.rooms()]
    rooms.sort(key=lambda room: (-(room.active_seconds or 0), room.name))
    shown = [room for room in rooms if status in ("all", _state(room))]
    if as_json:
        for room in shown:
            click.echo(terminal.json_text(forms.of_overview(room)))
        return
    if not shown and sys.stderr.isatty():
        click.echo('No rooms. The first message makes one: git chat send "hello"', err=True)
    screen = terminal.screen_for(environment, color)
    now = environment.now().seconds
    width = max((len(room.name) for room in shown), default=0)
    for room in shown:
        active = dates.relative(now - room.active_seconds) if room.active_seconds is not None else "never"
        state = screen.style("  (closed)", fg="red") if room.is_closed else ""
        title = f"  {terminal.escape_line(room.title)}" if room.title else ""
        number = screen.style(f"#{room.count}", fg="yellow")
        click.echo(screen.clip(f"{room.name:<{width}}  {number}  {active}{state}{title}"), color=True)


def _state(room: Overview) -> str:
    return "closed" if room.is_closed else "open"
