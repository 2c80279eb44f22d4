"""``git chat take``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.handing import lines_of_notes
from gitchat.cli.terminal import escape_line, escape_name
from gitchat.model.overlay import Overlay, counted, shown
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.verbs.room import Room
    from gitchat.verbs.taking import Took


@click.command("take")
@click.argument("number", required=False)
@click.option("--merge", is_flag=True, help="Mark in the files what cannot be merged, as git merge does; exit with 1.")
@click.option(
    "--index/--no-index", "with_index", default=True, help="Stage what was staged; or nothing.  [default: --index]"
)
@click.option("--worktree", metavar="DIR", help="Take it in a new worktree, at the commit that it stands on.")
@click.option(
    "--force", is_flag=True, help="Take what programs act by unasked, and links that lead elsewhere: you have looked."
)
@click.option("--undo", is_flag=True, help="Put back what was there before the last taking in this worktree.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Take it under this name.")
@click.option("--json", "as_json", is_flag=True, help="Print what was taken as JSON.")
@click.pass_context
def command(
    context: click.Context,
    number: str | None,
    merge: bool,
    with_index: bool,
    worktree: str | None,
    force: bool,
    undo: bool,
    room: str | None,
    as_: str | None,
    as_json: bool,
) -> None:
    """Take the work that message NUMBER hands over.

    What was changed, staged, new or deleted there is so here, in this worktree; nothing is committed. What is committed
    here meanwhile is merged with it. Its giver is told.

    Everything is checked first. Where a file here has changes of its own, or git cannot merge, nothing is touched, and
    the error names the paths: commit or stash them, or take it in a worktree of its own.

    Look before you take: git chat show NUMBER --diff.

    \b
    Examples:
      git chat take 52
      git chat take 52 --worktree ../review
      git chat take --undo
    """
    from gitchat.cli.naming import may_speak
    from gitchat.verbs.room import Room

    environment: Environment = context.obj
    if undo == (number is not None):
        raise click.UsageError("give a NUMBER, or --undo")
    if undo and (merge or worktree or force):
        raise click.UsageError("--undo goes alone")
    if undo:
        _undo(Room(environment, environment.room_name(room)), as_json)
        return
    environment.repository.refuse_mirror()
    chat = Room(environment, arrive(environment, room), may_speak(environment, as_))
    took = chat.take(number or "", merge=merge, index=with_index, worktree=worktree, force=force)
    if as_json:
        click.echo(terminal.json_text(_told(took)))
    else:
        for line in _lines(took):
            click.echo(line)
    for line in lines_of_notes(took.notes):
        click.echo(line, err=True)
    if not as_json:
        for line in _advice(took):
            click.echo(line, err=True)
    if took.conflicts:
        context.exit(1)


def _undo(room: Room, as_json: bool) -> None:
    taken = room.undo_take()
    paths = [step.path for step in taken.steps]
    if as_json:
        click.echo(terminal.json_text({"undone": taken.uid, "room": taken.room, "paths": [*map(shown, paths)]}))
    else:
        click.echo(
            f"put back {len(paths)} file{'s' if len(paths) != 1 else ''}: {escape_line(taken.words)} is gone here"
        )


def _lines(took: Took) -> Iterator[str]:
    record = took.entry.record
    commit = f" ({record.commit[:7]})" if record.commit else ""
    of = f" on {escape_line(record.branch)}" if record.branch else ""
    what = f"{escape_name(record.author)}'s work{of}{commit}"
    if took.is_same:
        yield f"nothing to apply: all of {what} is here already"
        return
    where = escape_line(took.branch) if took.branch else "no branch"
    if took.is_apart:
        where = escape_line(os.path.relpath(took.top))
    staged = f"; {len(took.staged)} staged as they were" if took.staged else ""
    yield f"applied {what} to {where}: {counted(took.overlay)}{staged}"
    for path in took.conflicts:
        yield f"conflict in {escape_line(shown(path))}"


def _advice(took: Took) -> Iterator[str]:
    if took.takers:
        yield f"note: {', '.join(map(escape_name, took.takers))} took it before you"
    if took.commits is not None and not took.is_same:
        yield f"note: the commits that it stands on came along: git log {took.commits}"
    if took.is_apart:
        yield f"to be rid of it: git worktree remove --force {escape_line(shlex.quote(os.path.relpath(took.top)))}"
    elif not took.is_same:
        yield "to put back what was here: git chat take --undo"


def _told(took: Took) -> dict[str, Any]:
    """The JSON form."""
    overlay: Overlay = took.overlay
    record = took.entry.record
    staged, conflicts = {*took.staged}, {*took.conflicts}
    return {
        "id": took.entry.number,
        "handle": took.entry.handle,
        "room": took.entry.room,
        "from": record.author,
        "branch": record.branch,
        "commit": record.commit,
        "applied": not took.is_same,
        "merged": took.is_merged,
        "worktree": str(took.top),
        "commits": took.commits,
        "taken_before_by": list(took.takers),
        "paths": [
            {
                "path": shown(path),
                "change": overlay.change(path),
                "staged": path in staged,
                "conflict": path in conflicts,
            }
            for path in overlay.paths
        ],
    }
