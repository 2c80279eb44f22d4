"""``git chat sync``."""

from __future__ import annotations

import click

from gitchat.cli import options, syncing
from gitchat.environment import Environment


@click.command("sync")
@syncing.remote
@options.room
@syncing.yes
@syncing.as_json
@click.pass_obj
def command(environment: Environment, remote: str | None, room: str | None, has_consent: bool, as_json: bool) -> None:
    """Bring the rooms here and those of a git remote together.

    The first time attaches each room to REMOTE, which gives its numbers from then on: a message that it
    has not accepted yet has a handle (~k3f9q2) and no number.

    \b
    Examples:
      git chat sync
      git chat sync origin --room lobby
    """
    syncing.bring_together(environment, remote, room, has_consent=has_consent, pushes=True, as_json=as_json)
