"""``git chat read``."""

from __future__ import annotations

import sys
from itertools import accumulate

import click

from gitchat.cli import dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer
from gitchat.workspace.environment import Environment


@click.command("read")
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
@options.no_pager
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

    The oldest first. Only what was printed is marked, and only after that: when the pager is killed, the
    pipe closed (git chat read | head -1) or the disk full, everything stays unread.
    To look without marking: git chat inbox.

    \b
    Examples:
      git chat read
      git chat read -n 5
      git chat read --max-chars 8000
      git chat read --json --as codex
    """
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    found = chosen.unread(count, with_own=with_own)
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    renderer = Renderer(terminal.screen_for(environment, color), style, environment.now())
    blocks = reading.blocks(renderer, found, as_json)
    shown = blocks[: _fitting(blocks, max_chars)]
    is_first_too_long = bool(blocks) and not shown
    budget = len(blocks[0]) if is_first_too_long else max_chars
    again = {"--room": room, "--as": as_, "--max-chars": str(budget) if budget else None}
    next_ones = reading.command("read", again) + (" --with-own" if with_own else "")
    notes = [f"{found.entries[0].label} alone has {budget} characters"] if is_first_too_long else []
    notes += reading.rest(found, len(shown), next_ones, {"--room": room})
    notes += reading.elsewhere(chosen, {"--as": as_})
    for line in reading.of_namesakes(chosen.me, found.namesakes):
        click.echo(line, err=True)
    if not shown and not notes:
        reading.tell(f"nothing is unread for {chosen.me} in room '{chosen.name}'; all messages: git chat log")
    output = "".join(shown) if as_json else reading.text(renderer, shown, notes)
    is_taken = reading.show(environment, output, is_paged=not (no_pager or as_json))
    if as_json:
        for note in notes:
            click.echo(note, err=True)
    if not shown:
        return
    if not is_taken or not terminal.has_reader():
        raise BrokenPipeError
    if found.why_not is not None and not force:
        click.echo(f"not marked: {terminal.escape_line(found.why_not)}", err=True)
        click.echo(f"hint: read there; or mark all the same: {next_ones} --force", err=True)
    chosen.mark(found, len(shown), force=force)


def _fitting(blocks: list[str], max_chars: int | None) -> int:
    """How many of the blocks, from the first on, have together no more than so many characters."""
    if max_chars is None:
        return len(blocks)
    return sum(total <= max_chars for total in accumulate(map(len, blocks)))
