"""What a verb that is typed does before it looks at a room: it sees whether the room is at the clone's remote."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace

import click

from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import look_seconds


def arrive(environment: Environment, given: str | None) -> RoomName:
    """The room that was ``given``, or is meant; where it is not here, join the rooms of the clone's remote first.

    Says on standard error where it goes. Waits 3 seconds at the most; what takes longer goes on aside. Fails never:
    what is wrong here meets whoever goes on. Raises UserError ``bad-name``, ``bad-config``.
    """
    room = environment.room_name(given)
    if not environment.authorities.has_arrived(room):
        _look(environment, room)
    with suppress(ChatError):  # whoever goes on meets it
        if environment.store.tip(log_ref(room)) is None:
            _tell_of_superproject(environment, room)
    return room


def arrive_anywhere(environment: Environment) -> None:
    """As :func:`arrive`, for who asks which rooms there are."""
    if environment.repository.arrives_at() is not None:
        _look(environment, None)


def _tell_of_superproject(environment: Environment, room: RoomName) -> None:
    """Say that this is a submodule's clone, where the room is that of the project around it."""
    from gitchat.cli.terminal import escape_line  # for who has no such room
    from gitchat.storage import git

    top = environment.repository.superproject()
    if top is None:
        return
    around = replace(environment, cwd=str(top), variables=git.scrub(environment.variables))
    if around.store.tip(log_ref(room)) is not None:
        name = environment.repository.worktree_name
        there = f"git -C {shlex.quote(str(top))} chat log --room {room}"
        words = f"this is the clone of the submodule '{name}', without a room '{room}'"
        click.echo(escape_line(f"{words}; the project around it has one: {there}"), err=True)


def _look(environment: Environment, room: RoomName | None) -> None:
    from gitchat.cli.terminal import escape_line  # for who arrives
    from gitchat.clones.looking import Asker
    from gitchat.workspace import arriving

    try:
        said = arriving.arrive(environment, Asker.VERB, room, limit_seconds=look_seconds(environment.variables))
    except ChatError as error:
        said = [str(error)]
    for sentence in said:
        click.echo(escape_line(sentence), err=True)
