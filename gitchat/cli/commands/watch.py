"""``git chat watch``."""

from __future__ import annotations

import json
import select
import sys
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import narrowing, options
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.model.query import Query
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.cli.feed import Manner
    from gitchat.verbs.room import Room

DEFAULT_COUNT = 10
"""How much a person is shown to begin with, as by tail(1)."""

MOST_QUESTIONS = 3
"""How many open questions are shown above that."""


@click.command("watch", cls=Counted)
@click.option(
    "-n", "--max-count", "count", type=click.IntRange(min=0), metavar="N",
    help=f"Begin with the newest N.  [default: {DEFAULT_COUNT} on a terminal, else 0]",
)  # fmt: skip
@click.option("--unread", is_flag=True, help="Begin with what you have not read.")
@narrowing.shared
@click.option("--once", is_flag=True, help="End after the first news.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Be NAME: whose unread messages, who writes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--no-input", is_flag=True, help="Only follow: no line to write in.")
@click.option("--counts", is_flag=True, help="Only tell how much is unread, and from whom: one JSON object a line.")
@options.date
@options.color
@options.no_color
@click.pass_context
def command(
    context: click.Context,
    /,
    count: int | None,
    unread: bool,
    once: bool,
    room: str | None,
    as_: str | None,
    as_json: bool,
    no_input: bool,
    counts: bool,
    date_style: str | None,
    color: str | None,
    **narrowed: Any,
) -> None:
    """Show messages, and who comes and goes, as it happens.

    A pending message is told again with the number that it gets, and why it waits for the remote.

    What narrows it is as for git chat log: --from, --to, --type, ...; what is not shown is still unread.

    On a terminal there is a line to write in: /help tells what it takes. You are living while you
    have it. Nothing is marked as read but by /read. Questions that wait for you stand above all.

    What is sent to you or to your role runs chat.notify and may ring a bell: see git-chat(1).

    \b
    Examples:
      git chat watch
      git chat watch --unread --room plans
      git chat watch --no-status --from codex
      git chat watch --json | jq -r .content
      git chat watch --counts | while read -r line; do notify-send "$line"; done
    """
    from gitchat.cli.feed import Manner
    from gitchat.staying.keeper import in_step
    from gitchat.verbs.room import Room

    if unread and count is not None:
        raise click.UsageError("--unread and --max-count exclude each other")
    query = narrowing.query(**narrowed)
    if counts and (unread or count is not None or no_input or query != Query()):
        raise click.UsageError("--counts shows no message: it goes with --once, --room, --as and --json alone")
    environment: Environment = context.obj
    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    if count is None:
        count = DEFAULT_COUNT if sys.stdout.isatty() and not unread else 0
    if not (as_json or counts):
        _print(_questions(chosen, color))
    manner = Manner(count=count, is_unread=unread, query=query, color=color, date_style=date_style, as_json=as_json)
    with in_step(environment):
        if counts:
            _count(chosen, room is None and as_ is None, once)
            return
        if not (once or as_json or no_input) and _can_write(environment):
            from gitchat.cli import console

            context.exit(console.run(chosen, manner))
        _follow(chosen, manner, once)


def _count(room: Room, has_all: bool, once: bool) -> None:
    """Tell each news once, as the hooks do and no other process of this name, until nobody reads it any more.

    With ``has_all`` of every room in which one is told of news. An agent's watch ends with its client.
    """
    from gitchat.staying import wake
    from gitchat.staying.told import Told
    from gitchat.workspace.ancestry import Descent

    environment = room.environment
    told = Told(environment.repository.directory, room.me)
    client = environment.caller.client
    has_gone = Descent.of(client, counts_parent=False).is_over if client else lambda: False
    while found := wake.wait_for_news(
        lambda: wake.rooms_of(environment) if has_all else [room],
        told, environment, float("inf"), lambda: has_gone() or _has_no_reader(),
    ):  # fmt: skip
        for one in found:
            line = {"room": one.room, "name": one.name, "unread": one.count, "urgent": one.urgent, "from": one.senders}
            _print(json.dumps(line) + "\n")
        if once:
            return


def _questions(room: Room, color: str | None) -> str:
    """The newest questions that wait for who watches, a line each; nothing where there are none."""
    from gitchat.cli import terminal
    from gitchat.cli.render import Renderer

    found, count = room.questions(MOST_QUESTIONS)
    if not found:
        return ""
    renderer = Renderer(terminal.screen_for(room.environment, color), None, room.environment.now())
    more = f", and {count - len(found)} more" if count > len(found) else ""
    title = f"unanswered{more}: git chat answer{options.in_room(room.environment, room.name)}"
    return "".join([title + "\n", *renderer.oneline(found, "  "), "\n"])


def _can_write(environment: Environment) -> bool:
    """Whether somebody can write a line here: at a terminal that can move its cursor."""
    return sys.stdin.isatty() and sys.stdout.isatty() and environment.variables.get("TERM", "dumb") != "dumb"


def _follow(room: Room, manner: Manner, once: bool) -> None:
    from gitchat.cli.feed import beginning, feed
    from gitchat.model.record import Entry
    from gitchat.staying.alert import Alert
    from gitchat.staying.follow import Arrival, Follower

    shown = feed(room, manner)
    begin, after, told = beginning(room, manner)
    alert, has_bell = Alert(room), sys.stdout.isatty() and not manner.as_json
    with Follower(room, after, told=told, also=_has_no_reader) as follower:
        _print(shown.text(begin))
        is_over = once and manner.is_unread and bool(begin)
        while not is_over:
            news = shown.wanted(follower.news())
            bell = alert.tell(news)
            _print(shown.text(news) + (bell if has_bell else ""))
            is_over = once and any(isinstance(one, (Entry, Arrival)) for one in news)
            if not is_over:
                follower.wait()
            if _has_no_reader():
                raise BrokenPipeError


def _print(text: str) -> None:
    """Print a text at once, whoever reads it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _has_no_reader() -> bool:
    """Whether standard output is a pipe that nobody reads any more: no write would tell while nothing comes."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)  # that the other end was closed is reported unasked
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in pipe.poll(0))
