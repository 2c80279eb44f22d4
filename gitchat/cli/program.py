"""Running a command that stands after ``--``, as a shell would: its streams, its signals, its exit status."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Protocol

import click

from gitchat.model.errors import UserError
from gitchat.storage import git

PROGRAM = "gitchat.program"


class WithProgram(click.Command):
    """What stands after ``--`` is a command to run, and no argument of ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words, program = args, None
        if "--" in args:
            words, program = args[: args.index("--")], args[args.index("--") + 1 :]
        ctx.meta[PROGRAM] = program
        return super().parse_args(ctx, words)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


class Started(Protocol):
    """A program that runs."""

    def send_signal(self, sig: int) -> None:
        """Hand on a signal."""

    def wait(self) -> int:
        """Wait for its end: its exit status, or a signal's number below 0."""


def run(program: list[str], cwd: str | None, variables: Mapping[str, str]) -> int:
    """Run ``program`` on our standard streams, as :func:`run_started` has it."""
    return run_started(program[0], lambda: git.start_attended(program, cwd=cwd, variables=variables))


def run_started(word: str, start: Callable[[], Started]) -> int:
    """Wait for what ``start`` starts: its exit status, or 128 and the signal's number.

    A terminal sends its interrupts to the program as well, so we only have to outlive them, as a shell
    does; what ends just this process is passed on.

    Raises UserError ``no-command``, with a shell's status: ``word`` cannot be started.
    """
    process: Started | None = None
    early: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    handlers = dict.fromkeys(_PASSED_ON, pass_on) | dict.fromkeys(_OF_THE_TERMINAL, _outlive)
    for signal_number, handler in handlers.items():
        # No SIG_IGN, which the program would inherit; what we inherited as ignored stays so.
        if signal.getsignal(signal_number) is not signal.SIG_IGN:
            signal.signal(signal_number, handler)
    try:
        process = start()
    except OSError as error:
        raise _cannot_run(word, error) from error
    for early_number in early:
        process.send_signal(early_number)
    status = process.wait()
    return 128 - status if status < 0 else status


_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


def _outlive(number: int, frame: FrameType | None) -> None:
    """The program has got it too."""


class _NotFound(UserError):
    """A shell's status for a command that is not there."""

    status = 127


class _NotExecutable(UserError):
    """A shell's status for a command that cannot be started."""

    status = 126


def _cannot_run(word: str, error: OSError) -> UserError:
    if isinstance(error, FileNotFoundError):
        return _NotFound(
            f"the command {word!r} cannot be found",
            hint="give its path, or see where it is looked for: printenv PATH",
            code="no-command",
        )
    return _NotExecutable(
        f"the command {word!r} cannot be started: {os.strerror(error.errno or 0)}",
        hint=f"see its permissions and its first line: ls -l {word}",
        code="no-command",
    )
