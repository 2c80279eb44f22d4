"""``git chat read``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import click

from gitchat.cli import dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.cli.render import Renderer
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.verbs.room import Reading, Room


@click.command("read", cls=Counted)
@click.option(
    "-n", "--max-count", "count", type=click.IntRange(min=0), metavar="N", default=reading.DEFAULT_COUNT,
    help=f"The oldest N.  [default: {reading.DEFAULT_COUNT}]",
)  # fmt: skip
@click.option(
    "--max-chars", type=click.IntRange(min=1), metavar="N",
    help="As many messages as fit into N printed characters, each of them whole.",
)  # fmt: skip
@click.option("--with-own", is_flag=True, help="Also what you wrote yourself.")
@click.option("--force", is_flag=True, help="Mark also while another process holds your name.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Read as NAME.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.date
@options.color
@options.no_color
@click.option("--no-pager", is_flag=True, help="Print and mark all at once, on a terminal, too.")
@click.pass_obj
def command(
    environment: Environment,
    count: int,
    max_chars: int | None,
    with_own: bool,
    force: bool,
    room: str | None,
    as_: str | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show what you have not read, and mark it as read.

    The oldest first. On a terminal a screen at a time, without a pager: what was on the screen when you go on or stop
    (q) is marked, and nothing else; of a message its end. Elsewhere what was printed is marked, after that: when the
    pipe is closed (git chat read | head -1) or the disk full, everything stays unread.
    To look without marking: git chat inbox.

    \b
    Examples:
      git chat read
      git chat read -5
      git chat read --max-chars 8000
      git chat read --json --as codex
    """
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    found = chosen.unread(count, with_own=with_own)
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    renderer = Renderer(
        terminal.screen_for(environment, color), style, environment.now(), default_room=environment.room_name(None)
    )
    blocks = reading.blocks(renderer, found, as_json)
    shown = blocks[: _fitting(blocks, max_chars)]
    is_first_too_long = bool(blocks) and not shown
    budget = len(blocks[0]) if is_first_too_long else max_chars
    again = {"--room": room, "--as": as_, "--max-chars": str(budget) if budget else None}
    next_ones = reading.command("read", again) + (" --with-own" if with_own else "")
    notes = [f"{found.entries[0].label} alone has {budget} characters"] if is_first_too_long else []
    notes += reading.elsewhere(chosen, {"--as": as_})
    for line in reading.of_namesakes(chosen.me, found.namesakes):
        click.echo(line, err=True)
    marking = _Marking(chosen, found, renderer, next_ones, {"--room": room}, is_forced=force)
    if not shown and not notes and not marking.notes(0):
        reading.tell(f"nothing is unread for {chosen.me} in room '{chosen.name}'; all messages: git chat log")
    if as_json:
        marking.as_whole("".join(shown), len(shown))
        for note in [*notes, *marking.notes(len(shown))]:
            click.echo(note, err=True)
    elif shown and not no_pager and _can_turn(environment):
        marking.by_screens(shown, notes)
    else:
        is_in_pager = not no_pager and not sys.stdout.isatty() and terminal.is_paging(environment)
        marking.as_whole(reading.text(renderer, shown, [*notes, *marking.notes(len(shown))]), len(shown), is_in_pager)


@dataclass(slots=True)
class _Marking:
    """Prints what was read, and marks what was shown of it."""

    room: Room
    found: Reading
    renderer: Renderer
    next_ones: str
    """The command that reads on."""
    chosen: reading.Options
    is_forced: bool

    def notes(self, shown: int) -> list[str]:
        """What is left after the first so many."""
        return reading.rest(self.found, shown, self.next_ones, self.chosen)

    def by_screens(self, blocks: list[str], notes: list[str]) -> None:
        """A screen at a time, until the person stops, and then ``notes``. Raises OSError."""
        from gitchat.cli import screens  # for a person

        done = screens.turn(self.renderer.screen, blocks, self.mark)
        sys.stdout.write(reading.text(self.renderer, [""], [*notes, *self.notes(done)]))
        sys.stdout.flush()
        self._say_why_not()

    def as_whole(self, output: str, count: int, is_in_pager: bool = False) -> None:
        """All at once, for who takes all of it. Raises OSError."""
        sys.stdout.write(output)
        if is_in_pager and count:
            sys.stdout.write(f"\nnot marked, as nobody knows what a pager shows: {self.next_ones} --no-pager\n")
        sys.stdout.flush()
        if not count or is_in_pager:
            return
        if not terminal.has_reader():
            raise BrokenPipeError
        self._say_why_not()
        self.mark(count)

    def mark(self, count: int) -> None:
        """Mark the first so many records, where this process may."""
        self.room.mark(self.found, count, force=self.is_forced)

    def _say_why_not(self) -> None:
        if self.found.why_not is not None and not self.is_forced:
            click.echo(f"not marked: {terminal.escape_line(self.found.why_not)}", err=True)
            click.echo(f"hint: read there; or mark all the same: {self.next_ones} --force", err=True)


def _can_turn(environment: Environment) -> bool:
    """Whether a person is at the terminal, and can be asked to go on. Who wants no pager wants no question either."""
    is_person = environment.caller.client is None and sys.stdin.isatty() and sys.stdout.isatty()
    return is_person and terminal.chosen_pager(environment) is not None


def _fitting(blocks: list[str], max_chars: int | None) -> int:
    """How many of the blocks, from the first on, have together no more than so many characters."""
    if max_chars is None:
        return len(blocks)
    return sum(total <= max_chars for total in accumulate(map(len, blocks)))
