"""``git chat doctor``."""

from __future__ import annotations

from itertools import chain

import click

from gitchat.cli import findings, options, terminal
from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment


@click.command("doctor", short_help="Look for what is wrong, and say how to mend it.")
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
    from gitchat.care.doctor import examine
    from gitchat.cli.installing import with_extra

    environment: Environment = context.obj
    unmended = _fix(environment, as_json) if fix else []
    if findings.show(environment, chain(unmended, examine(environment, with_extra)), as_json, color):
        context.exit(1)


def _fix(environment: Environment, as_json: bool) -> list[findings.Finding]:
    """Mend and say so; a refusal becomes a finding, so that the others are still told."""
    from gitchat.care.repair import repair

    environment.repository.location
    try:
        for done in repair(environment.store):
            click.echo(terminal.escape_line(f"fixed: {done}"), err=as_json)
    except ChatError as error:
        return [findings.Finding("wrong", "fix", str(error), error.hint)]
    return []
