"""``git chat answer``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from typing import Any

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.order import TEXT, Command, Order, asking
from gitchat.cli.render import Renderer, json_line
from gitchat.cli.sending import carry_out
from gitchat.model.answering import who_asked
from gitchat.model.errors import UserError
from gitchat.model.question import ANSWER, choices_of
from gitchat.model.record import Entry
from gitchat.workspace.environment import Environment

SHOWN = 20
"""How many open questions are listed."""


@click.command("answer", cls=Command, epilog="Give '-' as TEXT to send standard input.")
@click.argument("number", required=False)
@click.argument("text", metavar="[CHOICE|TEXT]...", nargs=-1)
@asking
@click.pass_obj
def command(environment: Environment, /, number: str | None, text: tuple[str, ...], **typed: Any) -> None:
    """Answer question NUMBER, or list those that wait for you.

    Where the question has choices, the answer is one of them. Who is asked by name has to answer. Answered again, the
    first answer in the room's order counts, and all are shown. What you want to say without answering is a reply:
    git chat reply.

    \b
    Examples:
      git chat answer
      git chat answer 12 yes
      git chat answer 14 "Call it lexer"
    """
    from gitchat.verbs.room import Room

    room = Room(environment, arrive(environment, typed["room"]), typed["as_"])
    if number is None:
        room.refuse_unknown()
        _list(room, typed)
        return
    question = room.find_question(number)
    place = question.label.removeprefix("#")
    if not text and choices_of(question.record):
        typed_so = f"git chat answer{options.in_room(environment, room.name)} {place}"
        raise UserError(
            f"{question.label} is answered by one of its choices",
            hint=" | ".join(f"{typed_so} {shlex.quote(one)}" for one in choices_of(question.record)),
            code="no-text",
        )
    order = Order(
        text=text, to=who_asked(question.record, room.me), reply_to=number, is_answer=True, type_=ANSWER, attach=(),
        json_body=False, **typed,
    )  # fmt: skip
    sent = carry_out(environment, order, replace(TEXT, command=f"git chat answer {place}"))
    first = next(iter(room.answers(question)), None)
    if first is not None and first.record.uid != sent.record.uid and not typed["quiet"]:
        body = " ".join(terminal.escape_line(first.record.body).split())[:80]
        name = terminal.escape_line(first.record.author)
        click.echo(f"{name} answered {question.label} before, and that counts: {body} ({first.label})", err=True)


def _list(room: Any, typed: dict[str, Any]) -> None:
    """Print the questions that wait for an answer, each with what answers it."""
    found, count = room.questions(SHOWN)
    environment: Environment = room.environment
    labels = room.labels(found)
    if typed["as_json"]:
        sys.stdout.writelines(json_line(entry, labels) for entry in found)
        return
    if not found and not typed["quiet"]:
        click.echo(f"no question waits for {room.me}", err=True)
    renderer = Renderer(
        terminal.screen_for(environment, None), dates.chosen_style(environment, None, False) or "human",
        environment.now(),
    )  # fmt: skip
    given = options.in_room(environment, room.name)
    for entry in found:
        sys.stdout.write(renderer.block(entry, labels))
        sys.stdout.write(f"    next: git chat answer{given} {entry.label.removeprefix('#')} {_word(entry)}\n")
    if count > len(found):
        click.echo(f"and {count - len(found)} more", err=True)


def _word(entry: Entry) -> str:
    choices = choices_of(entry.record)
    return shlex.quote(terminal.escape_line(choices[0])) if choices else '"..."'
