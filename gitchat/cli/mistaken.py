"""What is said to somebody who typed what is no command, no option, no argument: the command that was probably meant.

Only who made a mistake loads this.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import click

from gitchat.cli import habits
from gitchat.cli.grammar import NoSuchVerb
from gitchat.model.errors import ChatError, Mistyped
from gitchat.model.names import is_slug
from gitchat.model.spelling import near
from gitchat.workspace.environment import Environment

_PROGRAM = ["git", "chat"]

_SHOWN_CHARS = 60
"""How much of a text is repeated in a command that one could type."""


def explain(error: click.UsageError, arguments: Sequence[str], here: Callable[[], Environment]) -> tuple[str, str]:
    """What was wrong with ``arguments``, and the command that does what was meant, else the one that tells what there
    is. ``here`` opens the repository, and may raise ChatError."""
    words = list(arguments)
    if isinstance(error, NoSuchVerb):
        return _no_verb(error, here)
    if error.ctx is None:  # an option without its value is reported before there is a context
        from gitchat.cli import COMMANDS

        named = next((word for word in words if word in COMMANDS), None)
        return error.format_message(), " ".join([*_PROGRAM, *filter(None, [named]), "-h"])
    help_ = f"{error.ctx.command_path} -h"
    if isinstance(error, click.NoSuchOption):
        return _no_option(error.option_name, error.ctx, words) or (error.message, help_)
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


def _no_verb(error: NoSuchVerb, here: Callable[[], Environment]) -> tuple[str, str]:
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
    if likest := near(word, context.command.list_commands(context), 1):
        return said, _typed([*context.command_path.split(), likest[0], *rest])
    if group == "room" and word in _rooms(here):
        return said, _typed([*_PROGRAM, "log", "--room", word])
    is_sentence = " " in word.strip() or (bool(rest) and not word.startswith("-"))
    if is_sentence and group in ("", "summary"):
        return said, _typed([*_PROGRAM, *(["summary", "write"] if group else ["send"]), " ".join([word, *rest])])
    return said, f"{context.command_path} -h"


def _help_of(context: click.Context, word: str) -> str:
    """The help of the command that was probably meant in a ``group``."""
    assert isinstance(context.command, click.Group)
    group = context.command_path.split()[2:]
    return _typed([*_PROGRAM, "help", *group, *near(word, context.command.list_commands(context), 1)])


def _instead(rest: list[str]) -> str:
    """What one does about a message that is wrong."""
    if not rest:
        return "say what is right: git chat reply -h"
    if rest[0].startswith("~"):  # it had no number when it was sent
        return _typed([*_PROGRAM, "unsend", rest[0]])
    words = shlex.join(rest[1:]) if rest[1:] else '"what is right"'
    return f"say what is right: git chat reply {shlex.quote(rest[0])} {words}"


def _filled(phrase: str, rest: list[str]) -> str:
    """The command that a phrase of ``habits`` stands for, with what was typed after the word."""
    words = [] if phrase.startswith("!") else list(_PROGRAM)
    for part in phrase.removeprefix("!").split():
        match part:
            case "{*}":
                words += rest
            case "{1}" | "{2}":
                if len(rest) < int(part[1]):
                    return f"{' '.join(words[:4] if words[2:3] == ['room'] else words[:3])} -h"
                words.append(rest[int(part[1]) - 1])
            case "{2:}":
                words += rest[1:]
            case _:
                words.append(part)
    if "{" not in phrase:
        words += [word for word in rest if word.startswith("--")]
    return _typed(words)


# --- options -----------------------------------------------------------------------


def _no_option(name: str, context: click.Context, words: list[str]) -> tuple[str, str]:
    command = " ".join(context.command_path.split()[2:])
    if not command:
        return _no_option_of_ours(name, words)
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
    return said, _typed([*_PROGRAM, *_exchanged(words, name, meant)])


def _no_option_of_ours(name: str, words: list[str]) -> tuple[str, str]:
    """An option in front of all commands: it goes behind one, or is ``--version``."""
    from gitchat.cli import COMMANDS

    place = next((place for place, word in enumerate(words) if word in COMMANDS), None)
    if name in ("-v", "-V"):
        return f"git chat has no option {name}", "git chat --version"
    if place is None:
        return f"git chat has no option {name}", "git chat -h"
    return f"{name} goes after the command", _typed([*_PROGRAM, words[place], *words[:place], *words[place + 1 :]])


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


def _without(extra: str, context: click.Context, words: list[str], here: Callable[[], Environment]) -> str:
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
                return _typed([*_PROGRAM, *left, option, first])
    if is_slug(first):
        rooms, names = _rooms(here), _names(here)
        if first in rooms and "--room" in known:
            return _typed([*_PROGRAM, *left, "--room", first])
        if first in names and command == "who":
            return _typed([*_PROGRAM, "log", "--from", first])
        for option in ("--from", "--as"):
            if first in names and option in known:
                return _typed([*_PROGRAM, *left, option, first])
        if (likest := near(first, rooms, 1)) and "--room" in known:
            return _typed([*_PROGRAM, *left, "--room", likest[0]])
    return _typed([*_PROGRAM, *left])


def _is_alone(extra: str) -> bool:
    """Whether it is one argument, as far as click tells."""
    return " " not in extra


def _with_choice(choice: click.Choice[str], words: list[str]) -> str | None:
    """The command with the choice that was probably meant."""
    offered = [str(one) for one in choice.choices]
    for place, word in enumerate(words):
        option, equals, value = word.rpartition("=")
        if value not in offered and (likest := near(value, offered, 1)):
            return _typed([*_PROGRAM, *words[:place], f"{option}{equals}{likest[0]}", *words[place + 1 :]])
    return None


# --- names -------------------------------------------------------------------------


def next_step(error: Mistyped, arguments: Sequence[str], here: Callable[[], Environment]) -> str:
    """What to do after ``error``: the command with the word that was probably meant, or else the error's own hint."""
    words = list(arguments)
    place = next((place for place, word in enumerate(words) if _value(word) == error.word), None)
    if place is None:
        return error.hint
    if error.code == "bad-number":
        return _next_number(error, words, place, here)
    if error.code == "bad-range":
        return _narrowed(error.word, [*words[:place], *words[place + 1 :]], here) or error.hint
    if likest := near(error.word, error.known, 1):
        return f"{_typed([*_PROGRAM, *_with(words, place, likest[0])])}; {error.hint}"
    without = [*words[:place], *words[place + 1 :]]
    if words[place - 1].startswith("-") or "=" in words[place]:
        return error.hint
    if error.code == "no-remote" and error.word in _rooms(here):
        return _typed([*_PROGRAM, *without, "--room", error.word])
    return f"{error.hint}; or leave it out: {_typed([*_PROGRAM, *without])}"


