"""``git chat pull``."""

from __future__ import annotations

import click

from gitchat.cli import options, syncing
from gitchat.workspace.environment import Environment


@click.command("pull")
@click.argument("remote", required=False, metavar="[REMOTE|FILE]")
@options.room
@syncing.yes
@syncing.dry_run
@syncing.as_json
@click.pass_obj
def command(
    environment: Environment, remote: str | None, room: str | None, has_consent: bool, dry_run: bool, as_json: bool
) -> None:
    """Take what is new at a remote or in a file.

    Nothing is pushed. FILE is what git chat bundle wrote, or - for standard input; a remote of that name goes
    first. A room that is not here keeps its numbers; of one that is here only what is new comes in, behind what is
    here.

    A fork is a remote, too: what its clones say who may not push to where a room is numbered waits there, in inboxes.
    It is taken in, and pushed with what is said here. Look whose names it bears: whoever may push to the fork could
    write any. (chat.forks names forks that whoever stays looks at.)

    \b
    Examples:
      git chat pull
      git chat pull origin --dry-run
      git chat pull rooms.bundle
    """
    from gitchat.workspace import carrying  # for who carries

    path = carrying.meant(environment, remote)
    if path is not None:
        from gitchat.cli.carrying import pull_file

        pull_file(environment, path, room, has_consent=has_consent, is_dry_run=dry_run, as_json=as_json)
        return
    if remote is not None and not _is_authority(environment, remote):
        from gitchat.cli.carrying import pull_fork

        if pull_fork(environment, remote, room, has_consent=has_consent, is_dry_run=dry_run, as_json=as_json):
            return
    syncing.bring_together(
        environment, remote, room, syncing.Agreement(has_consent), pushes=False, as_json=as_json, is_dry_run=dry_run
    )


def _is_authority(environment: Environment, remote: str) -> bool:
    return remote in environment.authorities.all().values()
