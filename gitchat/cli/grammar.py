"""How what is typed becomes commands and options, where click leaves something to wish for."""

from __future__ import annotations

import re

import click


class NoSuchVerb(click.UsageError):
    """There is no command ``word``; ``rest`` is what stands after it. (click has one from 8.4 on.)"""

    def __init__(self, word: str, rest: list[str], context: click.Context) -> None:
        super().__init__(f"there is no command {word!r}", context)
        self.word = word
        self.rest = rest


class Verbs(click.Group):
    """A group of commands that tells which word was none of them."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's. Raises NoSuchVerb."""
        is_option = args[0].startswith("-")  # which click tells by its name
        if not is_option and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise NoSuchVerb(args[0], args[1:], ctx)
        return super().resolve_command(ctx, args)


class Counted(click.Command):
    """A command with ``-n N``, for which ``-5`` is ``-n 5``, as for git log and tail."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's."""
        options = {name: one for one in self.params if isinstance(one, click.Option) for name in one.opts}
        words, values = list(args), 0
        for place, word in enumerate(args):
            if values:
                values -= 1  # what an option takes stays as it is: --grep -5
            elif word == "--":
                break
            elif re.fullmatch(r"-[0-9]+", word):
                words[place] = f"-n{word[1:]}"
            elif (option := options.get(word)) is not None and not _can_be_alone(option):
                values = option.nargs
        return super().parse_args(ctx, words)


def _can_be_alone(option: click.Option) -> bool:
    """Whether an option takes no value that could look like a number: none, or a word of a few."""
    return option.is_flag or isinstance(option.type, click.Choice)
