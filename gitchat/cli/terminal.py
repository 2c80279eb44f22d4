"""What a terminal needs: safe text, width, colour, a pager. No chat rules."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from gitchat.environment import Environment
from gitchat.errors import UserError
from gitchat.escape import escape, escape_json, escape_line
from gitchat.gate import storage_error
from gitchat.git import GitFailed

__all__ = ["Screen", "edit", "escape", "escape_json", "escape_line", "is_paging", "page", "screen_for"]


@dataclass(frozen=True, slots=True)
class Screen:
    """How to print: where text wraps, and whether colour is wanted."""

    width: int | None
    """Columns, or None when the output is no terminal and lines stay whole."""
    has_color: bool

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
    width = _columns() if is_terminal else None
    when = color
    if when is None and environment.variables.get("NO_COLOR"):
        when = "never"
    if when is None:
        when = environment.config.get("color.chat") or environment.config.get("color.ui") or "auto"
    is_dumb = environment.variables.get("TERM", "dumb") == "dumb"
    wants_auto = when.lower() in ("auto", "true", "yes", "on", "1")
    return Screen(width, when == "always" or (wants_auto and is_terminal and not is_dumb))


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def page(environment: Environment, screen: Screen, text: Iterable[str]) -> None:
    """Print ``text``, through git's pager when standard output is a terminal and there is one."""
    pager = os.fsdecode(environment.git("var", "GIT_PAGER")).strip() if sys.stdout.isatty() else "cat"
    if pager in ("", "cat") or not _can_start(pager):
        sys.stdout.writelines(text)
        return
    import shlex

    # click runs $PAGER without a shell; git runs its pager with one, and with these defaults.
    os.environ["PAGER"] = f"sh -c {shlex.quote(pager)}"
    os.environ.setdefault("LESS", "FRX")
    os.environ.setdefault("LV", "-c")
    click.echo_via_pager(text, color=screen.has_color)


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

    path = environment.location.git_dir / name
    try:
        path.write_text(f"\n{SCISSORS}\n{template}", encoding="utf-8")
    except OSError as error:
        raise storage_error(error, path) from error
    editor = ""
    try:
        editor = os.fsdecode(environment.git("var", "GIT_EDITOR")).strip()
        # click starts an editor without a shell; git with one, so that it may have arguments and quotes.
        click.edit(filename=str(path), editor=shlex.join(["sh", "-c", f'{editor} "$@"', editor]))
    except (click.ClickException, GitFailed) as error:
        raise UserError(
            f"the editor {editor!r} failed" if editor else "there is no editor for this terminal",
            hint=f"the text is kept in {path}; choose another editor: git config core.editor vim",
            code="editor-failed",
        ) from error
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    lines = text.partition(SCISSORS)[0].rstrip().split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(lines[first:])


SCISSORS = "# ------------------------ >8 ------------------------"
