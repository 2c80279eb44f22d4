"""``git chat deliver``, which gitchat starts by itself after somebody said something."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.workspace.environment import Environment

PREDECESSOR_SECONDS = 10.0
"""How long to wait for the lock of who started us and is about to end."""


@click.command("deliver", hidden=True)
@click.argument("remote")
@click.option("--held", type=int, metavar="DESCRIPTOR", help="The lock that who started us handed on.")
@click.option("--for-hooks", is_flag=True, help="Stay a minute; the lock is that of who pushes for hooks.")
@click.pass_obj
def command(environment: Environment, remote: str, held: int | None, for_hooks: bool) -> None:
    """Push what waits here for REMOTE, and what is said meanwhile, and end.

    Happens by itself. Prints nothing, whatever happens: what is wrong is noted for who sends next.
    """
    from gitchat.staying import pusher
    from gitchat.storage import gate
    from gitchat.workspace.pushing import hook_lock_of, lock_of

    with suppress(Exception):  # nobody is there to be told, and the repository may be gone
        name = hook_lock_of(remote) if for_hooks else lock_of(remote)
        directory = environment.repository.directory
        lock = gate.adopt(held) if held is not None else gate.hold(directory, PREDECESSOR_SECONDS, name)
        pusher.start(environment, remote, lock, is_for_hooks=for_hooks)
