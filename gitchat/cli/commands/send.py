"""``git chat send``."""

from __future__ import annotations

from typing import Any

import click

from gitchat.cli.order import TEXT, Command, Order, shared
from gitchat.cli.sending import carry_out
from gitchat.workspace.environment import Environment


@click.command("send", cls=Command, epilog="Give '-' as TEXT to send standard input.")
@click.argument("text", nargs=-1)
@click.option(
    "-t", "--to", "to", multiple=True, metavar="WHO",
    help="A name, role:ROLE, or all. Repeatable.  [default: all; of an answer to what was for you, who asked]",
)  # fmt: skip
@click.option("-r", "--reply-to", metavar="NUMBER", help="The message this answers: 12, or a handle such as ~k3f9q2.")
@click.option("--local", "is_local", is_flag=True, help="Keep the room in this clone: it is pushed to no remote.")
@shared
@click.pass_obj
def command(environment: Environment, /, **typed: Any) -> None:
    """Send a message and print its number.

    Without TEXT, git's editor opens, as for a commit; with --attach and without TEXT, the
    names of the files are the text.

    In a room that follows a remote a message has a handle (~k3f9q2) until the remote has taken it, to which it goes
    by itself; in a script, and under CI, send carries it there, for 10 seconds at most. --sync waits for the number:
    without it by then the handle is printed, the reason is said, and the exit status is 5.

    \b
    Examples:
      git chat send "I take the parser"
      git chat send -t codex --type question "Which tests fail for you?"
      git chat send -t codex -r 12 "All of them"
      make test 2>&1 | tail -50 | git chat send --type blocker -
      git chat send --attach trace.txt "The parser fails like this"
      git chat send --sync "Released as 1.2"
    """
    carry_out(environment, Order(**typed), TEXT)
