"""What is said to somebody who typed what is no command, no option, no argument: the command that was probably meant.

Only who made a mistake loads this.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click

from gitchat.cli import habits
from gitchat.cli.grammar import NoSuchVerb
from gitchat.cli.retyping import Here, names, rooms, typed
from gitchat.model.names import is_slug
from gitchat.model.spelling import near


def explain(error: click.UsageError, arguments: Sequence[str], verbs: Sequence[str], here: Here) -> tuple[str, str]:
    """What was wrong with ``arguments``, and the command that does what was meant, else the one that tells what there
    is. ``verbs`` are the commands of git chat."""
    words = list(arguments)
    if isinstance(error, NoSuchVerb):
        return _no_verb(error, here)
    if error.ctx is None:  # an option without its value is reported before there is a context
        named = next((word for word in words if word in verbs), None)
        return error.format_message(), typed([*filter(None, [named]), "-h"])
    help_ = f"{error.ctx.command_path} -h"
    if isinstance(error, click.NoSuchOption):
        if error.ctx.parent is None:
            return _no_option_of_ours(error.option_name, words, verbs)
        return _no_option(error.option_name, error.ctx, words)
    if (extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL)) is not None:
        return f"{error.ctx.command_path} takes no '{extra[1]}'", _without(extra[1], error.ctx, words, here)
    if isinstance(error, click.BadParameter) and error.param is not None and isinstance(error.param.type, click.Choice):
        return error.format_message(), _with_choice(error.param.type, words) or help_
    return error.format_message(), help_


def overview(context: click.Context) -> str:
    """The commands of a group, a line each: for who named none of them."""
    assert isinstance(context.command, click.Group)
    group = context.command
    commands = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    shown = [(name, one.get_short_help_str(limit=70)) for name, one in commands if one is not None and not one.hidden]
    width = max(len(name) for name, _ in shown)
    lines = [f"  {name:<{width}}  {about}" for name, about in shown]
    return "\n".join([f"usage: {context.command_path} COMMAND ...", *lines]) + "\n"


# --- commands ----------------------------------------------------------------------


def _no_verb(error: NoSuchVerb, here: Here) -> tuple[str, str]:
    context, word, rest = error.ctx, error.word, error.rest
    assert context is not None
    group = "" if context.parent is None else str(context.info_name)
    said = f"there is no command '{word}'" if not group else f"{context.command_path} has no command '{word}'"
    if not group and word in habits.UNCHANGING:
        return f"{said}: what was sent stays as it is", _instead(rest)
    if not group and word == "list" and rest[:1] == ["rooms"]:
        return said, "git chat rooms"
    if context.find_root().invoked_subcommand == "help":
        return said, _help_of(context, word)
    assert isinstance(context.command, click.Group)
    phrase = habits.inner(group, word) if group else habits.verb(word)
    if phrase is not None:
        return said, _filled(phrase, rest)
    if likest := near(word, _meant(context), 1):
        return said, typed([*context.command_path.split()[2:], likest[0], *rest])
    if group == "room" and word in rooms(here):
        return said, typed(["log", "--room", word])
    is_sentence = " " in word.strip() or (bool(rest) and not word.startswith("-"))
    if is_sentence and group in ("", "summary"):
        return said, typed([*(["summary", "write"] if group else ["send"]), " ".join([word, *rest])])
    return said, f"{context.command_path} -h"


def _meant(context: click.Context) -> list[str]:
    """The commands that a slip may have been meant for: who wants ``snd`` knows it, and who slips means ``send``."""
    assert isinstance(context.command, click.Group)
    return [name for name in context.command.list_commands(context) if name != "snd"]


def _help_of(context: click.Context, word: str) -> str:
    """The help of the command that was probably meant in a ``group``."""
    group = context.command_path.split()[2:]
    return typed(["help", *group, *near(word, _meant(context), 1)])


def _instead(rest: list[str]) -> str:
    """What one does about a message that is wrong."""
    if not rest:
        return "say what is right: git chat reply -h"
    if rest[0].startswith("~"):  # it had no number when it was sent
        return typed(["unsend", rest[0]])
    words = shlex.join(rest[1:]) if rest[1:] else '"what is right"'
    return f"say what is right: git chat reply {shlex.quote(rest[0])} {words}"


def _filled(phrase: str, rest: list[str]) -> str:
    """The command that a phrase of ``habits`` stands for, with what was typed after the word."""
    words: list[str] = []
    for part in phrase.removeprefix("!").split():
        match part:
            case "{*}":
                words += rest
            case "{1}" | "{2}":
                if len(rest) < int(part[1]):
                    return typed([*words[: 2 if words[0] in _GROUPS else 1], "-h"])
                words.append(rest[int(part[1]) - 1])
            case "{2:}":
                words += rest[1:]
            case _:
                words.append(part)
    if "{" not in phrase:
        words += [word for word in rest if word.startswith("--")]
    return shlex.join(words) if phrase.startswith("!") else typed(words)


_GROUPS = ("room", "summary", "hook", "remote", "cursor")


# --- options -----------------------------------------------------------------------


def _no_option(name: str, context: click.Context, words: list[str]) -> tuple[str, str]:
    command = " ".join(context.command_path.split()[2:])
    said = f"{context.command_path} has no option {name}"
    if (verb := habits.ELSEWHERE.get((command, name))) is not None:
        return said, f"git chat {verb}"
    known = {one for parameter in context.command.params for one in parameter.opts if one.startswith("-")}
    meant = habits.WHOLE.get((command, name))
    if meant is None:
        ours = [one for one in habits.option(name) if one in known]
        meant = ours[:1] or None
    if meant is None and name in (*habits.UNNEEDED.get(command, ()), *habits.ANYWHERE):
        meant = []
    if meant is None and name.startswith("--"):
        likest = near(name[2:], [one[2:] for one in known if one.startswith("--")], 1)
        meant = [f"--{likest[0]}"] if likest else None
    if meant is None:
        return said, f"{context.command_path} -h"
    return said, typed([*_exchanged(words, name, meant)])


def _no_option_of_ours(name: str, words: list[str], verbs: Sequence[str]) -> tuple[str, str]:
    """An option in front of all commands: it goes behind one, or is ``--version``."""
    place = next((place for place, word in enumerate(words) if word in verbs), None)
    if name in ("-v", "-V"):
        return f"git chat has no option {name}", "git chat --version"
    if place is None:
        return f"git chat has no option {name}", "git chat -h"
    return f"{name} goes after the command", typed([words[place], *words[:place], *words[place + 1 :]])


def _exchanged(words: list[str], name: str, meant: list[str]) -> list[str]:
    """The words with ``meant`` in place of the option; what it took stays."""
    for place, word in enumerate(words):
        if word == name or word.startswith(f"{name}="):
            value = word.removeprefix(name)[1:]
            is_long = bool(meant) and meant[-1].startswith("--") and value
            taken = [f"{meant[-1]}={value}"] if is_long else [*meant[-1:], *([value] if value else [])]
            return [*words[:place], *meant[:-1], *taken, *words[place + 1 :]]
    return words


# --- arguments ---------------------------------------------------------------------


def _without(extra: str, context: click.Context, words: list[str], here: Here) -> str:
    """The command with an option for an argument that it does not take, or without it."""
    command = " ".join(context.command_path.split()[2:])
    first = extra.split(" ")[0]
    if command == "rooms" and (phrase := habits.inner("room", first)) is not None:
        return _filled(phrase, extra.split(" ")[1:])
    known = {one for parameter in context.command.params for one in parameter.opts}
    left = [word for word in words if word not in extra.split(" ") and word != extra]
    if re.fullmatch(r"#?[0-9]+", first):
        if command == "read":
            return f"git chat show {first.removeprefix('#')}; or read the oldest {first}: git chat read -n {first}"
        for option in ("--timeout", "-n"):
            if option in known and _is_alone(extra):
                return typed([*left, option, first])
    if is_slug(first):
        known_rooms, known_names = rooms(here), names(here)
        if first in known_rooms and "--room" in known:
            return typed([*left, "--room", first])
        if first in known_names and command == "who":
            return typed(["log", "--from", first])
        for option in ("--from", "--as"):
            if first in known_names and option in known:
                return typed([*left, option, first])
        if (likest := near(first, known_rooms, 1)) and "--room" in known:
            return typed([*left, "--room", likest[0]])
    return typed(left)


def _is_alone(extra: str) -> bool:
    """Whether it is one argument, as far as click tells."""
    return " " not in extra


def _with_choice(choice: click.Choice[str], words: list[str]) -> str | None:
    """The command with the choice that was probably meant."""
    offered = [str(one) for one in choice.choices]
    for place, word in enumerate(words):
        option, equals, value = word.rpartition("=")
        if value not in offered and (likest := near(value, offered, 1)):
            return typed([*words[:place], f"{option}{equals}{likest[0]}", *words[place + 1 :]])
    return None
