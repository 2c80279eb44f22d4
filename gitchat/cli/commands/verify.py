"""``git chat verify``."""

from __future__ import annotations

import sys
from typing import Any

import click

from gitchat.cli import findings, options
from gitchat.model.errors import FormatError
from gitchat.model.names import RoomName, parse_room
from gitchat.workspace.environment import Environment


@click.command("verify", short_help="Read every message, and check it.")
@click.argument("rooms", nargs=-1, metavar="[ROOM]...")
@click.option("--purged", "is_purged", is_flag=True, help="Look whether what was purged is back, or still here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@options.color
@options.no_color
@click.pass_context
def command(context: click.Context, rooms: tuple[str, ...], is_purged: bool, as_json: bool, color: str | None) -> None:
    """Read every message of the rooms, all of them by default, and check it.

    With --purged it looks for what was purged instead: at every ref, and in git's object database.

    Changes nothing. The exit status is 1 when something is wrong.
    """
    from gitchat.care.purged import objects, purged
    from gitchat.rooms.recovery import damaged_rooms, lost_rooms

    environment: Environment = context.obj
    store = environment.store
    chosen = [parse_room(room) for room in rooms] or sorted({*store.rooms(), *damaged_rooms(store), *lost_rooms(store)})
    for name in map(parse_room, rooms):
        environment.refuse_unknown_room(name)
    is_wrong = False
    for name in chosen:
        found = list(purged(environment, name)) if is_purged else _verified(environment, name)
        is_wrong = findings.show(environment, found, as_json, color) or is_wrong
    if is_purged:
        is_wrong = findings.show(environment, list(objects(environment)), as_json, color) or is_wrong
    if is_wrong:
        context.exit(1)


def _verified(environment: Environment, name: RoomName) -> list[findings.Finding]:
    """The findings of one room, with a progress bar on a terminal while it is read."""
    from gitchat.care.verify import verify

    is_hidden = not sys.stderr.isatty()
    bar: Any = click.progressbar(
        length=0 if is_hidden else _length(environment, name),
        label=f"verifying {name}",
        file=sys.stderr,
        hidden=is_hidden,
    )
    with bar:
        return list(
            verify(environment.store, name, environment.now().seconds, lambda count: bar.update(count - bar.pos))
        )


def _length(environment: Environment, name: RoomName) -> int:
    """About how many commits there are to read; 0 when that is part of the damage."""
    try:
        return environment.log(name).count()
    except FormatError:
        return 0
