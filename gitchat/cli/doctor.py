"""``git chat doctor``."""

from __future__ import annotations

import click

from gitchat.cli import findings, options
from gitchat.environment import Environment


@click.command("doctor")
@click.option("--fix", is_flag=True, help="First mend what can be mended here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@options.color
@options.no_color
@click.pass_context
def command(context: click.Context, fix: bool, as_json: bool, color: str | None) -> None:
    """Look for what is wrong with the rooms here, and say how to mend it.

    Quick: of each room only the newest messages are read. To read all: git chat verify.
    Without --fix nothing is changed. The exit status is 1 when something is wrong.
    """
    from gitchat.doctor import examine

    environment: Environment = context.obj
    if fix:
        for done in environment.store.repair():
            click.echo(f"fixed: {done}", err=as_json)
    if findings.show(environment, examine(environment), as_json, color):
        context.exit(1)
