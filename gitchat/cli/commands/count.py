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
@click.option("--held", type=int, metavar="DESCRIPTOR", help="The turn that who started us handed on.")
@click.pass_obj
def command(environment: Environment, room: str | None, held: int | None) -> None:
    """Count the messages of a room, and index them. One process of a clone does it."""
    from gitchat.index.building import TURN  # brings SQLite

    name = environment.room_name(room)
    with (
        suppress(ConflictError),
        gate.adopt(held) if held is not None else gate.hold(environment.store.directory, 0, TURN),
    ):
        environment.index.builder.has_turn = True
        environment.numbering(name).take_in()
