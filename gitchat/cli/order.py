"""What is to be sent, as it was typed: what ``send`` and ``reply`` share, options and all."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import click

from gitchat.cli import options, texts

TEXT = texts.Asked(
    word="message",
    done="sent",
    command="git chat send",
    file="CHAT_EDITMSG",
    template="# Write your message above. Everything from the line with the scissors on is left out;\n"
    "# an empty message sends nothing.\n",
)


class Command(click.Command):
    """A command with ``--sync``, which may stand alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With ``--sync`` alone, which click would give the next word to, stand for its usual time."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [_USUAL_SYNC if word == "--sync" else word for word in args[:end]] + args[end:])


_USUAL_SYNC = "--sync=30"

_SHOWN_CHARS = 60
"""How much of a text is repeated in a command that one could type."""

_TO_BE_WRITTEN = '"..."'

_TYPE = click.option(
    "--type",
    "type_",
    metavar="TYPE",
    help="What sort of message: question, answer, blocker, decision, ... (docs/types.md), or your own.",
)
_PRIORITY = click.option("--priority", type=click.Choice(["normal", "urgent"]), default="normal", show_default=True)
_ATTACH = click.option("-a", "--attach", multiple=True, metavar="FILE", help="A file to send along. Repeatable.")
_AT = click.option(
    "--at", multiple=True, metavar="FILE[:A[-B]]",
    help="The code that it is about: FILE, FILE:40, FILE:40-46, or REV:FILE:40. Repeatable.",
)  # fmt: skip
_WORK = click.option(
    "-w", "--work", "is_work", is_flag=True,
    help="Hand over what is changed here and not committed; of it only what is at paths that stand before TEXT.",
)  # fmt: skip
_JSON_BODY = click.option("--json-body", is_flag=True, help="TEXT is JSON; refuse it when it is not.")
_REST = (
    click.option("--as", "as_", metavar="NAME", help="Send under this name."),
    click.option(
        "--uid", "key", metavar="KEY",
        help="Your own key for this message; sending it again with the same key is harmless.",
    ),
    click.option(
        "--sync",
        "sync_seconds",
        type=click.FloatRange(min=0, min_open=True),
        metavar="[=SECONDS]",
        help="Wait until the remote that the room follows has given the message its number.  [30]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the stored message as JSON instead of its number."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing."),
)  # fmt: skip

_OPTIONS = (options.room, _TYPE, _PRIORITY, options.allow_secret, _ATTACH, _AT, _WORK, _JSON_BODY, *_REST)
_OPTIONS_OF_QUESTIONS = (options.room, _PRIORITY, options.allow_secret, *_REST)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of :class:`Order` that all that sends has."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of :class:`Order` that a question and its answer have."""
    for option in reversed(_OPTIONS_OF_QUESTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent, as it was typed."""

    text: tuple[str, ...]
    to: tuple[str, ...]
    reply_to: str | None
    is_answer: bool = False
    """Whether it goes to who asked, where it is to nobody."""
    room: str | None
    type_: str | None
    priority: str
    attach: tuple[str, ...]
    at: tuple[str, ...] = ()
    is_work: bool = False
    """Whether uncommitted work goes along; what stands before the last word of the text are paths then."""
    json_body: bool
    as_: str | None
    is_local: bool = False
    key: str | None
    sync_seconds: float | None
    as_json: bool
    quiet: bool
    allow_secret: bool = False
    choices: tuple[str, ...] = ()
    """What can be answered to it, where it is a question."""
    is_told_aside: bool = False
    """Whether its number goes to standard error, as something else is the answer to the command."""

    @property
    def said(self) -> tuple[str, ...]:
        """The words of the text."""
        return self.text[-1:] if self.is_work else self.text

    @property
    def paths(self) -> tuple[str, ...]:
        """What of the work is to go along; none for all of it."""
        return self.text[:-1] if self.is_work else ()

    def typed(self, **changed: Any) -> str:
        """The command that sends the same with something changed; a long text is left to be written."""
        order = replace(self, **changed)
        type_ = None if order.choices else order.type_  # a question of "ask" is one anyway
        given = [("--room", order.room), ("--type", type_), ("-r", order.reply_to), ("--as", order.as_)]
        given += [("--choice", choice) for choice in order.choices]
        words = ["--work"] if order.is_work else []
        words += [part for one in order.to for part in ("--to", one)]
        words += [part for one in order.at for part in ("--at", one)]
        words += [part for name, value in given if value is not None for part in (name, value)]
        words += order.paths
        text = " ".join(order.said)
        is_short = order.said != ("-",) and 0 < len(text) <= _SHOWN_CHARS and text.isprintable()
        verb = "ask" if order.choices else "send"
        return f"{shlex.join(['git', 'chat', verb, *words])} {shlex.quote(text) if is_short else _TO_BE_WRITTEN}"
