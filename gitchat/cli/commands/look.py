"""``git chat look``: what gitchat starts aside where nobody waits for a remote."""

from __future__ import annotations

from contextlib import suppress

import click

from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import outside_the_hook


@click.command("look")
@click.option("--post", "event", metavar="EVENT", help="Then tell the room what git did.")
@click.option("--head", metavar="LINES", help="Where HEAD stood, for --post.")
@click.option("--rewritten", metavar="LINES", default="", help="What git gave post-rewrite, for --post.")
@click.pass_obj
def command(environment: Environment, event: str | None, head: str | None, rewritten: str) -> None:
    """Join the rooms of the clone's remote; says nothing. Run by gitchat itself."""
    from gitchat.clones.looking import Asker
    from gitchat.workspace import arriving

    outside = outside_the_hook(environment)
    with suppress(ChatError):  # it is looked again, and who syncs by hand is told
        arriving.arrive(outside, Asker.HOOK if event else Asker.VERB, is_forced=True)
    if event is not None:
        from gitchat.githooks import statuses

        statuses.post(outside, event, head, rewritten, may_look=False)
