"""Handing over uncommitted work, and taking it, in the words of the command line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitchat.cli.terminal import Screen, escape, escape_line
from gitchat.model.errors import UserError
from gitchat.model.names import RoomName
from gitchat.model.overlay import Overlay, counted, told
from gitchat.model.record import Entry, Origin
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.work.gathering import Gathered


def gathered(environment: Environment, room: RoomName, origin: Origin, words: tuple[str, ...]) -> Gathered:
    """The work that goes along with ``words``, of which the last is the text, and those before it are paths.

    Raises UserError as verbs.handing.gather; ``no-text`` where the text is but a path.
    """
    from gitchat.verbs.handing import gather

    if len(words) == 1 and os.path.lexists(os.path.join(environment.cwd, words[0])):
        quoted = shlex.quote(words[0])
        raise UserError(
            f"{words[0]!r} is a path here, and what stands last is the text",
            hint=f'say what it is about: git chat send --work {quoted} "..."',
            code="no-text",
        )
    return gather(environment, room, origin, words[:-1])


def default_text(found: Gathered) -> str:
    """What is said with work where nothing else is."""
    return f"{told(found.carried.paths, found.branch)}: {counted(found.carried.overlay)}"


def of_sent(label: str, found: Gathered) -> str:
    """``#52 with 7 files of branch lexer (5 changed, 1 new, 1 deleted; 2 staged)``."""
    branch = f"branch {found.branch}" if found.branch else "no branch"
    return f"{label} with {told(found.carried.paths, escape_line(branch))} ({_counts(found.carried.overlay)})"


def _counts(overlay: Overlay) -> str:
    return counted(overlay) + (f"; {len(overlay.staged)} staged" if overlay.staged else "")


def of_entry(entry: Entry, default_room: str) -> str:
    """What a message hands over, and what to type: ``7 files of lexer (git chat take 52)``. Not escaped yet."""
    place = entry.number if entry.number is not None else entry.handle
    room = "" if entry.room == default_room else f" --room {entry.room}"
    return f"{told(entry.record.work or 0, entry.record.branch)} (git chat take {place}{room})"


def lines_of_notes(notes: tuple[str, ...]) -> Iterator[str]:
    """What a person should know, for standard error."""
    return (f"note: {escape_line(note)}" for note in notes)


_COLORS = (("@@", "cyan"), ("+++", None), ("---", None), ("+", "green"), ("-", "red"))


def lines_of_diff(screen: Screen, diff: bytes) -> Iterator[str]:
    """The lines of a diff, coloured as git does, with nothing hidden in them."""
    for line in diff.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        shown = escape(line.removesuffix("\r"))
        color = next((color for start, color in _COLORS if line.startswith(start)), None)
        is_bold = line.startswith(
            ("diff ", "index ", "+++", "---", "new file ", "deleted file ", "old mode ", "new mode ")
        )
        yield screen.style(shown, fg=color, bold=is_bold) + "\n"
