"""``git chat show``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer, described
from gitchat.cli.terminal import Screen
from gitchat.cli.whole import whole
from gitchat.model.errors import UserError
from gitchat.model.record import Entry
from gitchat.rooms.files import Directory
from gitchat.verbs import as_json as json_form
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.verbs.room import Room


@click.command("show")
@click.argument("number", nargs=-1)
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--body", "only_body", is_flag=True, help="Only the text, byte for byte (not escaped).")
@click.option(
    "--extract", "directory", metavar="DIR", help="Write the attachments into DIR and print their paths, instead."
)
@click.option("--diff", "as_diff", is_flag=True, help="What the work that it hands over changes, as git diff shows it.")
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
    directory: str | None,
    as_diff: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show messages with all that is known about them.

    Also whether the room's remote has them, and who has read them. NUMBER is 12, '#12', or a handle such as ~k3f9q2;
    without one the newest message is shown.

    --extract makes DIR when it is missing, and overwrites nothing in it: where trace.txt is taken, it
    writes trace.txt.1, as wget does.
    """
    from gitchat.verbs.room import Room

    chat = Room(environment, arrive(environment, room))
    if as_json + only_body + (directory is not None) + as_diff > 1:
        raise click.UsageError("--json, --body, --extract and --diff exclude each other")
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "default"
    entries = [chat.find(text) for text in number] or _newest(chat)
    if directory is not None:
        _extract(environment, entries, directory)
        return
    if as_diff:
        _show_diff(environment, entries, terminal.screen_for(environment, color), no_pager)
        return
    labels = chat.labels(entries)
    at = {entry.oid: chat.places(entry) for entry in entries if entry.record.at and not only_body}
    if as_json:
        from gitchat.verbs import at_json

        shown = (
            json_form.of_entry(entry, labels)
            | at_json.beside(at.get(entry.oid), with_excerpt=True)
            | json_form.of_delivery(chat.delivery(entry))
            for entry in entries
        )
        sys.stdout.writelines(terminal.json_text(one) + "\n" for one in shown)
        return
    if only_body:
        for entry in entries:
            sys.stdout.buffer.write(entry.record.body.encode("utf-8", "replace"))
        return
    screen = terminal.screen_for(environment, color)
    renderer = Renderer(screen, style, environment.now(), at, default_room=environment.room_name(None))
    text = "\n".join(whole(renderer, entry, labels, chat.delivery(entry)) for entry in entries)
    if no_pager:
        sys.stdout.write(text)
    else:
        terminal.page(environment, [text])


def _show_diff(environment: Environment, entries: list[Entry], screen: Screen, no_pager: bool) -> None:
    """What the work of these records changes; escaped, for others wrote it."""
    from gitchat.cli.handing import lines_of_diff
    from gitchat.verbs.handing import diff

    lines = (line for entry in entries for line in lines_of_diff(screen, diff(environment, entry)))
    if no_pager:
        sys.stdout.writelines(lines)
    else:
        terminal.page(environment, lines)


def _newest(chat: Room) -> list[Entry]:
    """The newest message of the room. Raises UserError ``no-such-record``."""
    newest = chat.log(limit=1)
    if not newest.entries and newest.damage is None:
        raise UserError(
            f"there is no message in room '{chat.name}' yet",
            hint=f'write the first: git chat send --room {chat.name} "hello"',
            code="no-such-record",
        )
    if newest.damage is not None:
        raise newest.damage
    return newest.entries


def _extract(environment: Environment, entries: list[Entry], directory: str) -> None:
    """Write out what the records carry, and tell what is passed over."""
    sound = [one for entry in entries for one in entry.attachments if one.problem is None]
    for entry in entries:
        for one in entry.attachments:
            if one.problem is not None:
                click.echo(f"note: {entry.label}: {described(one)}", err=True)
    if not sound:
        raise UserError(
            f"there is nothing to extract: {', '.join(entry.label for entry in entries)} "
            f"{'has' if len(entries) == 1 else 'have'} no attachments",
            hint=f"see the messages: git chat log --room {entries[0].room}",
            code="no-attachments",
        )
    with Directory(directory) as target:
        for one in sound:
            # As it is, for scripts: the directory is the reader's own word, and the name was found safe.
            click.echo(target.add(one.name, environment.store.read_blob(one.oid)))
