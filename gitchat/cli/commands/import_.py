"""``git chat import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitchat.cli import options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.naming import may_speak
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.verbs.agentchat import Problem


@click.command("import")
@click.argument("directory", metavar="DIR")
@click.option("-n", "--dry-run", "is_dry", is_flag=True, help="Only say what would come of it.")
@options.room
@options.allow_secret
@click.option("--as", "as_", metavar="NAME", help="Bring it under this name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def command(
    context: click.Context,
    directory: str,
    is_dry: bool,
    room: str | None,
    allow_secret: bool,
    as_: str | None,
    as_json: bool,
) -> None:
    """Take in what agent-chat kept, each message once.

    DIR is its .chatroom, or the directory that has one: what CHATROOM_ROOT named, else where its scripts stood. Texts,
    senders, recipients and dates stay as they were; you stand as the committer, who brought them. Typed again it takes
    in what is new. In an empty room each name has read what it had read there.

    A line that cannot be taken in, or that looks like a secret, is told with its file and number, and left out; the
    exit status is 1 then.

    \b
    Examples:
      git chat import --dry-run ../tools
      git chat import "$CHATROOM_ROOT" --room agents
    """
    from gitchat.verbs.importing import counted, import_chatroom
    from gitchat.verbs.room import Room

    environment: Environment = context.obj
    if allow_secret:
        environment = environment.allowing_secret()
    chosen = Room(environment, arrive(environment, room), may_speak(environment, as_))
    shown = options.ShowProgress()

    secrets = 0

    def tell(problem: Problem) -> None:
        nonlocal secrets
        secrets += problem.is_secret
        place = f"{terminal.escape_line(problem.file)}:{problem.line}"
        click.echo(f"{place}: {terminal.escape_line(problem.why)}; left out", err=True)

    result = import_chatroom(
        chosen, Path(environment.cwd, directory), is_dry=is_dry, on_problem=tell,
        on_progress=lambda count: shown("importing", count),
    )  # fmt: skip
    told = {
        "room": chosen.name, "messages": result.messages, "summaries": result.summaries, "cursors": result.cursors,
        "known": result.known, "left_out": result.problems,
    }  # fmt: skip
    if as_json:
        click.echo(terminal.json_text(told | ({"dry_run": True} if is_dry else {})))
    else:
        click.echo(
            f"{'would import' if is_dry else 'imported'} {counted(result.messages, 'message')} and "
            f"{counted(result.summaries, 'summary')} into room '{chosen.name}'"
            + (f"; {result.known:,} were here already" if result.known else "")
            + (f"; {counted(result.problems, 'line')} left out" if result.problems else "")
        )
    if secrets and environment.caller.origin == "human":
        click.echo("what is no secret: the same command with --allow-secret", err=True)
    context.exit(1 if result.problems else 0)
