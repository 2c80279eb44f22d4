"""``git chat conflicts``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.terminal import Screen, escape_json, escape_line
from gitchat.model.hunks import spelled
from gitchat.model.record import Moment
from gitchat.work.looking import Looked, Pair
from gitchat.work.merging import Meeting
from gitchat.workspace.environment import Environment


@click.command("conflicts")
@click.argument("name", required=False)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is a conflict.")
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file that two change.")
@click.option("--aside", is_flag=True, hidden=True, help="What a hook starts: look at everybody's, and say nothing.")
@options.color
@options.no_color
@click.pass_context
def command(
    context: click.Context,
    name: str | None,
    exit_code: bool,
    room: str | None,
    as_json: bool,
    aside: bool,
    color: str | None,
) -> None:
    """Show what will not merge, before it is merged.

    Compares your work in this worktree, committed or not, or that of NAME, with the work in all other worktrees of
    this clone and with the branch that all of it is meant for (chat.base, else what the remote calls HEAD, else main or
    master). git itself tries each merge, in memory: no file, index, branch or stash changes.

    Of other clones it is compared with the branches that they told of in the last two weeks, and with what they share
    that nobody pushed yet: git config chat.share work. Sync brings both.

    Work that nobody touched for a week is shown with the days, and nobody is told of it.

    Files that chat.conflictsIgnore names are left out (git config --add chat.conflictsIgnore '*.lock').

    \b
    Examples:
      git chat conflicts
      git chat conflicts --exit-code || echo "talk first"
    """
    from gitchat.verbs.room import Room

    environment: Environment = context.obj

    if aside:
        from gitchat.verbs.conflicting import glance

        glance(Room(environment))
        return
    found = Room(environment, arrive(environment, room)).conflicts(name)
    if as_json:
        sys.stdout.writelines(_json_lines(found, environment.now()))
    else:
        screen = terminal.screen_for(environment, color)
        for line in [*_lines(screen, found, environment.now()), *_not_shared(environment), *_not_unasked(environment)]:
            click.echo(line)
    if exit_code and any(pair.conflicts for pair in found.pairs):
        context.exit(1)


def _not_shared(environment: Environment) -> Iterator[str]:
    """What others do not see of the work here, where they should see all of it."""
    from gitchat.verbs.sharing import left_out

    for path, why in left_out(environment):
        yield f"not shared: {escape_line(path + ': ' if path else '')}{escape_line(why)}"


def _not_unasked(environment: Environment) -> Iterator[str]:
    """That nobody looks but who asks."""
    from gitchat.verbs.unasked import why_not

    if (why := why_not(environment)) is not None:
        yield why


def _lines(screen: Screen, found: Looked, now: Moment) -> Iterator[str]:
    if not found.mine:
        yield f"nothing is changed here that {escape_line(found.base.label)} lacks"
        return
    for pair in found.pairs:
        yield _title(pair, now)
        if pair.not_looked is not None:
            yield f"    not looked at: {escape_line(pair.not_looked)}"
        paths = [escape_line(one.path) for one in pair.meetings]
        width = max(map(len, paths), default=0)
        for path, one in zip(paths, pair.meetings, strict=True):
            outcome = screen.style(one.outcome, color=None if one.outcome == "merges" else "red")
            yield f"    {path.ljust(width)}  {_where(one).ljust(36)}  {outcome}"
    if not found.pairs:
        yield "nobody changes what you changed" if not found.not_looked else "none of what was looked at meets yours"
    for label, why in found.not_looked:
        yield f"{escape_line(label)}: not looked at: {escape_line(why)}"
    seen = [_count(found.worktrees, "worktree"), *([f"{found.abroad} in other clones"] if found.abroad else [])]
    older = " (fetched for you; yours is older)" if found.base.is_ahead_of_users else ""
    yield f"looked at {', '.join(seen)} and {escape_line(found.base.label)}{older}"
    owner = next((pair.other.names[0] for pair in found.pairs if pair.conflicts and pair.other.names), None)
    if owner is not None:
        yield f'next: git chat send --to {owner} "..."'


def _title(pair: Pair, now: Moment) -> str:
    other = pair.other
    if other.is_base:
        return f"with {escape_line(other.label)}, {_count(pair.mine.behind, 'commit')} ahead of you"
    names = ", ".join(other.names) or "somebody"
    state = "" if other.is_committed else ", not committed"
    idle = f", idle for {days} days" if (days := other.idle_days(now.seconds)) is not None else ""
    return f"with {names}: {escape_line(other.label)}{state}{idle}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _where(one: Meeting) -> str:
    if one.outcome == "merges" or not (one.here and one.there):
        return "both change it"
    return f"{spelled(one.here)} here, {spelled(one.there)} there"


def _json_lines(found: Looked, now: Moment) -> Iterator[str]:
    for pair in found.pairs:
        about: dict[str, object] = {
            "with": list(pair.other.names) if not pair.other.is_base else None,
            "side": pair.other.label,
            "committed": pair.other.is_committed,
        }
        if (days := pair.other.idle_days(now.seconds)) is not None:
            about["idle_days"] = days
        for one in pair.meetings:
            told = about | {"path": one.path, "outcome": one.outcome, "here": one.here, "there": one.there}
            yield escape_json(json.dumps(told, ensure_ascii=False)) + "\n"
        if pair.not_looked is not None:
            yield escape_json(json.dumps(about | {"not_looked": pair.not_looked}, ensure_ascii=False)) + "\n"
    for label, why in found.not_looked:
        yield escape_json(json.dumps({"side": label, "not_looked": why}, ensure_ascii=False)) + "\n"