def _next_number(error: Mistyped, words: list[str], place: int, here: Callable[[], Environment]) -> str:
    """What names the messages that a word may stand for, in a command that takes a number."""
    verb = words[0]
    if verb == "reply":
        number = next((word for word in words[1:] if re.fullmatch(r"#?[0-9]+", word)), None)
        said = [word for word in words[1:] if word != number]
        return _typed([*_PROGRAM, verb, number or _newest(words, here), " ".join(said)])
    if error.word in _rooms(here):
        return f"git chat log --room {error.word}"
    if error.word in _names(here):
        return f"git chat log --from {error.word}"
    newest = _newest(words, here)
    return (
        f"{error.hint}; the newest: {_typed([*_PROGRAM, *_with(words, place, newest)])}"
        if newest != "0"
        else error.hint
    )


def _narrowed(word: str, words: list[str], here: Callable[[], Environment]) -> str | None:
    """The listing that was probably meant by a name: of a room, of what somebody wrote."""
    for option, known in (("--room", _rooms(here)), ("--from", _names(here))):
        if word in known:
            return _typed([*_PROGRAM, *words, option, word])
    likest = near(word, _rooms(here), 1)
    return _typed([*_PROGRAM, *words, "--room", *likest]) if likest else None


def _newest(words: list[str], here: Callable[[], Environment]) -> str:
    """The number of the newest message in the room that a command names; 0 where there is none."""
    named = next((words[place + 1] for place, word in enumerate(words[:-1]) if word == "--room"), None)
    with suppress(ChatError):
        environment = here()
        return str(environment.log(environment.room_name(named)).overview().count)
    return "0"


def _value(word: str) -> str:
    """What a word gives: the value of an option that stands in it, or itself."""
    return word.partition("=")[2] if word.startswith("--") and "=" in word else word


def _with(words: list[str], place: int, value: str) -> list[str]:
    """The words with another value at a place."""
    option, equals, _ = words[place].partition("=") if words[place].startswith("--") else ("", "", "")
    return [*words[:place], f"{option}{equals}{value}", *words[place + 1 :]]


# --- what is here ------------------------------------------------------------------


def _rooms(here: Callable[[], Environment]) -> Iterable[str]:
    with suppress(ChatError):
        return here().store.rooms()
    return []


def _names(here: Callable[[], Environment]) -> Iterable[str]:
    from gitchat.verbs.room import Room

    with suppress(ChatError):
        return Room(here()).names()
    return []


def _typed(words: list[str]) -> str:
    """The words as one types them; a long text is left to be written."""
    return " ".join('"..."' if len(word) > _SHOWN_CHARS or "\n" in word else shlex.quote(word) for word in words)
