"""``git chat invite``."""

from __future__ import annotations

import os
import shlex

import click

from gitchat.cli import terminal
from gitchat.model.errors import ChatError, UserError
from gitchat.workspace.environment import Environment


@click.command("invite", short_help="Print what somebody types to come into this room.")
@click.argument("client", required=False)
@click.option("--remote", metavar="REMOTE", help="Over this remote.  [default: chat.remote, origin, or the only one]")
@click.pass_obj
def command(environment: Environment, client: str | None, remote: str | None) -> None:
    """Print three lines that somebody types on another machine to come into this room.

    They install gitchat, clone this repository from its remote, and set up CLIENT, by default
    the one that is set up here. The address is without a password or token: who is invited
    needs a way of their own to read it.
    """
    from gitchat.cli import installing
    from gitchat.clones.address import public

    repository = environment.repository
    name = repository.remote_name(remote)
    told = os.fsdecode(repository.git("remote", "get-url", "--", name)).removesuffix("\n")
    chosen = _client(environment, client)
    address = public(told, str(repository.main_worktree))
    if address is None:
        helper = terminal.escape_line(told.partition("::")[0])
        raise UserError(
            f"the remote '{name}' is reached by a helper of this machine, {helper}",
            hint=f"name another one: git chat invite --remote REMOTE; remotes: {', '.join(repository.remotes())}",
            code="no-address",
        )
    directory = shlex.quote(
        address.rstrip("/").removesuffix("/.git").removesuffix(".git").replace(":", "/").rpartition("/")[2]
    )
    install = installing.here()
    click.echo(terminal.escape_line(install))
    click.echo(terminal.escape_line(f"git clone {shlex.quote(address)} {directory} && cd {directory}"))
    click.echo(f"git chat setup {chosen}")
    if install == installing.FROM_A_CLONE:
        click.echo("note: gitchat is on no index of packages yet: the first line is for who has a clone", err=True)
    if not any(environment.authorities.of(room) == name for room in environment.store.rooms()):
        click.echo(
            f"note: no room here follows {terminal.escape_line(name)} yet: git chat sync {shlex.quote(name)}", err=True
        )


def _client(environment: Environment, given: str | None) -> str:
    """The client to set up: what was given, what is set up here, else Claude Code."""
    from gitchat.setup import clients, upkeep

    if given is not None:
        found = clients.find(given)
        clients.refuse_unwritten([found])
        return found.name
    try:
        return next((one.client.name for one in upkeep.standings(environment) if one.is_set_up), "claude")
    except ChatError:
        return "claude"
