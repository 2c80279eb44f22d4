"""A text that somebody writes: as arguments, on standard input, or in git's editor."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitchat.cli import terminal
from gitchat.model.errors import ChatError, UserError
from gitchat.model.record import MAX_BODY_BYTES
from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class Asked:
    """What sort of text a command wants, in the words of its errors."""

    word: str
    """What the text is: a message, a summary."""
    done: str
    """What did not happen when there is none, in the passive."""
    command: str
    file: str
    """The name of the editor's file, in the git directory."""
    template: str
    """What stands below the scissors in the editor."""


@contextmanager
def given(environment: Environment, words: tuple[str, ...], asked: Asked, default: str = "") -> Iterator[str]:
    """The text that ``words`` give; for ``-`` standard input, for none the ``default``, if there is
    one, else what a person writes in the editor.

    A person whose text is refused as a secret in the body of the ``with`` is told how to overrule that.
    What was written in the editor is kept in its file when the body of the ``with`` fails, and the error says so.

    Raises:
        UserError: ``no-text``, ``blank-body``, ``body-too-long``, ``not-utf-8``, ``editor-failed``.
        StorageError: the editor's file cannot be written.
    """
    text, is_edited = _read(environment, words or ((default,) if default else ()), asked)
    path = environment.repository.location.git_dir / asked.file
    try:
        _check_utf8(text, asked)
        yield text
    except ChatError as error:
        if error.code == "secret" and environment.caller.origin == "human":
            error.hint = f'leave it out; if it is none: {asked.command} --allow-secret "..."'
        if is_edited:
            error.hint += f"; your text is kept in {path}"
        raise
    if is_edited:
        path.unlink(missing_ok=True)


def _read(environment: Environment, words: tuple[str, ...], asked: Asked) -> tuple[str, bool]:
    """The text, and whether it came from the editor."""
    if words == ("-",):
        return _read_standard_input(asked), False
    if words:
        return " ".join(words), False
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError(
            "no text to send" if asked.done == "sent" else f"no text for the {asked.word}",
            hint=f"{asked.command} \"hello\"; or give '-' to send standard input",
            code="no-text",
        )
    text = terminal.edit(environment, asked.template, asked.file)
    if not text:
        (environment.repository.location.git_dir / asked.file).unlink(missing_ok=True)
        raise UserError(f"nothing was {asked.done}: the {asked.word} is empty", hint=asked.command, code="blank-body")
    return text, True


def _read_standard_input(asked: Asked) -> str:
    """Standard input without a byte order mark and its last line break, read no further than any limit can allow."""
    try:
        data = sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
    except (AttributeError, OSError) as error:  # who started us closed it, or gave a directory
        raise UserError(
            "standard input cannot be read", hint=f'give the text: {asked.command} "hello"', code="no-text"
        ) from error
    if len(data) > MAX_BODY_BYTES:
        raise UserError(
            f"standard input has more than {MAX_BODY_BYTES:,} bytes, the most a {asked.word} can have",
            hint="send a part of it (tail -c 60000), or commit it as a file and send its path",
            code="body-too-long",
        )
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")  # PowerShell's pipe puts a mark first
    return text.removesuffix("\n").removesuffix("\r")


def _check_utf8(text: str, asked: Asked) -> None:
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise UserError(
            f"the {asked.word} is not UTF-8",
            hint=f"convert it: iconv -f latin1 -t utf-8 FILE | {asked.command} -",
            code="not-utf-8",
        )
