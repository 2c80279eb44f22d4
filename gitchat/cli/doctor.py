"""``git chat doctor``."""

from __future__ import annotations

import dataclasses
import json

import click

from gitchat.cli import options, terminal
from gitchat.environment import Environment


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding.")
@options.color
@options.no_color
@click.pass_context
def command(context: click.Context, as_json: bool, color: str | None) -> None:
    """Look for what is wrong with the rooms here, and say how to mend it.

    Changes nothing. The exit status is 1 when something is wrong.
    """
    from gitchat.doctor import examine

    environment: Environment = context.obj
    marks = {"ok": ("ok", "green"), "note": ("note", "yellow"), "wrong": ("WRONG", "red")}
    is_wrong = False
    for finding in examine(environment):
        is_wrong = is_wrong or finding.level == "wrong"
        if as_json:
            click.echo(json.dumps(dataclasses.asdict(finding), ensure_ascii=False))
            continue
        screen = terminal.screen_for(environment, color)
        word, shade = marks[finding.level]
        mark = screen.style(f"{word:<5}", fg=shade)
        click.echo(f"{mark}  {terminal.escape_line(finding.subject)}: {terminal.escape_line(finding.text)}", color=True)
        if finding.mend is not None:
            click.echo(f"       {screen.style('mend:', bold=True)} {terminal.escape_line(finding.mend)}", color=True)
    if is_wrong:
        context.exit(1)
