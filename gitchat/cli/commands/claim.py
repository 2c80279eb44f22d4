"""``git chat claim``."""

from __future__ import annotations

import sys

import click

from gitchat.cli import claims, options
from gitchat.cli.arriving import arrive
from gitchat.cli.naming import may_speak
from gitchat.workspace.environment import Environment


@click.command("claim")
@click.argument("what", nargs=-1)
@click.option("-m", "--message", "note", metavar="NOTE", default="", help="What you do there, in a line.")
@click.option("--for", "span", metavar="TIME", default="2h", show_default=True, help="For how long: 5m to 24h.")
@click.option("--wait", is_flag=True, help="Stand in line where somebody has it already.")
@options.room
@click.option("--as", "as_", metavar="NAME", help="Claim under this name.")
@click.option("--json", "as_json", is_flag=True, help="Print the claim as JSON.")
@click.pass_obj
def command(
    environment: Environment,
    what: tuple[str, ...],
    note: str,
    span: str,
    wait: bool,
    room: str | None,
    as_: str | None,
    as_json: bool,
) -> None:
    """Take files, tasks or things for a while.

    So no two do the same. WHAT is a path from the top of the repository (src/lexer/ with all below, docs/*.md,
    src/**/test_*.py), a task (task:12) or any other thing (port:8080); without it, the files that you changed.
    Where somebody has something of it, nothing is claimed, and the exit status is 3. Claiming the same again makes
    it last longer.

    A claim is said, and enforced by nobody: it ends with its time, git chat release, or git chat leave.

    \b
    Examples:
      git chat claim src/lexer/ task:12 -m "quotes in quotes"
      git chat claim --wait src/lexer/string.py
    """
    from gitchat.verbs.room import Room

    seconds = claims.parse_span(span)
    chosen = Room(environment, arrive(environment, room), may_speak(environment, as_))
    standing = chosen.claim(what, note, seconds=seconds, wait=wait).standing
    if as_json:
        sys.stdout.write(claims.json_line(standing))
    else:
        click.echo(claims.words(standing, environment.now()))
