"""``git chat log``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer, json_line
from gitchat.model.errors import UserError
from gitchat.model.names import RoomName, parse_recipient, parse_slug
from gitchat.model.query import Query
from gitchat.rooms.log import Listing, Log
from gitchat.workspace.environment import Environment

DEFAULT_COUNT = 50
"""How much one screen of history is, when nothing narrows the listing."""


@click.command("log")
@click.option(
    "-n",
    "--max-count",
    "count",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"The newest N.  [default: {DEFAULT_COUNT}, without a limit when --since is given]",
)
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@click.option(
    "--since", metavar="N|DATE", help="After message N, or since a date as git reads it: yesterday, '2 hours ago'."
)
@click.option("--until", metavar="N|DATE", help="Up to message N, or a date.")
@options.room
@click.option("--from", "sender", metavar="NAME", help="Written by NAME.")
@click.option("-t", "--to", "recipient", metavar="WHO", help="Addressed to WHO: a name, role:ROLE, or all.")
@click.option("--between", nargs=2, metavar="A B", help="From A to B, or from B to A.")
@click.option("--type", "type_", metavar="TYPE", help="Of this type.")
@click.option("--no-status", is_flag=True, help="Without what nobody has to read: status records, claims.")
@click.option("--grep", metavar="PATTERN", help="Whose text matches a regular expression.")
@click.option("-i", "--ignore-case", is_flag=True, help="For --grep: capitals do not matter.")
@click.option("-F", "--fixed-strings", is_flag=True, help="For --grep: PATTERN is plain text.")
@click.option("--commit", metavar="REV", help="About this commit of the project: HEAD~2, a branch, an id.")
@click.option("--thread", metavar="NUMBER", help="Message NUMBER, what it answers, and all answers.")
@click.option("--graph", is_flag=True, help="Draw which message answers which.")
@click.option("--reverse", is_flag=True, help="Newest first.")
@click.option("--oneline", is_flag=True, help="One line a message.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment,
    /,
    count: int | None,
    everything: bool,
    since: str | None,
    room: str | None,
    thread: str | None,
    graph: bool,
    reverse: bool,
    oneline: bool,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
    **narrowing: Any,
) -> None:
    """Show messages, the newest last.

    \b
    Examples:
      git chat log
      git chat log --since yesterday --from alice
      git chat log --between alice codex --oneline
      git chat log --thread 12 --graph
      git chat log --commit HEAD
      git chat log --json | jq -r .content
    """
    if graph and (reverse or as_json):
        raise click.UsageError("--graph and --reverse or --json exclude each other")
    name = arrive(environment, room)
    chat = environment.log(name)
    query = _query(environment, chat, since, **narrowing)
    is_whole = everything or since is not None or thread is not None or query.commit is not None
    limit = count if count is not None and not everything else None if is_whole else DEFAULT_COUNT
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    if thread is not None:
        listing = _narrowed(_thread(environment, room, thread), query, limit)
    elif query.commit is not None:
        listing = _narrowed(chat.about_commit(query.commit), query, limit)
    else:
        listing = chat.listing(query, limit, waits=as_json)
    if not listing.is_counted:
        _count_aside(environment, name)
    if not listing.entries and listing.damage is None:
        _say_empty(environment, name, as_json, is_filtered=query != Query() or thread is not None)
    if reverse:
        listing.entries.reverse()
    screen = terminal.screen_for(environment, color)
    output = _lines(Renderer(screen, style, environment.now()), listing, graph, oneline, as_json)
    if sys.stdout.isatty() and count is None and limit == len(listing.entries) and not reverse and not as_json:
        output = chain([screen.style("(earlier messages: git chat log --all)", dim=True) + "\n"], output)
    if no_pager or as_json:
        sys.stdout.writelines(output)
    else:
        terminal.page(environment, output)
    if listing.damage is not None:
        raise listing.damage


def _count_aside(environment: Environment, name: RoomName) -> None:
    """Have a long log counted, and say why there are no numbers yet."""
    environment.start_aside("count", "--room", name)
    click.echo(
        f"note: the messages of room '{name}' are counted for the first time here; until then they go by their handles",
        err=True,
    )


def _query(
    environment: Environment,
    chat: Log,
    since: str | None,
    *,
    until: str | None,
    sender: str | None,
    recipient: str | None,
    between: tuple[str, str] | None,
    type_: str | None,
    no_status: bool,
    grep: str | None,
    ignore_case: bool,
    fixed_strings: bool,
    commit: str | None,
) -> Query:
    """What the options that narrow a listing ask for. Raises UserError for what cannot be read."""
    after, since_seconds = dates.bound_of(environment, chat.find, since, "--since")
    through, until_seconds = dates.bound_of(environment, chat.find, until, "--until")
    return Query(
        after=after,
        through=through,
        since_seconds=since_seconds,
        until_seconds=until_seconds,
        sender=parse_slug(sender, "name") if sender is not None else None,
        recipient=parse_recipient(recipient) if recipient is not None else None,
        type=parse_slug(type_, "type") if type_ is not None else None,
        between=(parse_recipient(between[0]), parse_recipient(between[1])) if between else None,
        commit=environment.repository.commit(commit) if commit is not None else None,
        pattern=_pattern(grep, ignore_case, fixed_strings) if grep is not None else None,
        with_status=not no_status,
    )


def _lines(renderer: Renderer, listing: Listing, graph: bool, oneline: bool, as_json: bool) -> Iterable[str]:
    if graph:
        return renderer.graph(listing.entries, listing.labels, is_oneline=oneline)
    if as_json:
        return (json_line(entry, listing.labels) for entry in listing.entries)
    return renderer.oneline(listing.entries) if oneline else renderer.listing(listing.entries, listing.labels)


def _thread(environment: Environment, room: str | None, locator: str) -> Listing:
    """The whole thread of a record."""
    from gitchat.verbs.room import Room  # brings SQLite, which a plain log does without

    return Room(environment, room).thread(locator)


def _narrowed(listing: Listing, query: Query, limit: int | None) -> Listing:
    """What of ``listing`` fits ``query``, and of that the newest ``limit``."""
    entries = [entry for entry in listing.entries if query.matches(entry)]
    return replace(listing, entries=entries[max(0, len(entries) - limit) :] if limit is not None else entries)


def _pattern(text: str, ignore_case: bool, fixed: bool) -> re.Pattern[str]:
    try:
        return re.compile(re.escape(text) if fixed else text, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:
        raise UserError(
            f"--grep: {text!r} is not a regular expression: {error}",
            hint="add -F to search for it as it stands",
            code="bad-pattern",
        ) from error


def _say_empty(environment: Environment, name: RoomName, as_json: bool, is_filtered: bool) -> None:
    """Tell a person why nothing is shown; a room that was named and is not there is an error."""
    is_quiet = as_json or not sys.stderr.isatty()
    if name in environment.store.rooms():
        if is_filtered and not is_quiet:
            click.echo("no message matches", err=True)
    elif name != environment.room_name(None):
        environment.refuse_unknown_room(name)
    elif not is_quiet:
        click.echo(f"Room '{name}' is empty. Write the first message: git chat send \"hello\"", err=True)
        if environment.is_new_clone():
            click.echo("Others may have written at a remote. Fetch it: git chat sync", err=True)
