"""``git chat completion``: what Tab offers in bash, zsh and fish.

The scripts know nothing: they ask us, with the line so far. What a command takes we know from
its own parameters: one with the metavar ROOM gets rooms, NAME names, NUMBER numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from gitchat.model import types
from gitchat.model.errors import ChatError
from gitchat.model.escape import escape_line, escape_name
from gitchat.model.names import EVERYBODY, is_slug
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.model.claim import Standing
    from gitchat.verbs.room import Room

_NUMBERS = 50
"""How many of the newest messages are offered."""

_HELP_CHARS = 60

Words = Iterator[tuple[str, str]]
"""What can stand somewhere, each with a few words about it."""


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), required=False)
@click.option("--words", "line", hidden=True, help="Print what can follow LINE.")
@click.pass_context
def command(context: click.Context, shell: str | None, line: str | None) -> None:
    """Print what lets Tab complete commands, rooms and numbers.

    \b
    bash, in ~/.bashrc:                        eval "$(git chat completion bash)"
    zsh, in ~/.zshrc, after compinit:          eval "$(git chat completion zsh)"
    fish, in ~/.config/fish/config.fish:       git chat completion fish | source
    """
    if line is not None:
        root = context.find_root().command
        click.echo("".join(f"{word}\t{about}\n" for word, about in _following(context.obj, root, line)), nl=False)
    elif shell is not None:
        click.echo(_SCRIPTS[shell], nl=False)
    else:
        raise click.UsageError("which shell? bash, zsh or fish")


def _following(environment: Environment, root: click.Command, line: str) -> Words:
    """What can be the last word of ``line``, or the next one when it ends in a blank. Whole words."""
    words = split_arg_string(line)
    incomplete = words.pop() if words and not line[-1].isspace() else ""
    arguments = _after_program(words)
    if arguments is None:
        return
    assert isinstance(root, click.Group)
    context = click.Context(root, info_name="git chat")
    named = next((word for word in arguments if not word.startswith("-")), None)
    chosen = root.get_command(context, named) if named is not None else None
    if named is not None and chosen is None:
        return
    if chosen is not None:
        _teach(environment, chosen)
    option, equals, _ = incomplete.partition("=")
    prefix = option + equals if equals and option.startswith("--") else ""
    for item in ShellComplete(root, {}, "git chat", "").get_completions(arguments, incomplete):
        if item.type == "plain":
            yield prefix + item.value, escape_line(item.help or "")


def _after_program(words: list[str]) -> list[str] | None:
    """The words after the last ``git chat`` or ``git-chat``; None where there is neither."""
    for place in reversed(range(len(words))):
        if os.path.basename(words[place]) == "git-chat":
            return words[place + 1 :]
        if words[place] == "chat" and "git" in (os.path.basename(word) for word in words[:place]):
            return words[place + 1 :]
    return None


def _teach(environment: Environment, command: click.Command) -> None:
    """Let the parameters of ``command`` know what they can be."""
    for parameter in command.params:
        metavar = parameter.metavar or (parameter.name or "").upper()
        if source := _SOURCES.get(metavar) or _SOURCES.get(f"{command.name} {metavar}"):
            parameter.type = _Offered(environment, source)
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            if inner := command.get_command(click.Context(command), name):
                _teach(environment, inner)


@dataclass
class _Offered(click.ParamType[str]):
    """A parameter for which ``source`` knows what it can be."""

    environment: Environment
    source: Callable[[Room], Words]

    name = "offered"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Those that begin as it was typed; none where the repository cannot be read."""
        from gitchat.verbs.room import Room

        given = ctx.params.get("room")
        try:
            room = Room(self.environment, given if isinstance(given, str) else None)
            offered = list(self.source(room))
        except ChatError:
            return []
        return [CompletionItem(word, help=about) for word, about in offered if word.startswith(incomplete)]


def _rooms(room: Room) -> Words:
    for name in room.environment.store.rooms():
        yield name, ""


