"""``git chat rooms``."""

from __future__ import annotations

import sys

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive_anywhere
from gitchat.model.errors import FormatError
from gitchat.model.names import RoomName
from gitchat.quick.ago import relative
from gitchat.rooms.log import Overview
from gitchat.verbs import as_json as forms
from gitchat.workspace.environment import Environment


@click.command("rooms")
@click.option("--status", type=click.Choice(["open", "closed", "all"]), default="all", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.color
@options.no_color
@click.pass_obj
def command(environment: Environment, status: str, as_json: bool, color: str | None) -> None:
    """List the rooms here, the most recently active first.

    Rooms that cannot be read come last, whatever the status, and the exit status is 4.
    """
    arrive_anywhere(environment)
    rooms, unreadable = _looked_at(environment)
    rooms.sort(key=lambda room: (-(room.active_seconds or 0), room.name))
    shown = [room for room in rooms if status in ("all", _state(room))]
    if as_json:
        for form in [*map(forms.of_overview, shown), *(forms.of_unreadable(*one) for one in unreadable.items())]:
            click.echo(terminal.json_text(form))
    else:
        _print(environment, terminal.screen_for(environment, color), shown, unreadable)
    for error in unreadable.values():
        raise error


def _looked_at(environment: Environment) -> tuple[list[Overview], dict[RoomName, FormatError]]:
    """The rooms that can be read, and what is wrong with the others; both sorted by name."""
    from gitchat.rooms.recovery import damaged_rooms

    readable, unreadable = [], {}
    for name in sorted({*environment.store.rooms(), *damaged_rooms(environment.store)}):
        try:
            readable.append(environment.log(name).overview())
        except FormatError as error:
            unreadable[name] = error
    return readable, unreadable


def _print(
    environment: Environment,
    screen: terminal.Screen,
    shown: list[Overview],
    unreadable: dict[RoomName, FormatError],
) -> None:
    if not shown and not unreadable and sys.stderr.isatty():
        click.echo('No rooms. The first message makes one: git chat send "hello"', err=True)
    now = environment.now().seconds
    width = max((len(name) for name in [*(room.name for room in shown), *unreadable]), default=0)
    for room in shown:
        active = relative(now - room.active_seconds) if room.active_seconds is not None else "never"
        state = screen.style("  (closed)", fg="red") if room.is_closed else ""
        title = f"  {terminal.escape_line(room.title)}" if room.title else ""
        number = screen.style(f"#{room.count}", fg="yellow")
        click.echo(screen.clip(f"{room.name:<{width}}  {number}  {active}{state}{title}"), color=True)
    for name, error in unreadable.items():
        mark = screen.style("unreadable:", fg="red")
        click.echo(screen.clip(f"{name:<{width}}  {mark} {terminal.escape_line(str(error))}"), color=True)


def _state(room: Overview) -> str:
    return "closed" if room.is_closed else "open"
