"""What inbox and read print: unread records, and what is left after them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from gitchat.cli import terminal
from gitchat.cli.render import Renderer, json_line
from gitchat.model.names import MAX_SLUG_CHARS
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.verbs.room import Reading, Room

DEFAULT_COUNT = 50
"""How much of what is unread is shown at once: as much as of a log."""

Options = Mapping[str, str | None]
"""Options to type, with their values; one without a value was not given."""


def blocks(renderer: Renderer, reading: Reading, as_json: bool) -> list[str]:
    """The text of each record, in order; together they are the output."""
    if as_json:
        return [json_line(entry, reading.labels) for entry in reading.entries]
    return list(renderer.listing(reading.entries, reading.labels))


def rest(reading: Reading, shown: int, again: str, room: Options) -> list[str]:
    """What is left after the first ``shown`` records, a line each, with the commands that show it.

    ``again`` is the command for the next records, ``room`` the options that choose the room.
    """
    left = reading.left + len(reading.entries) - shown
    lines = [f"{left} more: {again}"] if left else []
    if reading.statuses:
        commits = "1 commit" if reading.statuses == 1 else f"{reading.statuses} commits"
        lines.append(f"{commits} since: {command('log', {**room, '--since': str(reading.last_read)})}")
    if reading.elsewhere:
        were = "was" if reading.elsewhere == 1 else "were"
        lines.append(f"{reading.elsewhere} of these {were} read by this name elsewhere")
    return lines


def elsewhere(room: Room, again: Options) -> list[str]:
    """Which other rooms have something unread that names whoever reads, a line each with the command that shows it.

    ``again`` are the options to repeat in it.
    """
    if len(room.environment.store.rooms()) < 2:
        return []
    from gitchat.staying import notice  # for who has other rooms

    found = notice.elsewhere(room.environment, room.me, room.name)
    return [f"{count} for you in {name}: {command('read', {'--room': name, **again})}" for name, count in found]


def of_namesakes(me: str, addresses: Sequence[str]) -> list[str]:
    """That other people speak under my name, and what to do about it; a line, or none."""
    if not addresses:
        return []
    shown = ", ".join(map(terminal.escape_line, addresses))
    who = f"another {me} ({shown}) speaks" if len(addresses) == 1 else f"others called {me} ({shown}) speak"
    own = f"git config --add chat.person {shlex.quote(terminal.escape_line(addresses[0]))}"
    return [f"{who} here: git config chat.name {me[: MAX_SLUG_CHARS - 2]}-2; or, if that is you, too: {own}"]


def command(word: str, options: Options) -> str:
    """``git chat <word>`` as one types it, with the options that were given."""
    given = [part for name, value in options.items() if value is not None for part in (name, value)]
    return shlex.join(["git", "chat", word, *given])


def text(renderer: Renderer, shown: list[str], notes: list[str]) -> str:
    """Records and the notes after them, for people."""
    dim = [renderer.screen.style(renderer.screen.fold(line, "    "), dim=True) + "\n" for line in notes]
    return "".join([*shown, "\n" if shown and notes else "", *dim])


def show(environment: Environment, output: str, is_paged: bool) -> bool:
    """Print and flush ``output``; whether all of it was taken. Raises OSError."""
    if is_paged and output:
        return terminal.page(environment, [output])
    sys.stdout.write(output)
    sys.stdout.flush()
    return True


def tell(text: str) -> None:
    """Say something to a person who would else see nothing; a script stays undisturbed."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
