"""``git chat count``, which gitchat starts by itself where somebody looks at a long log for the first time."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.cli import options
from gitchat.model.errors import ConflictError
from gitchat.storage import gate
from gitchat.workspace.environment import Environment


@click.command("count", hidden=True)
@options.room
@click.pass_obj
def command(environment: Environment, room: str | None) -> None:
    """Count the messages of a room, and index them. One process of a clone does it."""
    name = environment.room_name(room)
    with suppress(ConflictError), gate.hold(environment.store.directory, 0, "counting.lock"):
        environment.log(name).count()
        environment.log(name).chain()
