"""What a verb that is typed does before it looks at a room: it sees whether the room is at the clone's remote."""

from __future__ import annotations

import click

from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
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
    return room


def arrive_anywhere(environment: Environment) -> None:
    """As :func:`arrive`, for who asks which rooms there are."""
    if environment.repository.arrives_at() is not None:
        _look(environment, None)


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
