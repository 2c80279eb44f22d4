"""``git chat pack``, which gitchat starts by itself after many messages."""

from __future__ import annotations

import click

from gitchat.storage import git
from gitchat.workspace.environment import Environment


@click.command("pack", hidden=True)
@click.pass_obj
def command(environment: Environment) -> None:
    """Pack the messages that this clone wrote lately, and nothing else.

    Happens by itself. Prints how many objects were packed.
    """
    packed = environment.store.pack(git.scrub(environment.variables))
    click.echo(f"packed {packed} objects")
