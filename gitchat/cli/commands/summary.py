"""``git chat summary``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import dates, options, terminal, texts
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted, Verbs
from gitchat.cli.naming import may_speak
from gitchat.cli.render import Renderer
from gitchat.verbs import as_json as forms
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.rooms.summaries import Summary
    from gitchat.verbs.room import Room

TEXT = texts.Asked(
    word="summary",
    done="written",
    command="git chat summary write",
    file="CHAT_SUMMARY_EDITMSG",
    template="# Write above what somebody who was away has to know: what was decided, what is open,\n"
    "# who does what. Everything from the line with the scissors on is left out;\n"
    "# an empty summary is not written.\n",
)

_EVERYONE = "all"

_SCOPE = click.option("--scope", metavar="SCOPE", help="Whom it is for: all, a name, or any line.  [default: all]")


@click.group("summary", cls=Verbs)
def command() -> None:
    """Write and read summaries for who was away.

    A summary covers what its writer has read (git chat read) and wrote after it, or the whole
    room when its writer never marked anything. Numbers of summaries count apart from those of messages.

    \b
    Examples:
      git chat summary write "The parser is done (#12); the lexer waits for bob (#31)"
      git chat summary show
      git chat summary log --scope codex
    """


@command.command("write")
@click.argument("text", nargs=-1)
@_SCOPE
@options.room
@options.allow_secret
@click.option("--as", "as_", metavar="NAME", help="Write it under this name.")
@click.option("--json", "as_json", is_flag=True, help="Print the stored summary as JSON instead of its number.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@click.pass_obj
def write_summary(
    environment: Environment,
    text: tuple[str, ...],
    scope: str | None,
    room: str | None,
    allow_secret: bool,
    as_: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Add a summary of what you have read, and print its number.

    Without TEXT git's editor opens; '-' reads standard input.
    """
    if allow_secret:
        environment = environment.allowing_secret()
    chosen = _room(environment, room, may_speak(environment, as_))
    environment.repository.refuse_mirror()
    chosen.me
    with texts.given(environment, text, TEXT) as body:
        summary = chosen.summarize(body, _EVERYONE if scope is None else scope)
    if as_json:
        click.echo(_json(chosen, summary), nl=False)
    elif not quiet:
        click.echo(f"summary {summary.label}")


@command.command("show")
@click.argument("number", type=click.IntRange(min=1), metavar="[N]", required=False)
@_SCOPE
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def show_summary(
    environment: Environment,
    number: int | None,
    scope: str | None,
    room: str | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show the newest summary, or summary N, and what came since.

    \b
    Examples:
      git chat summary show
      git chat summary show 3
      git chat summary show --scope codex
    """
    if number is not None and scope is not None:
        raise click.UsageError("N and --scope exclude each other: a number names one summary")
    chosen = _room(environment, room)
    summary = (
        chosen.find_summary(number) if number is not None else chosen.summary(_EVERYONE if scope is None else scope)
    )
    if summary is None:
        _say_none(environment, chosen, scope)
        return
    if as_json:
        click.echo(_json(chosen, summary), nl=False)
        return
    renderer, print_ = _output(environment, date_style, color, no_pager)
    since = f"since: {_since(environment, chosen, summary)}"
    heading = renderer.summary_heading(summary)
    print_("".join([heading, since, "\n\n", *(f"{line}\n" for line in renderer.shortened(summary.text, None, ""))]))


@command.command("log", cls=Counted)
@_SCOPE
@options.room
@click.option("-n", "--max-count", "count", type=click.IntRange(min=1), metavar="N", help="The newest N.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def log_summaries(
    environment: Environment,
    scope: str | None,
    room: str | None,
    count: int | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """List summaries, the newest last: what each covers, and what came since."""
    chosen = _room(environment, room)
    summaries = chosen.summaries(scope, count)
    if as_json:
        sys.stdout.writelines(_json(chosen, summary) for summary in summaries)
        return
    if not summaries:
        _say_none(environment, chosen, scope)
    renderer, print_ = _output(environment, date_style, color, no_pager)
    blocks = [
        renderer.summary_heading(summary)
        + renderer.line(f"since: {_since(environment, chosen, summary)}")
        + renderer.line(summary.text)
        for summary in summaries
    ]
    print_("\n".join(blocks))


def _room(environment: Environment, name: str | None, as_: str | None = None) -> Room:
    from gitchat.verbs.room import Room

    room = Room(environment, arrive(environment, name), as_)
    room.refuse_unknown()
    return room


def _output(
    environment: Environment, date_style: str | None, color: str | None, no_pager: bool
) -> tuple[Renderer, Callable[[str], Any]]:
    """How summaries are printed, and where to."""
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "human"
    screen = terminal.screen_for(environment, color)
    renderer = Renderer(screen, style, environment.now())
    if no_pager:
        return renderer, sys.stdout.write
    return renderer, lambda text: terminal.page(environment, [text])


def _json(room: Room, summary: Summary) -> str:
    since = room.count_since(summary)
    return terminal.json_text(forms.of_summary(summary) | {"since_count": since}) + "\n"


def _since(environment: Environment, room: Room, summary: Summary) -> str:
    """How many records came after ``summary``, and the command that shows them."""
    count, last = room.count_since(summary), room.since(summary).last_read
    counted = f"{count} message{'' if count == 1 else 's'}"
    return f"{counted}: git chat log --since {last}{options.in_room(environment, room.name)}" if count else "nothing"


def _say_none(environment: Environment, room: Room, scope: str | None) -> None:
    if sys.stderr.isatty():
        kind = f"summary for {terminal.escape_line(scope)}" if scope else "summary"
        options_ = (f" --scope {terminal.escape_line(scope)}" if scope else "") + options.in_room(
            environment, room.name
        )
        click.echo(f"No {kind} in room '{room.name}'. Write one: git chat summary write{options_} \"...\"", err=True)
