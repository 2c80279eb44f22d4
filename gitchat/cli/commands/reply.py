"""``git chat reply``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from gitchat.cli.order import TEXT, Command, Order, shared
from gitchat.cli.sending import carry_out
from gitchat.workspace.environment import Environment


@click.command("reply", cls=Command, epilog="Give '-' as TEXT to send standard input.")
@click.argument("number")
@click.argument("text", nargs=-1)
@click.option("-t", "--to", "to", multiple=True, metavar="WHO", help="Others than who asked; all for everybody.")
@shared
@click.pass_obj
def command(environment: Environment, /, number: str, **typed: Any) -> None:
    """Answer message NUMBER, to who asked.

    The answer to a message for everybody is for everybody. One that was for somebody alone is answered to who wrote
    it; where you wrote it yourself, to whom you wrote it.

    \b
    Examples:
      git chat reply 12 "All of them"
      git chat reply 12 --to all "All of them, for who else wonders"
      git chat reply ~k3f9q2 --type answer -
    """
    asked = replace(TEXT, command=f"git chat reply {number}")
    carry_out(environment, Order(reply_to=number, is_answer=True, **typed), asked)
