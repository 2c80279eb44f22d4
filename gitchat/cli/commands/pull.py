"""``git chat pull``."""

from __future__ import annotations

from functools import partial

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
    here. Where something is wrong with a room, the others come in, and the exit status is 1.

    A fork is a remote, too: what its clones say who may not push to where a room is numbered waits there, in inboxes.
    Where the fork is named it is taken in, and pushed with what is said here. Look whose names it bears: whoever may
    push to the fork could write any. (chat.forks names forks that whoever stays looks at.)

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
    takes = partial(_take_inboxes, environment, remote, room, has_consent, dry_run, as_json)
    is_authority = remote is not None and remote in environment.authorities.all().values()
    if not is_authority and takes():
        return
    syncing.bring_together(
        environment, remote, room, syncing.Agreement(has_consent), pushes=False, as_json=as_json, is_dry_run=dry_run
    )
    if is_authority:  # a fork of one project can be where rooms of another are numbered
        takes()


def _take_inboxes(
    environment: Environment, remote: str | None, room: str | None, has_consent: bool, is_dry_run: bool, as_json: bool
) -> bool:
    """Whether the remote, where one is named, has inboxes, which are taken in then."""
    if remote is None:
        return False
    from gitchat.cli.carrying import pull_fork  # for who names a remote

    return pull_fork(environment, remote, room, has_consent=has_consent, is_dry_run=is_dry_run, as_json=as_json)
