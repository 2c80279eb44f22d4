"""``git chat bundle``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from gitchat.cli import terminal
from gitchat.model.errors import UserError
from gitchat.model.names import Number, RoomName, is_slug, parse_room
from gitchat.workspace.environment import Environment


@click.command("bundle", short_help="Write rooms to a file, for git chat pull.")
@click.argument("file", type=click.Path(allow_dash=True))
@click.argument("rooms", nargs=-1, metavar="[ROOM]...")
@click.option("--since", type=click.IntRange(min=0), metavar="N", help="Only what comes after message N of one room.")
@click.pass_obj
def command(environment: Environment, file: str, rooms: tuple[str, ...], since: int | None) -> None:
    """Write rooms, all by default, to FILE as a git bundle: to carry them where no remote leads.

    With all that is pending, and the summaries; not with how far anybody has read, nor with rooms that stay here.
    git chat pull FILE takes them in elsewhere: what is there already does not come twice, and what is new gets its
    numbers there, or with the next push by whoever may. FILE is - for standard output.

    \b
    Examples:
      git chat bundle rooms.bundle
      git chat bundle --since 40 lobby.bundle lobby
      git chat bundle - lobby | ssh host git -C project chat pull -
    """
    from gitchat.workspace import carrying  # for who carries

    path = Path(environment.cwd, file)
    if file != carrying.STDIN:
        _refuse_overwriting(environment, file, path, rooms)
    chosen = [parse_room(room) for room in rooms]
    if since is not None and len(chosen) > 1:
        raise click.UsageError("--since counts the messages of one room; name that one")
    if since is not None and not chosen:
        chosen = [environment.room_name(None)]
    number = Number(since) if since else None
    if file == carrying.STDIN:
        _to_standard_output(environment, chosen, number)
        return
    written = carrying.write(environment, path, chosen, number)
    shown = terminal.escape_line(file)
    click.echo(f"{shown}: {', '.join(written)}; take it in elsewhere: git chat pull {shown}", err=True)


def _to_standard_output(environment: Environment, rooms: list[RoomName], since: Number | None) -> None:
    """Raises UserError ``is-a-terminal``."""
    from gitchat.workspace import carrying

    if sys.stdout.isatty():
        raise UserError(
            "a bundle is no text for a terminal",
            hint="write it to a file: git chat bundle rooms.bundle; or into a pipe",
            code="is-a-terminal",
        )
    with TemporaryDirectory(prefix="gitchat-") as directory:  # git writes it as a whole, or not at all
        path = Path(directory, "rooms.bundle")
        carrying.write(environment, path, rooms, since)
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                sys.stdout.buffer.write(part)


def _refuse_overwriting(environment: Environment, file: str, path: Path, rooms: tuple[str, ...]) -> None:
    """Raise UserError where something else was typed in the file's place, or what is there is no bundle."""
    from gitchat.storage.bundles import is_bundle

    if file == "create" and rooms and not path.exists():
        raise UserError(
            "git bundle has a 'create', and git chat bundle has none",
            hint=f"git chat bundle {shlex.join(rooms)}",
            code="file-first",
        )
    if not rooms and not path.exists() and is_slug(file) and file in environment.store.rooms():
        raise UserError(
            f"'{file}' is a room, and the file comes first",
            hint=f"git chat bundle {file}.bundle {file}",
            code="file-first",
        )
    if path.exists() and not is_bundle(path) and (path.is_dir() or path.stat().st_size > 0):
        raise UserError(
            f"{file} is there, and is no bundle: it is left as it is",
            hint="write to another file: git chat bundle rooms.bundle",
            code="file-exists",
        )
