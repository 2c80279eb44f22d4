"""``git chat pull``."""

from __future__ import annotations

import click

from gitchat.cli import options, syncing
from gitchat.workspace.environment import Environment


@click.command("pull")
@syncing.remote
@options.room
@syncing.yes
@syncing.dry_run
@syncing.as_json
@click.pass_obj
def command(
    environment: Environment, remote: str | None, room: str | None, has_consent: bool, dry_run: bool, as_json: bool
) -> None:
    """Take what is new at a git remote, and push nothing."""
    syncing.bring_together(
        environment, remote, room, syncing.Agreement(has_consent), pushes=False, as_json=as_json, is_dry_run=dry_run
    )
