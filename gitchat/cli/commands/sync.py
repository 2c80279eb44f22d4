"""``git chat sync``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, syncing
from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.report import Report


@click.command("sync")
@syncing.remote
@options.room
@syncing.yes
@syncing.dry_run
@click.option("--restore", "restores", is_flag=True, help="Bring back a room that was deleted at the remote.")
@click.option("--retry", "retries", is_flag=True, help="Try once more what the remote did not take, and was set aside.")
@click.option("--accept-purge", "takes_purges", is_flag=True, help="Take over what was purged there (chat.purge=ask).")
@click.option("--watch", is_flag=True, help="Then stay, and keep the rooms in step until you end it.")
@syncing.as_json
@click.pass_obj
def command(
    environment: Environment,
    remote: str | None,
    room: str | None,
    has_consent: bool,
    dry_run: bool,
    restores: bool,
    retries: bool,
    takes_purges: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Bring the rooms here and those of a git remote together.

    The first time attaches each room to REMOTE, which gives its numbers from then on: a message that it
    has not accepted yet has a handle (~k3f9q2) and no number.

    --watch pushes what is said here, and fetches what is said elsewhere: three times at once and then
    every 10 seconds at most, or every 2 with a remote that is near (chat.pace); less often while
    nothing happens. git chat mcp, watch and wait do the same by themselves, unless chat.sync is manual.

    What stands at REMOTE is compared with what stood there before. At another address nothing is joined or pushed
    unless it is the same log (or git chat remote move says that it moved); a room that was deleted there comes back
    with --restore alone.

    What REMOTE refuses while it takes what was said later (it found a password in it, it is too large) is set aside:
    it stays here, in git chat log and status, without a number. --retry tries it once more; git chat unsend ~k3f9q2
    takes it back.

    \b
    Examples:
      git chat sync
      git chat sync origin --room lobby
      git chat sync --dry-run
      git chat sync --watch
    """
    if retries and dry_run:
        raise click.UsageError("--retry and --dry-run exclude each other")
    if watch and (room is not None or dry_run):
        raise click.UsageError("--watch keeps all attached rooms in step; leave out --room and --dry-run")
    syncing.bring_together(
        environment,
        remote,
        room,
        syncing.Agreement(has_consent, restores=restores, retries=retries, takes_purges=takes_purges),
        pushes=True,
        as_json=as_json,
        is_dry_run=dry_run,
    )
    if watch:
        _watch(environment, environment.repository.remote_name(remote), as_json)


def _watch(environment: Environment, remote: str, as_json: bool) -> None:
    """Keep in step until somebody ends us."""
    from gitchat.staying.keeper import Keeper, Troubles

    troubles = Troubles(lambda trouble: syncing.warn([trouble]))

    def tell(done: Report | ChatError, seconds: float) -> None:
        troubles(done, seconds)
        if not isinstance(done, ChatError):
            syncing.show(done, as_json=as_json, is_brief=True)
            sys.stdout.flush()

    # A copy: it reads the configuration as it is after the rooms were attached.
    Keeper(replace(environment), remote, tell).run()
