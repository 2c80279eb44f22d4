"""``git chat search``."""

from __future__ import annotations

import shlex
import sys

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.cli.render import Renderer
from gitchat.model.names import parse_slug
from gitchat.model.query import Query
from gitchat.verbs import as_json as forms
from gitchat.workspace.environment import Environment


@click.command("search", cls=Counted)
@click.argument("words", nargs=-1, required=True)
@options.room
@click.option("--all-rooms", is_flag=True, help="Look in every room here.")
@click.option("--from", "sender", metavar="NAME", help="Written by NAME.")
@click.option("--type", "type_", metavar="TYPE", help="Of this type.")
@click.option("--since", metavar="N|DATE", help="After message N, or since a date as git reads it.")
@click.option("--until", metavar="N|DATE", help="Up to message N, or a date.")
@click.option(
    "-n", "--max-count", "count", type=click.IntRange(min=1), metavar="N", default=20, show_default=True,
    help="The best N.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    room: str | None,
    all_rooms: bool,
    sender: str | None,
    type_: str | None,
    since: str | None,
    until: str | None,
    count: int,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Find the messages that hold all of WORDS, the best first.

    Capitals and accents do not matter, nor do English endings. "two words" in quotes
    stand side by side, word* begins so. The exit status is 1 when nothing was found.

    \b
    Examples:
      git chat search parser tests
      git chat search '"lexer fails"' --from codex --since yesterday
      git chat search pars* --all-rooms
    """
    from gitchat.verbs.room import Room

    environment: Environment = context.obj
    if all_rooms and room is not None:
        raise click.UsageError("--all-rooms and --room exclude each other")
    chosen = Room(environment, arrive(environment, room))
    chosen.refuse_unknown()
    after, since_seconds = dates.bound_of(environment, chosen.find, since, "--since")
    through, until_seconds = dates.bound_of(environment, chosen.find, until, "--until")
    if all_rooms and (after is not None or through is not None):
        raise click.UsageError("with --all-rooms, --since and --until take dates: each room has its own numbers")
    query = Query(
        after=after,
        through=through,
        since_seconds=since_seconds,
        until_seconds=until_seconds,
        sender=parse_slug(sender, "name") if sender is not None else None,
        type=parse_slug(type_, "type") if type_ is not None else None,
    )
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "human"
    hits = chosen.search(" ".join(words), query, limit=count, in_all_rooms=all_rooms)
    if not hits:
        _say_nothing_found(words, as_json)
        context.exit(1)
    if as_json:
        sys.stdout.writelines(terminal.json_text(forms.of_found(hit)) + "\n" for hit in hits)
        return
    screen = terminal.screen_for(environment, color)
    renderer = Renderer(screen, style, environment.now(), default_room=environment.room_name(None))
    blocks = [renderer.found(hit.entry, hit.labels, hit.snippet, with_room=all_rooms) for hit in hits]
    if no_pager:
        sys.stdout.write("\n".join(blocks))
    else:
        terminal.page(environment, ["\n".join(blocks)])


def _say_nothing_found(words: tuple[str, ...], as_json: bool) -> None:
    if as_json or not sys.stderr.isatty():
        return
    literally = shlex.join(["git", "chat", "log", "--all", "-F", "--grep", " ".join(words)])
    click.echo("No message has all of these words. To look for the text as it stands:", err=True)
    click.echo(f"  {terminal.escape_line(literally)}", err=True)
