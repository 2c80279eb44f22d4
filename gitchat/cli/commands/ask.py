"""``git chat ask``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.order import TEXT, Command, Order, asking
from gitchat.cli.sending import carry_out
from gitchat.model.question import QUESTION
from gitchat.model.record import Entry
from gitchat.workspace.environment import Environment

TIMEOUT_STATUS = 124
"""As of git chat wait."""

_TEXT = replace(TEXT, command="git chat ask")


@click.command("ask", cls=Command, epilog="Give '-' as TEXT to send standard input.")
@click.argument("text", nargs=-1)
@click.option("-t", "--to", "to", multiple=True, metavar="WHO", help="A name, role:ROLE, or all. Repeatable.  [all]")
@click.option("--choice", "choices", multiple=True, metavar="TEXT", help="What can be answered: up to 8. Repeatable.")
@click.option("--wait", "wait", metavar="TIME", help="Wait so long for the answer, and print it: 90s, 30m, 2h.")
@asking
@click.pass_context
def command(context: click.Context, /, choices: tuple[str, ...], wait: str | None, quiet: bool, **typed: Any) -> None:
    """Ask a question, and wait for its answer if you like.

    With --choice one of the choices is the answer, and no other words are. Who is asked by name has to answer; of a
    role, or of all, whoever does. The first answer in the room's order counts.

    With --wait the answer alone is printed, and the number goes to standard error; the exit status is 124 when none
    came in time. The question stays open then. With --uid the same command asks no second time, and waits again.

    \b
    Examples:
      git chat ask --to alice --choice yes --choice no "Deploy?"
      git chat ask --to alice --choice yes --choice no --wait 30m "Deploy?"
      git chat ask --to role:review --wait 2h --uid name "How shall it be called?"
    """
    environment: Environment = context.obj
    seconds = dates.span(wait, "--wait") if wait is not None else None
    as_json = typed.pop("as_json")
    order = Order(
        reply_to=None, type_=QUESTION, attach=(), json_body=False, choices=choices, quiet=quiet,
        as_json=as_json and seconds is None, is_told_aside=seconds is not None, **typed,
    )  # fmt: skip
    question = carry_out(environment, order, _TEXT)
    thread = f"git chat log{options.in_room(environment, question.room)} --thread {question.label.removeprefix('#')}"
    if seconds is None:
        if not quiet and not as_json:
            click.echo(f"its answer: {thread}", err=True)
        return
    answer = _answer(environment, question, typed["as_"], seconds)
    if answer is None:
        if not quiet:
            click.echo(f"no answer to {question.label} in {wait}; it stays open: {thread}", err=True)
        context.exit(TIMEOUT_STATUS)
    if as_json:
        from gitchat.cli.render import json_line

        sys.stdout.write(json_line(answer, {question.record.uid: question.label}))
    else:
        click.echo(terminal.escape(answer.record.body))


def _answer(environment: Environment, question: Entry, as_: str | None, seconds: float) -> Entry | None:
    """The first answer to ``question``, when it is there; None when the time is up. What is written wakes it."""
    from gitchat.staying import wake
    from gitchat.staying.keeper import in_step
    from gitchat.verbs.room import Room

    chosen = Room(environment, question.room, as_)
    with wake.living(chosen), in_step(environment):
        chosen.wait(seconds, lambda: bool(chosen.answers(question)))
    return next(iter(chosen.answers(question)), None)
