"""The command line: ``git chat <command>``. One command a file, imported when it is used.

A command parses, calls one verb of the core, and prints. Exit statuses: 0 done, 1 cannot
be done as asked, 2 wrong usage, 3 conflict with another writer, 4 damaged or unknown
format, 5 a remote refused, 70 a defect of gitchat, 130 interrupted, 141 broken pipe.
"""

from __future__ import annotations

import keyword
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module

import click

from gitchat import __version__
from gitchat.cli import options
from gitchat.cli.grammar import Verbs
from gitchat.model import offered
from gitchat.model.errors import ChatError, Mistyped, MountError
from gitchat.model.refs import REF_PREFIX
from gitchat.workspace.environment import here
from gitchat.workspace.opened import AGENTS_PATIENCE_SECONDS
from gitchat.workspace.process import read_variables

GROUPS = {
    "To begin with": ("send", "reply", "read", "watch", "log"),
    "Look and find": ("inbox", "wait", "status", "handoff", "summary", "show", "search", "blame", "export"),
    "Who is here": ("who", "join", "leave", "cursor", "forget"),
    "Who does what": ("ask", "answer", "claim", "release", "claims", "conflicts", "take"),
    "Rooms": ("rooms", "room"),
    "Other clones": ("sync", "push", "pull", "bundle", "remote", "invite", "import"),
    "Take it back": ("unsend", "redact", "purge"),
    "Agents and git": ("setup", "hook", "run", "mcp", "snd"),
    "Over the network": ("serve", "token"),
    "Care": ("doctor", "verify", "completion", "uninstall", "help"),
}
"""The commands as the help lists them, in the order in which somebody new meets them."""

COMMANDS = tuple(name for names in GROUPS.values() for name in names)

MAINTENANCE = ("count", "deliver", "doorbell", "look", "pack")
"""Run by gitchat itself, so not listed."""

INTERNAL_STATUS = 70
BROKEN_PIPE_STATUS = 141


def module_of(command: str) -> str:
    """The module of a command: called as it is, but where Python has that word itself."""
    return f"gitchat.cli.commands.{command}{'_' if keyword.iskeyword(command) else ''}"


class _Commands(Verbs):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """In their groups, as git lists its own."""
        width = max(map(len, COMMANDS))
        for title, names in GROUPS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(formatter.width - 6 - width))
                        for name, command in commands
                        if command is not None
                    ]
                )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS + MAINTENANCE:
            return None
        command: click.Command = import_module(module_of(cmd_name)).command
        return command


_HASTY = frozenset({"inbox", "log", "read", "reply", "rooms", "search", "send", "show", "status", "who"})
"""Commands that an agent types to see or to say something, and that change nothing yet when they end early."""


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    epilog=f"Everything is stored under {REF_PREFIX} in this repository. Your files, index and branches are never "
    "touched, unless you ask setup to, nor is git's configuration, but for chatroom.ROOM.remote, which sync and "
    "remote write. Try: git chat send 'hello'",
)
@click.version_option(__version__, "--version", prog_name="git-chat", message="%(prog)s %(version)s")
@click.pass_context
def git_chat(context: click.Context) -> None:
    """A chatroom inside this git repository, for people and coding agents."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    environment = here(options.ShowProgress(), warn=_warn)
    if context.invoked_subcommand in _HASTY and environment.caller.has_seat:
        environment = replace(environment, patience_seconds=AGENTS_PATIENCE_SECONDS)
    context.obj = environment


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status; print an error as ``error:`` and ``hint:``.

    All output is flushed on return.
    """
    _prepare_streams()
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nothing may write to the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_STATUS
    except OSError as error:
        return refuse_output(error)
    return status


def refuse_output(error: OSError) -> int:
    """Say that the output cannot be written, and return the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _fail(f"cannot write the output: {error.strerror}", "free some space, or write it elsewhere", 1, False)


def _dispatch(arguments: Sequence[str]) -> int:
    try:
        status = git_chat.main(list(arguments), prog_name="git chat", standalone_mode=False)
    except ChatError as error:
        return _fail(str(error), _hint_of(error, arguments), error.status, _errors_have_color(arguments))
    except click.UsageError as error:
        return _refuse(error, arguments)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except SystemExit:
        return BROKEN_PIPE_STATUS  # click's own answer to a closed pipe, the only one it gives this way
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            raise  # about the output, not about a file
        return _report_defect(error, arguments)
    return status if isinstance(status, int) else 0


def _refuse(error: click.UsageError, arguments: Sequence[str]) -> int:
    """Say what is wrong with what was typed, and what was probably meant."""
    from gitchat.cli import mistaken  # for who made a mistake

    has_color = _errors_have_color(arguments)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and error.ctx is not None:
        click.echo(mistaken.overview(error.ctx), nl=False, err=True)
        return _hint(f"{error.ctx.command_path} -h", 2, has_color)
    message, hint = mistaken.explain(error, arguments, COMMANDS, lambda: here())
    return _fail(message, hint, 2, has_color)


def _hint_of(error: ChatError, arguments: Sequence[str]) -> str:
    """What to do next: in an agent's shell, whose sandbox keeps the repository from it, what is let through."""
    if isinstance(error, Mistyped):
        from gitchat.cli import misnamed  # for who made a mistake

        return misnamed.next_step(error, arguments, lambda: here())
    if isinstance(error, MountError):
        with suppress(ChatError):
            if here().caller.client is not None:
                return f"your sandbox keeps .git read-only: use the tools of the {offered.SERVER} server"
    return error.hint


def _warn(words: str) -> None:
    """Say what may be wrong with what was typed, and is done."""
    from gitchat.cli.terminal import escape_line  # for who is warned

    click.echo(f"warning: {escape_line(words)}", err=True)


def _fail(message: str, hint: str, status: int, has_color: bool) -> int:
    from gitchat.cli.terminal import escape_line

    mark = click.style("error:", fg="red", bold=True) if has_color else "error:"
    click.echo(f"{mark} {escape_line(message)}", err=True, color=has_color)
    return _hint(hint, status, has_color)


def _hint(hint: str, status: int, has_color: bool) -> int:
    from gitchat.cli.terminal import escape_line

    mark = click.style("hint:", fg="yellow") if has_color else "hint:"
    click.echo(f"{mark} {escape_line(hint)}", err=True, color=has_color)
    return status


def _errors_have_color(arguments: Sequence[str]) -> bool:
    """Colour on a terminal, unless it was turned off where an error can still know of it."""
    variables = read_variables()
    is_off = variables.get("NO_COLOR") or variables.get("TERM", "dumb") == "dumb"
    if is_off or not sys.stderr.isatty() or {"--color=never", "--no-color"} & set(arguments):
        return False
    try:
        return here().repository.config.get("color.ui") not in ("never", "false", "no", "off")
    except ChatError:
        return True


def _prepare_streams() -> None:
    """UTF-8 whatever the locale; a stream that was closed by who started us is an empty one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as we do
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _report_defect(error: Exception, arguments: Sequence[str]) -> int:
    """Write what a bug report needs into a file, and say where it is."""
    import platform
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="git-chat-error-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
    ) as file:
        file.write(f"git-chat {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
        # Option names only: an argument may be a message.
        file.write(f"command: {' '.join(word.split('=')[0] for word in arguments if word.startswith('-'))}\n\n")
        traceback.print_exception(error, file=file)
    return _fail(
        f"gitchat failed in a way it does not know: {type(error).__name__}: {error}",
        f"please report it with the contents of {file.name}",
        INTERNAL_STATUS,
        has_color=False,
    )
