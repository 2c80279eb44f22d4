"""``git chat wait``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitchat.cli import dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.cli.render import Renderer
from gitchat.model.errors import ConflictError
from gitchat.model.names import parse_slug
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.index.condition import Condition
    from gitchat.verbs.room import Room

TIMEOUT_STATUS = 124
"""As timeout(1) has it."""

WAKE_STATUS = 2
"""What an agent's client takes for: wake the session with what stands on standard error."""


@click.command("wait", cls=Counted)
@click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="Give up after so long.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only for messages of this type. Repeatable.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="What is for NAME.")
@click.option(
    "-n", "--max-count", "count", type=click.IntRange(min=1), metavar="N", default=reading.DEFAULT_COUNT,
    help=f"Print the oldest N.  [default: {reading.DEFAULT_COUNT}]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@click.option("--rewake", is_flag=True, help="For an agent's hook: one line on standard error, and exit status 2.")
@options.date
@options.color
@options.no_color
@click.pass_context
def command(
    context: click.Context,
    timeout: float | None,
    types: tuple[str, ...],
    room: str | None,
    as_: str | None,
    count: int,
    as_json: bool,
    quiet: bool,
    rewake: bool,
    date_style: str | None,
    color: str | None,
) -> None:
    """Wait until somebody else has written to you, and print it.

    At once when something is unread already; marks nothing, so read it before you wait again. Where your reading
    marks nothing, as your name is held elsewhere, that is refused with 3. An acknowledgement (type ack) and
    somebody's leaving are not waited for, unless you name their type. You are living while you wait. The exit
    status is 124 when the time is up, and with --rewake 0.

    \b
    Examples:
      git chat wait
      git chat wait --timeout 600 && git chat read
      git chat wait --type answer --type blocker --json
      while git chat wait -q; do git chat read; done
    """
    from gitchat.staying import wake
    from gitchat.staying.keeper import in_step
    from gitchat.verbs.room import Room

    if rewake and (types or as_json):
        raise click.UsageError("--rewake says only that something is there: leave out --type and --json")
    environment: Environment = context.obj
    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    matching = wake.waking([parse_slug(one, "type") for one in types])
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    if not rewake:
        _refuse_in_vain(chosen, matching, {"--room": room, "--as": as_})
    with wake.living(chosen), in_step(environment):
        if rewake:
            context.exit(_rewake(chosen, timeout))
        is_news = chosen.wait(timeout, lambda: bool(chosen.unread(1, matching=matching).entries))
    if not is_news:
        context.exit(TIMEOUT_STATUS)
    if not quiet:
        found = chosen.unread(count, matching=matching)
        renderer = Renderer(
            terminal.screen_for(environment, color), style, environment.now(), default_room=environment.room_name(None)
        )
        sys.stdout.writelines(reading.blocks(renderer, found, as_json))


def _refuse_in_vain(room: Room, matching: Condition, given: reading.Options) -> None:
    """Refuse to tell of what is unread already where nothing that is read here is marked: a loop would never rest.

    Raises:
        ConflictError: ``name-held``.
    """
    why_not = room.why_not_mark()
    if why_not is not None and room.unread(1, matching=matching).entries:
        raise ConflictError(
            f"there is something unread, and it stays unread here: {why_not}",
            hint=f"look at it: {reading.command('inbox', given)}; "
            f"or mark it all the same: {reading.command('read', given)} --force",
            code="name-held",
        )


def _rewake(room: Room, timeout: float | None) -> int:
    """Say for an agent that something new is unread, without a word of it, and not twice for the same."""
    from gitchat.staying import wake
    from gitchat.staying.told import Told
    from gitchat.workspace.ancestry import Descent

    told = Told(room.environment.repository.directory, room.me)
    seconds = float("inf") if timeout is None else timeout
    # An agent's shell may hand this to the background and end; only its client's end counts.
    client = room.environment.caller.client
    is_over = Descent.of(client, counts_parent=False).is_over if client else lambda: False
    found = wake.wait_for_news(lambda: [room], told, room.environment, seconds, is_over)
    if not found:
        return 0
    click.echo(wake.sentence(found), err=True)
    return WAKE_STATUS
