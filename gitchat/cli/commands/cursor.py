"""``git chat cursor``."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, reading, terminal
from gitchat.model.names import parse_locator, parse_name
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from gitchat.verbs.room import HowFar

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


class _ShowsByDefault(click.Group):
    """``git chat cursor`` and ``git chat cursor alice`` show."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_named = args[:1] and args[0] in (*self.commands, "-h", "--help")
        is_open = not args and ctx.resilient_parsing  # Tab: what comes may be the name of a command
        return super().parse_args(ctx, args if is_named or is_open else ["show", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and what ``show`` takes, which need not be named."""
        show = self.commands["show"]
        shown = show.make_context("show", [], parent=ctx, resilient_parsing=True)
        if incomplete.startswith("-"):
            return show.shell_complete(shown, incomplete)
        values = (one.shell_complete(shown, incomplete) for one in show.params if isinstance(one, click.Argument))
        return [*super().shell_complete(ctx, incomplete), *chain.from_iterable(values)]


@click.group("cursor", cls=_ShowsByDefault, subcommand_metavar="[show] [NAME]... | set N|~HANDLE")
def command() -> None:
    """Show or set how far somebody has read a room.

    \b
    Examples:
      git chat cursor                  everybody
      git chat cursor show codex       one participant
      git chat cursor set 12           take everything up to #12 for read
    """


@command.command("show")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.room
@AS_JSON
@click.pass_obj
def show_cursors(environment: Environment, names: tuple[str, ...], room: str | None, as_json: bool) -> None:
    """Show how far everybody has read, or those who are named."""
    from gitchat.verbs import unheard
    from gitchat.verbs.room import Room

    chosen = Room(environment, room)
    chosen.refuse_unknown()
    shown = chosen.cursors([parse_name(name) for name in names] or None)
    if not shown:
        reading.tell(f"nobody has read anything in room '{chosen.name}': git chat read")
    width = max((len(one.name) for one in shown), default=0)
    for one in shown:
        unread = f"  {one.unread} unread" if one.unread else ""
        elsewhere = f"  (under this name, elsewhere: #{one.elsewhere})" if one.elsewhere is not None else ""
        click.echo(_json(one) if as_json else f"{one.name:<{width}}  read to #{one.last_read}{unread}{elsewhere}")
    for new in unheard.people(environment, chosen.name, names):
        likest = new.likest
        command = f"cursor show {likest}" if likest else "cursor set N, or cursor show NAME"
        click.echo(f"{new}: git chat {command}", err=True)


@command.command("set")
@click.argument("number", metavar="N|~HANDLE")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Set the cursor of NAME.")
@click.option("--force", is_flag=True, help="Also while another process holds the name.")
@AS_JSON
@click.pass_obj
def set_cursor(
    environment: Environment, number: str, room: str | None, as_: str | None, force: bool, as_json: bool
) -> None:
    """Take everything up to message N for read. A cursor never moves back."""
    from gitchat.verbs.room import Room

    chosen = Room(environment, room, as_)
    chosen.refuse_unknown()
    locator = parse_locator(number)
    before = chosen.cursor()
    after = chosen.set_cursor(locator, force=force)
    if as_json:
        click.echo(_json(chosen.how_far(chosen.me)))
    elif after == before:
        click.echo(f"nothing changed: {chosen.me} has read to #{after} already")
    else:
        click.echo(f"{chosen.me} has read to #{after}")


def _json(one: HowFar) -> str:
    shown: dict[str, object] = {"name": one.name, "last_read_id": one.last_read, "unread_count": one.unread}
    if one.elsewhere is not None:
        shown["elsewhere"] = one.elsewhere
    return terminal.escape_json(json.dumps(shown, ensure_ascii=False))
