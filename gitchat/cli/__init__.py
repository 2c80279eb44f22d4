"""The command line: ``git chat <command>``. One command a file, imported when it is used.

A command parses, calls one verb of the core, and prints. Exit statuses: 0 done, 1 cannot
be done as asked, 2 wrong usage, 3 conflict with another writer, 4 damaged or unknown
format, 5 a remote refused, 70 a defect of gitchat, 130 interrupted, 141 broken pipe.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from gitchat import __version__
from gitchat.environment import here
from gitchat.errors import ChatError

COMMANDS = ("send", "log", "show", "doctor")
"""In the order in which somebody new meets them."""

INTERNAL_STATUS = 70
BROKEN_PIPE_STATUS = 141


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"gitchat.cli.{cmd_name}").command
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    epilog="Everything is stored under refs/chatroom/ in this repository; your files, index, branches and "
    "configuration are never touched. Try: git chat send 'hello'",
)
@click.version_option(__version__, "--version", prog_name="git-chat", message="%(prog)s %(version)s")
@click.pass_context
def git_chat(context: click.Context) -> None:
    """A chatroom inside this git repository, for people and coding agents."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    context.obj = here()


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status; print an error as ``error:`` and ``hint:``.

    All output is flushed on return.
    """
    _speak_utf8()
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nothing may write to the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE_STATUS
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(f"cannot write the output: {error.strerror}", "free some space, or write it elsewhere", 1)
    return status


def _dispatch(arguments: Sequence[str]) -> int:
    try:
        git_chat.main(list(arguments), prog_name="git chat", standalone_mode=False)
    except ChatError as error:
        return _fail(str(error), error.hint, error.status)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "git chat"
        return _fail(error.format_message(), f"{path} -h", 2)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except SystemExit:
        return BROKEN_PIPE_STATUS  # click's own answer to a closed pipe, the only one it gives this way
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            raise  # about the output, not about a file
        return _report_defect(error, arguments)
    return 0


def _fail(message: str, hint: str, status: int) -> int:
    from gitchat.cli.terminal import escape

    click.echo(f"{click.style('error:', fg='red', bold=True)} {escape(message)}", err=True, color=_color_of_errors())
    click.echo(f"{click.style('hint:', fg='yellow')} {escape(hint)}", err=True, color=_color_of_errors())
    return status


def _color_of_errors() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
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
    )
