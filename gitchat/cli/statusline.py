"""One line on a terminal that tells what a long call is doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from gitchat.cli import terminal


class StatusLine:
    """One line on standard error that tells what git is doing, when that takes longer than a moment."""

    QUIET_SECONDS = 0.5

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._is_shown = False

    def show(self, text: str) -> None:
        """Show ``text`` instead of what stands there. It is a stranger's: a server's words are among it."""
        if time.monotonic() - self._begin > self.QUIET_SECONDS:
            self._is_shown = True
            screen = terminal.Screen(terminal.columns() - 1, has_color=False)
            click.echo(f"\r\x1b[K{screen.clip(terminal.escape_line(text))}", nl=False, err=True)

    def clear(self) -> None:
        """Leave nothing there."""
        if self._is_shown:
            self._is_shown = False
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def status_line() -> Iterator[StatusLine | None]:
    """A status line, on a terminal only; it is cleared at the end."""
    line = StatusLine() if sys.stderr.isatty() else None
    try:
        yield line
    finally:
        if line is not None:
            line.clear()
