"""``git chat deliver``, which gitchat starts by itself after somebody said something."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.model.names import parse_room
from gitchat.workspace.environment import Environment


@click.command("deliver", hidden=True)
@click.argument("remote")
@click.option("--held", type=int, metavar="DESCRIPTOR", help="The lock that who started us handed on.")
@click.option("--for-hooks", is_flag=True, help="Stay a minute; the lock is that of who pushes for hooks.")
@click.option("--knock", multiple=True, metavar="ROOM", help="Push nothing; say where the log of ROOM stands.")
@click.option("--begun", multiple=True, metavar="ROOM", help="The same, of a room that REMOTE had not before.")
@click.pass_obj
def command(
    environment: Environment,
    remote: str,
    held: int | None,
    for_hooks: bool,
    knock: tuple[str, ...],
    begun: tuple[str, ...],
) -> None:
    """Push what waits here for REMOTE, and what is said meanwhile, and end.

    Without a lock that was handed on it is for somebody who is about to end: those last words go at once.

    Happens by itself. Prints nothing, whatever happens: what is wrong is noted for who sends next.
    """
    from gitchat.clones.settling import settle
    from gitchat.staying import knocking, pusher
    from gitchat.storage import gate
    from gitchat.workspace.remotes import open_remote

    with suppress(Exception):  # nobody is there to be told, and the repository may be gone
        if knock or begun:
            knocking.knock_for(environment, remote, [*map(parse_room, knock)], [*map(parse_room, begun)])
            return
        if held is not None:
            pusher.start(environment, remote, gate.adopt(held), is_for_hooks=for_hooks)
            return
        with knocking.Knocking(environment, remote) as doorbell:
            doorbell.tell(settle(open_remote(environment, remote), None, is_asked=False, random=environment.random))
