"""What ``git chat pull`` does with a file, and what it tells of messages that came another way than from a remote."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitchat.cli import arriving, terminal
from gitchat.model.errors import UserError
from gitchat.model.names import RoomName, parse_room
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.workspace.carrying import Arrival

SHOWN_AUTHORS = 5


def pull_file(
    environment: Environment, path: Path, room: str | None, *, has_consent: bool, is_dry_run: bool, as_json: bool
) -> None:
    """Take in the bundle at ``path``, and tell what came. Raises as carrying.pull, and UserError ``is-a-terminal``."""
    from gitchat.workspace import carrying, guarding  # for who carries

    shown = click.get_current_context().params["remote"]
    with ExitStack() as held:
        if str(path) == carrying.STDIN:
            if sys.stdin.isatty():
                raise UserError(
                    "a bundle cannot be typed",
                    hint="give the file: git chat pull FILE",
                    code="is-a-terminal",
                )
            path = held.enter_context(carrying.spooled(environment, sys.stdin.buffer))
        arrival = carrying.pull(
            environment,
            path,
            shown,
            parse_room(room) if room is not None else None,
            arrive=lambda one: arriving.arrive(environment, one),
            agreed=lambda one: has_consent,
            is_dry_run=is_dry_run,
        )
    guarding.refresh_after(environment, has_come=not is_dry_run)
    tell(environment, arrival, shown, as_json=as_json, is_dry_run=is_dry_run)


def pull_fork(
    environment: Environment, name: str, room: str | None, *, has_consent: bool, is_dry_run: bool, as_json: bool
) -> bool:
    """Take in the inboxes at the remote ``name``, and tell what came; False where there is none. Raises as take."""
    from gitchat.workspace.guarding import refresh_after  # for who has forks, as the next
    from gitchat.workspace.inboxes import take

    name = environment.repository.remote_name(name)
    arrival = take(
        environment,
        name,
        parse_room(room) if room is not None else None,
        agreed=lambda one: has_consent,
        is_typed=True,
        is_dry_run=is_dry_run,
    )
    if arrival is not None:
        refresh_after(environment, has_come=not is_dry_run)
        tell(environment, arrival, name, as_json=as_json, is_dry_run=is_dry_run)
    return arrival is not None


def tell(environment: Environment, arrival: Arrival, source: str, *, as_json: bool, is_dry_run: bool) -> None:
    """Print what came, and have what waits for a number pushed. Where a room was refused the exit status is 1."""
    if as_json:
        click.echo(terminal.json_text(_to_json(arrival, source, is_dry_run)))
    else:
        _tell(environment, arrival, source, is_dry_run=is_dry_run)
    if not is_dry_run:
        _push(environment, [room for room, taken in arrival.taken.items() if taken.count])
    if arrival.refused:  # or a script would throw away the file
        click.get_current_context().exit(1)


def _tell(environment: Environment, arrival: Arrival, source: str, *, is_dry_run: bool) -> None:
    done = "to take in" if is_dry_run else "taken in"
    for room, taken in arrival.taken.items():
        if not taken.count and not taken.left_out:
            continue
        authority = environment.authorities.of(room)
        waits = f", pending until '{authority}' has them" if authority is not None and taken.count else ""
        is_new = ", new here" if taken.is_new else ""
        out = f"; {taken.left_out} about the room itself left out" if taken.left_out else ""
        authors = f" of {_names(taken.authors)}" if taken.authors else ""
        click.echo(f"{room}: {taken.count} {done}{terminal.escape_line(authors + is_new + waits + out)}")
    if not any(taken.count or taken.left_out for taken in arrival.taken.values()) and not arrival.left:
        click.echo(terminal.escape_line(f"nothing new: all that {source} has is here"))
    for room, why in arrival.left.items():
        click.echo(f"warning: room '{room}' is left alone: {terminal.escape_line(why)}", err=True)


def _names(authors: tuple[str, ...]) -> str:
    more = f" and {len(authors) - SHOWN_AUTHORS} others" if len(authors) > SHOWN_AUTHORS else ""
    return ", ".join(authors[:SHOWN_AUTHORS]) + more


def _push(environment: Environment, rooms: list[RoomName]) -> None:
    from gitchat.workspace.pushing import push_soon  # for who brought something

    for room in rooms:
        push_soon(environment, room)


def _to_json(arrival: Arrival, source: str, is_dry_run: bool) -> dict[str, object]:
    shown: dict[str, object] = {
        "source": source,
        "taken": {
            room: {
                "count": taken.count,
                "authors": list(taken.authors),
                "new": taken.is_new,
                "left_out": taken.left_out,
            }
            for room, taken in arrival.taken.items()
        },
        "left": dict(arrival.left),
    }
    return shown | ({"dry_run": True} if is_dry_run else {})
