"""What a terminal needs: safe text, width, colour, a pager, an editor. No chat rules."""

from __future__ import annotations

import fcntl
import os
import re
import select
import stat
import sys
import termios
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from gitchat.cli import palette
from gitchat.model.errors import UserError
from gitchat.model.escape import escape, escape_json, escape_line, escape_name
from gitchat.storage import git
from gitchat.storage.refusals import storage_error
from gitchat.workspace.environment import Environment

__all__ = [
    "Screen",
    "edit",
    "escape",
    "escape_json",
    "escape_line",
    "escape_name",
    "is_paging",
    "json_text",
    "page",
    "screen_for",
]


def json_text(value: Any) -> str:
    """``value`` as JSON on one line that a terminal can show."""
    import json

    return escape_json(json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Screen:
    """How to print: where text wraps, and whether colour is wanted."""

    width: int | None
    """Columns, or None when the output is no terminal and lines stay whole."""
    has_color: bool
    has_many_colors: bool = False
    """Whether it has 256 of them, and not 16."""

    def name(self, text: str, *, bold: bool = False) -> str:
        """A participant's name, escaped before, in its colour."""
        if not self.has_color:
            return text
        place = palette.color_of(text.strip())
        fg = palette.NAMES[place] if self.has_many_colors else palette.PLAIN[place % len(palette.PLAIN)]
        return click.style(text, fg=fg, bold=bold or None)

    def style(self, text: str, **style: Any) -> str:
        """``text`` in a style of click.style, or as it is without colour."""
        return click.style(text, **style) if self.has_color else text

    def wrap(self, text: str, indent: str) -> list[str]:
        """The lines of ``text``, wrapped and indented; empty lines stay empty."""
        lines: list[str] = []
        for line in text.expandtabs(4).split("\n"):
            lines += [indent + part for part in self._wrap_line(line, len(indent))] or [""]
        return lines

    def _wrap_line(self, line: str, used: int) -> list[str]:
        width = max(20, self.width - used) if self.width else None
        if width is None or (line.isascii() and len(line) <= width):
            return [line] if line.strip() else []
        lead = line[: len(line) - len(line.lstrip())][: width // 2]
        if line.isascii():
            import textwrap

            return textwrap.wrap(line, width, subsequent_indent=lead, break_on_hyphens=False)
        import wcwidth  # costs a tenth of a command's time, so only for text that needs it

        return wcwidth.wrap(line, width, subsequent_indent=lead, break_on_hyphens=False)

    def fold(self, line: str, indent: str) -> str:
        """``line``, which may hold styles, broken at blanks where it is wider than the screen."""
        if self.width is None or (len(line) <= self.width and line.isascii()):
            return line
        import wcwidth

        folded = wcwidth.wrap(line, max(20, self.width), subsequent_indent=indent, break_on_hyphens=False)
        return "\n".join(folded)

    def rows_of(self, line: str) -> int:
        """How many rows of the screen ``line`` takes, which may hold styles: 1, unless it is wider."""
        shown = click.unstyle(line).rstrip("\n")
        if self.width is None or (shown.isascii() and len(shown) <= self.width):
            return 1
        import wcwidth

        return max(1, -(-wcwidth.width(shown) // self.width))

    def clip(self, line: str) -> str:
        """``line``, which may hold styles, cut to the width, with an ellipsis where something was cut."""
        if self.width is None or (line.isascii() and len(line) <= self.width):
            return line
        if line.isascii() and "\x1b" not in line:
            return line[: self.width - 1] + "…"
        import wcwidth

        if wcwidth.width(line) <= self.width:
            return line
        return wcwidth.clip(line, 0, self.width - 1) + "…"


def is_paging(environment: Environment) -> bool:
    """Whether git itself started a pager around us (``git -p chat log``)."""
    return environment.variables.get("GIT_PAGER_IN_USE", "").lower() in ("1", "true", "yes", "on")


def screen_for(environment: Environment, color: str | None) -> Screen:
    """How to print on standard output: colour as git decides it, and ``NO_COLOR``.

    ``color`` is ``always``, ``never``, ``auto``, or None to follow ``color.chat`` and
    ``color.ui``.
    """
    is_terminal = sys.stdout.isatty() or is_paging(environment)
    width = columns() if is_terminal else None
    when = color
    if when is None and environment.variables.get("NO_COLOR"):
        when = "never"
    if when is None:
        when = (
            environment.repository.config.get("color.chat") or environment.repository.config.get("color.ui") or "auto"
        )
    is_dumb = environment.variables.get("TERM", "dumb") == "dumb"
    wants_auto = when.lower() in ("auto", "true", "yes", "on", "1")
    has_color = when == "always" or (wants_auto and is_terminal and not is_dumb)
    return Screen(width, has_color, has_color and palette.has_many(environment.variables))


def columns() -> int:
    """How many characters a line of the terminal has now."""
    import shutil

    return shutil.get_terminal_size().columns


def rows() -> int:
    """How many lines the terminal has now."""
    import shutil

    return shutil.get_terminal_size().lines


def page(environment: Environment, text: Iterable[str], *, from_end: bool = False) -> bool:
    """Print ``text``, through git's pager when standard output is a terminal and there is one.

    ``from_end`` opens less, with whatever options, at the last line. It is flushed.
    Returns False when the pager failed, or was left before it took all.

    Raises:
        OSError: the output cannot be written; BrokenPipeError when nobody reads it any more.
    """
    pager = chosen_pager(environment) if sys.stdout.isatty() else None
    if pager is None or not _can_start(pager):
        sys.stdout.writelines(text)
        sys.stdout.flush()
        return True
    variables = {"LESS": "FRX", "LV": "-c", **environment.variables}
    if from_end and "+" not in variables["LESS"]:
        variables["LESS"] += " +G"  # how it begins, for less; no other pager reads it
    return _page_through(pager, text, variables)


def chosen_pager(environment: Environment) -> str | None:
    """git's pager; None for who wants none: it is ``cat``, or blank."""
    pager = os.fsdecode(environment.repository.git("var", "GIT_PAGER")).strip()
    return None if pager in ("", "cat") else pager


def _page_through(pager: str, text: Iterable[str], variables: Mapping[str, str]) -> bool:
    """Feed ``text`` to a pager, in a shell as git does it. (click's pager does not tell how it ended.)"""
    process = git.start_attended(["sh", "-c", pager], variables=variables, is_fed=True)
    assert process.stdin is not None
    is_whole = True
    try:
        with process.stdin:
            process.stdin.writelines(part.encode("utf-8", "replace") for part in text)
    except BrokenPipeError:
        is_whole = False
    finally:
        _wait(process)
    return is_whole and process.returncode == 0


def _wait(process: git.Process) -> None:
    """Wait for a pager, also past an interrupt: that is for the pager, which still has the terminal."""
    while True:
        with suppress(KeyboardInterrupt):
            process.wait()
            return


def has_reader() -> bool:
    """Whether whoever reads our output still does, once it has read all that was flushed.

    Best effort, for a pipe alone: it holds 64 KiB without a reader, so that ``head -1`` takes its
    line and leaves, and no write ever fails. Who reads nothing for three seconds may do so later.
    """
    descriptor = sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return True
    pipe = select.poll()
    pipe.register(descriptor, 0)  # that the other end was closed is reported unasked
    deadline = time.monotonic() + _DRAIN_SECONDS
    while _is_filled(descriptor) and time.monotonic() < deadline:
        if pipe.poll(5):
            return False
    return not pipe.poll(_LEAVE_MILLISECONDS)


_DRAIN_SECONDS = 3.0

_LEAVE_MILLISECONDS = 50
"""How long a reader that wants no more takes to go, after it has read."""


def _is_filled(pipe: int) -> bool:
    """Whether something in a pipe waits to be read."""
    waiting = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(waiting, sys.byteorder) > 0


def _can_start(pager: str) -> bool:
    """Whether a shell will find the pager; a line that only a shell understands is trusted."""
    import shutil

    word = pager.split()[0]
    return not re.fullmatch(r"[\w./+-]+", word) or shutil.which(word) is not None


def edit(environment: Environment, template: str, name: str) -> str:
    """What a person wrote in git's editor, without the part from the scissors line on.

    Empty lines around the text are dropped. The file ``name`` in the git directory keeps
    it until the caller removes it, so that a failed send loses nothing.

    Raises:
        UserError: ``editor-failed``.
        StorageError: the file cannot be written.
    """
    import shlex

    path = environment.repository.location.git_dir / name
    try:
        path.unlink(missing_ok=True)  # another user's, or a link to what is precious
        with path.open("x", encoding="utf-8") as file:
            file.write(f"\n{SCISSORS}\n{template}")
    except OSError as error:
        raise storage_error(error, path) from error
    editor = ""
    try:
        editor = os.fsdecode(environment.repository.git("var", "GIT_EDITOR")).strip()
        # click starts an editor without a shell; git with one, so that it may have arguments and quotes.
        click.edit(filename=str(path), editor=shlex.join(["sh", "-c", f'{editor} "$@"', editor]))
    except (click.ClickException, git.GitFailed) as error:
        raise UserError(
            f"the editor {editor!r} failed" if editor else "there is no editor for this terminal",
            hint=f"the text is kept in {path}; choose another editor: export GIT_EDITOR=vim",
            code="editor-failed",
        ) from error
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("\ufeff")
    except FileNotFoundError:
        return ""
    lines = text.partition(SCISSORS)[0].rstrip().split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(lines[first:])


SCISSORS = "# ------------------------ >8 ------------------------"
"""As git commit has it: this line and what is below it is no part of a text."""
