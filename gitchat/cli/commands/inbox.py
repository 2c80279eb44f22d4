"""``git chat inbox``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gitchat.cli import dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.cli.render import Renderer, json_line
from gitchat.model.errors import ConflictError
from gitchat.model.names import parse_slug
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.index.condition import Condition
    from gitchat.verbs.room import Room


@click.command("inbox", cls=Counted)
@click.option(
    "-n", "--max-count", "count", type=click.IntRange(min=0), metavar="N", default=reading.DEFAULT_COUNT,
    help=f"The oldest N of a room.  [default: {reading.DEFAULT_COUNT}]",
)  # fmt: skip
@click.option("--all-rooms", is_flag=True, help="Every room that has something unread.")
@options.room
@click.option("--from", "sender", metavar="NAME", help="Written by NAME.")
@click.option("--type", "type_", metavar="TYPE", help="Of this type.")
@click.option("--as", "as_", metavar="NAME", help="What NAME has not read.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment,
    count: int,
    all_rooms: bool,
    room: str | None,
    sender: str | None,
    type_: str | None,
    as_: str | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show what you have not read, and leave it unread.

    That is what others wrote to everybody, to you, or to a role that you have, the oldest first.
    To mark it as read: git chat read.

    \b
    Examples:
      git chat inbox
      git chat inbox --all-rooms
      git chat inbox --type blocker --from codex
      git chat inbox --json | jq -r .content
    """
    from gitchat.verbs.room import Room

    if all_rooms and room is not None:
        raise click.UsageError("--all-rooms and --room exclude each other")
    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    sender = parse_slug(sender, "name") if sender is not None else None
    type_ = parse_slug(type_, "type") if type_ is not None else None
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    inbox = _Inbox(
        Renderer(
            terminal.screen_for(environment, color), style, environment.now(), default_room=environment.room_name(None)
        ),
        {"--from": sender, "--type": type_, "--as": as_},
        _condition(sender, type_),
        count,
        as_json,
    )
    if all_rooms:
        rooms = [Room(environment, name, as_) for name in environment.store.rooms()]
        sections = [inbox.section(one, {"--room": one.name}, has_heading=True) for one in rooms]
    else:
        sections = [inbox.section(chosen, {"--room": room}, has_heading=False)]
    for line in reading.of_namesakes(chosen.me, sorted(inbox.namesakes)) if inbox.namesakes else []:
        click.echo(line, err=True)
    output = ("" if as_json else "\n").join(filter(None, sections))
    if not output:
        place = "any room" if all_rooms else f"room '{chosen.name}'"
        kind = "of that kind " if sender or type_ else ""
        reading.tell(f"nothing {kind}is unread for {chosen.me} in {place}; all messages: git chat log")
    reading.show(environment, output, is_paged=not (no_pager or as_json))


@dataclass(frozen=True, slots=True)
class _Inbox:
    """How to print what is unread in a room."""

    renderer: Renderer
    options: dict[str, str | None]
    """What to repeat in a command that shows more."""
    matching: Condition | None
    count: int
    as_json: bool
    namesakes: set[str] = field(default_factory=set)
    """The addresses of other people called as whoever reads, in all rooms so far."""

    def section(self, room: Room, named: reading.Options, *, has_heading: bool) -> str:
        """A room's part of the output, which for programs has notes on standard error; blank without any.

        ``named`` is how the room was chosen. With a heading a room must have something unread.
        """
        try:
            found = room.unread(self.count, matching=self.matching)
        except ConflictError as error:
            return self._last_said(room, error, has_heading=has_heading)
        shown = reading.blocks(self.renderer, found, self.as_json)
        total = len(shown) + found.left
        self.namesakes.update(found.namesakes)
        if has_heading and not total:
            return ""
        again = reading.command("inbox", {**named, **self.options, "-n": str(total)})
        notes = reading.rest(found, len(shown), again, named)
        notes += [] if has_heading else reading.elsewhere(room, {"--as": self.options["--as"]})
        if self.as_json:
            for note in notes:
                click.echo(note, err=True)
            return "".join(shown)
        heading = self.renderer.screen.style(f"== {room.name}: {total} unread ==", bold=True) + "\n\n"
        return (heading if has_heading else "") + reading.text(self.renderer, shown, notes)

    def _last_said(self, room: Room, error: ConflictError, *, has_heading: bool) -> str:
        """The newest messages without numbers, where ``error`` says that they are being counted; else raise it."""
        from gitchat.verbs.uncounted import is_counting, newest  # brings SQLite

        entries = newest(room, self.count) if self.matching is None and is_counting(error) else []
        if not entries:
            raise error
        click.echo(f"note: {error}; this was said last, the rest is there in a moment", err=True)
        if self.as_json:
            return "".join(json_line(entry, {}) for entry in entries)
        heading = self.renderer.screen.style(f"== {room.name} ==", bold=True) + "\n\n"
        return (heading if has_heading else "") + reading.text(
            self.renderer, list(self.renderer.listing(entries, {})), []
        )


def _condition(sender: str | None, type_: str | None) -> Condition | None:
    from gitchat.index.condition import narrowed

    return narrowed(sender, type_) if sender or type_ else None
