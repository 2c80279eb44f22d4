"""``git chat log``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import dates, narrowing, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.grammar import Counted
from gitchat.cli.render import Renderer, json_line
from gitchat.model.names import Oid, RoomName
from gitchat.model.query import Query
from gitchat.rooms.log import Listing, Log
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.verbs.anchoring import At

DEFAULT_COUNT = 50
"""How much one screen of history is, when nothing narrows the listing."""


@click.command("log", cls=Counted)
@click.argument("range_", metavar="[RANGE]", required=False)
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
@narrowing.shared
@click.option("--commit", metavar="REV", help="About this commit of the project: HEAD~2, a branch, an id.")
@click.option(
    "--at", metavar="FILE", help="About this file, or the files below this directory; and where they are now."
)
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
    range_: str | None,
    since: str | None,
    room: str | None,
    at: str | None,
    thread: str | None,
    graph: bool,
    reverse: bool,
    oneline: bool,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
    **narrowed: Any,
) -> None:
    """Show messages, the newest last.

    RANGE is 5, 3..7, 3.. or ..7: these messages. -5 is the newest five.

    \b
    Examples:
      git chat log
      git chat log -5
      git chat log 3..7
      git chat log --since yesterday --from alice
      git chat log --between alice codex --oneline
      git chat log --thread 12 --graph
      git chat log --commit HEAD
      git chat log --at src/lexer.py
      git chat log --json | jq -r .content
    """
    _refuse_both(graph, reverse or as_json)
    if at is not None and thread is not None:
        raise click.UsageError("--at and --thread exclude each other")
    name = arrive(environment, room)
    chat = environment.log(name)
    query = _query(environment, chat, range_, since, **narrowed)
    is_whole = since is not None or range_ is not None or thread is not None or query.commit is not None
    limit = None if everything else count if count is not None else None if is_whole else DEFAULT_COUNT
    listing = _listing(environment, chat, query, limit, thread, at, waits=as_json)
    _count_aside(environment, name, listing)
    if not listing.entries and listing.damage is None:
        _say_empty(environment, name, as_json, query, is_filtered=query != Query() or (thread or at) is not None)
    if reverse:
        listing.entries.reverse()
    screen = terminal.screen_for(environment, color)
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty())
    places = _places(environment, room, listing) if at is not None else {}
    renderer = Renderer(screen, style, environment.now(), places, default_room=environment.room_name(None))
    output = _lines(renderer, listing, graph, oneline, as_json)
    if sys.stdout.isatty() and count is None and limit == len(listing.entries) and not reverse and not as_json:
        output = chain([screen.style("(earlier messages: git chat log --all)", dim=True) + "\n"], output)
    _print(environment, output, is_plain=no_pager or as_json, from_end=not reverse)
    if listing.damage is not None:
        raise listing.damage


def _listing(
    environment: Environment,
    chat: Log,
    query: Query,
    limit: int | None,
    thread: str | None,
    at: str | None,
    *,
    waits: bool,
) -> Listing:
    """What is asked for: a thread, what is about a file or a commit, or of all."""
    if thread is not None:
        return _narrowed(_thread(environment, chat.name, thread), query, limit)
    if at is not None:
        return _narrowed(_about(environment, chat.name, at), query, limit)
    if query.commit is not None:
        return _narrowed(chat.about_commit(query.commit), query, limit)
    return chat.listing(query, limit, waits=waits)


def _print(environment: Environment, output: Iterable[str], *, is_plain: bool, from_end: bool) -> None:
    if is_plain:
        sys.stdout.writelines(output)
    else:
        terminal.page(environment, output, from_end=from_end)


def _count_aside(environment: Environment, name: RoomName, listing: Listing) -> None:
    """Have a long log counted where it was not yet, and say why there are no numbers."""
    if listing.is_counted:
        return
    environment.start_aside("count", "--room", name)
    click.echo(
        f"note: the messages of room '{name}' are counted for the first time here; until then they go by their handles",
        err=True,
    )


def _refuse_both(graph: bool, other: bool) -> None:
    if graph and other:
        raise click.UsageError("--graph and --reverse or --json exclude each other")


def _query(
    environment: Environment,
    chat: Log,
    range_: str | None,
    since: str | None,
    *,
    until: str | None,
    commit: str | None,
    **others: Any,
) -> Query:
    """What the options that narrow a listing ask for. Raises UserError for what cannot be read."""
    if range_ is not None:
        if since is not None or until is not None:
            raise click.UsageError("RANGE and --since or --until exclude each other")
        after, through = narrowing.parse_range(range_, chat.find)
        since_seconds = until_seconds = None
    else:
        after, since_seconds = dates.bound_of(environment, chat.find, since, "--since")
        through, until_seconds = dates.bound_of(environment, chat.find, until, "--until")
    return narrowing.query(
        after=after,
        through=through,
        since_seconds=since_seconds,
        until_seconds=until_seconds,
        commit=environment.repository.commit(commit) if commit is not None else None,
        **others,
    )


def _lines(renderer: Renderer, listing: Listing, graph: bool, oneline: bool, as_json: bool) -> Iterable[str]:
    if graph:
        return renderer.graph(listing.entries, listing.labels, is_oneline=oneline)
    if as_json:
        return (json_line(entry, listing.labels, renderer.at.get(entry.oid)) for entry in listing.entries)
    return renderer.oneline(listing.entries) if oneline else renderer.listing(listing.entries, listing.labels)


def _thread(environment: Environment, room: str | None, locator: str) -> Listing:
    """The whole thread of a record."""
    from gitchat.verbs.room import Room  # brings SQLite, which a plain log does without

    return Room(environment, room).thread(locator)


def _about(environment: Environment, room: str | None, file: str) -> Listing:
    """All that was said about a file."""
    from gitchat.verbs.room import Room  # brings SQLite, which a plain log does without

    chat = Room(environment, room)
    entries = chat.after(0, chat.about(file))
    return Listing(entries, chat.labels(entries), None)


def _places(environment: Environment, room: str | None, listing: Listing) -> Mapping[Oid, Sequence[At]]:
    """Where what is listed is now."""
    from gitchat.verbs.anchoring import listed
    from gitchat.verbs.standpoint import Standpoint

    return listed(Standpoint(environment, room), listing.entries)


def _narrowed(listing: Listing, query: Query, limit: int | None) -> Listing:
    """What of ``listing`` fits ``query``, and of that the newest ``limit``."""
    entries = [entry for entry in listing.entries if query.matches(entry)]
    return replace(listing, entries=entries[max(0, len(entries) - limit) :] if limit is not None else entries)


def _say_empty(environment: Environment, name: RoomName, as_json: bool, query: Query, is_filtered: bool) -> None:
    """Tell a person why nothing is shown; a room that was named and is not there is an error."""
    is_quiet = as_json or not sys.stderr.isatty()
    if name in environment.store.rooms():
        is_told = not as_json and _say_unheard(environment, name, query)
        if is_filtered and not is_quiet and not is_told:
            click.echo("no message matches", err=True)
    elif name != environment.room_name(None):
        environment.refuse_unknown_room(name)
    elif not is_quiet:
        click.echo(f"Room '{name}' is empty. Write the first message: git chat send \"hello\"", err=True)
        if environment.is_new_clone():
            click.echo("Others may have written at a remote. Fetch it: git chat sync", err=True)


def _say_unheard(environment: Environment, name: RoomName, query: Query) -> bool:
    """Say which names in a filter nobody here has, where others are like them; whether that was said."""
    from gitchat.verbs import unheard  # for who found nothing

    lines = []
    for option, given in (("--from", query.sender), ("--to", query.recipient)):
        for new in unheard.people(environment, name, [given] if given is not None else []):
            lines += [f"{new}: git chat log {option} {new.likest}"] if new.likest is not None else []
    if (kind := unheard.kind(query.type)) is not None:
        lines.append(f"{kind}: git chat log --type {kind.likest}")
    for line in lines:
        click.echo(line + options.in_room(environment, name), err=True)
    return bool(lines)