def _names(room: Room) -> Words:
    present = {one.name: one.role for one in room.participants()}
    for name in room.names():
        yield name, present.get(name, "")


def _recipients(room: Room) -> Words:
    yield from _names(room)
    yield EVERYBODY, "everybody"
    for role in _known_roles(room):
        yield f"role:{role}", "who has this role"


def _roles(room: Room) -> Words:
    for role in _known_roles(room):
        yield role, ""


def _known_roles(room: Room) -> list[str]:
    return sorted({one.role for one in room.participants() if is_slug(one.role)})


def _types(room: Room) -> Words:
    for one in types.KNOWN:
        yield one, ""


def _numbers(room: Room) -> Words:
    for entry in reversed(room.log(limit=_NUMBERS).entries):
        said = " ".join(entry.record.body[: 4 * _HELP_CHARS].split())[:_HELP_CHARS]
        yield entry.label.removeprefix("#"), f"{escape_name(entry.record.author)}: {said}"


def _claimed(room: Room) -> Words:
    return _whats(room.claims())


def _mine(room: Room) -> Words:
    from gitchat.verbs.standing import mine

    return _whats(mine(room))


def _whats(found: Iterable[Standing]) -> Words:
    for one in found:
        state = f"waits for {one.waits_for.seat.name}" if one.waits_for else "has it"
        for what in one.claim.whats:
            yield str(what), f"{escape_name(one.claim.seat.name)} {state}"


def _pending(room: Room) -> Words:
    for word, about in _numbers(room):
        if word.startswith("~"):
            yield word, about


_SOURCES: Mapping[str, Callable[[Room], Words]] = {
    "ROOM": _rooms,
    "[ROOM]...": _rooms,
    "NAME": _names,
    "[NAME]...": _names,
    "A B": _recipients,
    "WHO": _recipients,
    "ROLE": _roles,
    "NUMBER": _numbers,
    "[RANGE]": _numbers,
    "TYPE": _types,
    "HANDLE": _pending,
    "release WHAT": _mine,
    "claims WHAT": _claimed,
    "N|~HANDLE": _numbers,
    "N|DATE": _numbers,
}

_BASH = r"""# Completion of git chat and git-chat. git's own completion finds _git_chat by its name.
_git_chat ()
{
	local line="${COMP_LINE:0:COMP_POINT}" last part word
	last="${line##*[[:space:]]}"
	# readline replaces what stands after the last of its word breaks, and not the whole word.
	part="${last%"${last##*[=:]}"}"
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("${word#"$part"} ")
	done < <(git chat completion --words "$line" 2>/dev/null)
}
complete -o bashdefault -o default -o nospace -F _git_chat git-chat
"""

_ZSH = r"""# Completion of git chat and git-chat. zsh's own completion of git finds _git-chat by its name.
_git-chat () {
	local -a lines offered shown
	lines=("${(@f)$(git chat completion --words "$LBUFFER" 2>/dev/null)}")
	lines=(${lines:#})
	if (( ! $#lines )); then
		_files
		return
	fi
	offered=("${(@)lines%%$'\t'*}")
	shown=("${(@)lines/$'\t'/  }")
	compadd -l -d shown -a offered
}
compdef _git-chat git-chat
"""

_FISH = r"""# Completion of git chat and git-chat.
function __git_chat_words
    git chat completion --words (commandline -cp | string collect) 2>/dev/null
end
complete -c git-chat -f -a '(__git_chat_words)'
complete -c git -n '__fish_seen_subcommand_from chat' -f -a '(__git_chat_words)'
for options in '-c git-chat' '-c git -n "__fish_seen_subcommand_from chat"'
    eval complete $options -s a -l attach -r -F
    eval complete $options -l at -r -F
end
complete -c git-chat -n '__fish_seen_subcommand_from blame' -F
complete -c git -n '__fish_seen_subcommand_from chat; and __fish_seen_subcommand_from blame' -F
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
