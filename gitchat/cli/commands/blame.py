"""``git chat blame``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.terminal import Screen, escape_line, escape_name
from gitchat.model.anchor import spelled
from gitchat.model.errors import UserError
from gitchat.model.hunks import Lines
from gitchat.model.record import Entry, Moment
from gitchat.verbs import as_json, at_json
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.verbs.anchoring import Blamed, Said

_LABELS = 3
"""How many messages about one commit are named."""


@click.command("blame")
@click.argument("words", nargs=-1, metavar="[REV] FILE")
@click.option("-L", "lines", metavar="A,B", help="Only lines A to B, or A,+N: so many from A on.")
@options.room
@click.option("--json", "as_json_lines", is_flag=True, help="One JSON object for each message.")
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment,
    words: tuple[str, ...],
    lines: str | None,
    room: str | None,
    as_json_lines: bool,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show what was said about the lines of a file.

    FILE is the one in the work tree, with REV as it is at that commit. The oldest line comes first: what is about a
    commit, at the lines that are from it, and what is about lines (send --at), where these are now, with the answers.

    Lines that read otherwise now are changed; those that are no more are gone, and come last.

    With --json a message is as log --json has it, with the excerpt of how its lines read; one about a commit has
    of_commit, with its id, subject and lines, and one whose lines are gone removed_in, where that is known.

    \b
    Examples:
      git chat blame src/lexer.py
      git chat blame -L 40,60 src/lexer.py
      git chat blame HEAD~3 src/lexer.py
    """
    from gitchat.verbs.room import Room

    if not 1 <= len(words) <= 2:
        raise click.UsageError("one FILE is wanted, and a commit before it at most")
    chat = Room(environment, arrive(environment, room))
    found = chat.blame(words[-1], words[0] if len(words) == 2 else None, _parse(lines) if lines is not None else None)
    if as_json_lines:
        labels = chat.labels([entry for one in found.said for entry in one.entries])
        for one in found.said:
            for place, entry in enumerate(one.entries):
                shown = as_json.of_entry(entry, labels) | _place(one, is_answer=place > 0 and one.at is not None)
                sys.stdout.write(terminal.json_text(shown) + "\n")
        return
    screen = terminal.screen_for(environment, color)
    output = [screen.clip(line) + "\n" for line in _Page(screen, environment.now()).lines(found)]
    if no_pager:
        sys.stdout.writelines(output)
    else:
        terminal.page(environment, output)
    if not found.said and sys.stderr.isatty():
        click.echo(f'nothing was said about it yet: git chat send --at {escape_line(words[-1])} "..."', err=True)


def _parse(text: str) -> Lines:
    """The lines that ``-L`` names. Raises UserError ``bad-anchor``."""
    match = re.fullmatch(r"([0-9]{1,9})(?:,(\+?)([0-9]{1,9}))?", text)
    if match is not None:
        first = int(match[1])
        last = first if match[3] is None else int(match[3]) + (first - 1 if match[2] else 0)
        if 1 <= first <= last:
            return (first, last)
    raise UserError(f"-L {text} names no lines", hint="they count from 1: -L 40,46, or -L 40,+7", code="bad-anchor")


def _place(said: Said, *, is_answer: bool) -> dict[str, Any]:
    """What ``--json`` has of a message besides: ``of_commit`` and its lines, or where the lines it is about are now."""
    if said.at is None:
        return {"of_commit": {"id": said.commit, "subject": said.subject, "lines": [list(one) for one in said.lines]}}
    if is_answer:
        return {}
    removed = {"removed_in": said.commit} if said.commit is not None else {}
    return at_json.beside([said.at], with_excerpt=True) | removed


@dataclass(frozen=True, slots=True)
class _Page:
    """What was said about a file, a line a message."""

    screen: Screen
    now: Moment

    def lines(self, found: Blamed) -> Iterator[str]:
        width = max((len(_where(one)) for one in found.said), default=0)
        for one in found.said:
            where = _where(one).ljust(width)
            if one.at is None:
                yield f"{where}  {self._commit(one)}"
                continue
            first, *answers = one.entries
            yield self._fitted(f"{where}  {self._head(first)}: ", first, _became(one))
            for entry in answers:
                yield f"{' ' * width}    {self._label(entry)}  {escape_name(entry.record.author)}: {_text(entry)}"
        if found.left:
            yield self.screen.style(f"({found.left:,} older messages: git chat log --at FILE)", dim=True)

    def _commit(self, said: Said) -> str:
        labels = " ".join(map(self._label, said.entries[-_LABELS:]))
        more = f" and {len(said.entries) - _LABELS} more" if len(said.entries) > _LABELS else ""
        rest = len(said.lines) - 1
        others = f" (and {rest} more place{'' if rest == 1 else 's'})" if rest else ""
        return f"{labels}{more}  about {(said.commit or '')[:7]} {escape_line(said.subject)}{others}"

    def _head(self, entry: Entry) -> str:
        record = entry.record
        parts = [escape_name(record.author), dates.format_date(record.written, "relative", self.now)]
        parts += [record.type] if record.type else []
        return f"{self._label(entry)}  {', '.join(parts)}"

    def _fitted(self, head: str, entry: Entry, became: str) -> str:
        """The line of a message, of whose text so much is shown that what became of its lines is seen, too."""
        text, end = _text(entry), f"  {self.screen.style(became, dim=True)}" if became else ""
        if self.screen.width is not None:
            left = max(10, self.screen.width - len(click.unstyle(head)) - len(became) - 2)
            text = text if len(text) <= left else f"{text[: left - 1]}…"
        return f"{head}{text}{end}"

    def _label(self, entry: Entry) -> str:
        return self.screen.style(entry.label, fg="yellow")


def _where(said: Said) -> str:
    if said.at is not None and said.at.place is None:
        return "?"
    if said.lines:
        return spelled(said.lines[0])
    return "gone" if said.is_gone else "file"


def _text(entry: Entry) -> str:
    return " ".join(escape_line(entry.record.body).split())


def _became(said: Said) -> str:
    """What became of the lines since; nothing where nothing did."""
    at = said.at
    if at is None:
        return ""
    was = spelled(at.anchor.lines) if at.anchor.lines is not None else ""
    if at.place is None:
        return f"was {was}, and nobody can say where that is now"
    if at.place.state == "gone":
        removed = f"removed in {said.commit}" if said.commit is not None else "removed since"
        return f"was {was}, {removed}" if was else removed
    if at.place.path != at.anchor.path:
        was = escape_line(str(at.anchor))
    elif at.place.lines == at.anchor.lines:
        was = ""
    words = [f"was {was}"] if was else []
    if at.place.state == "changed":
        is_one = at.anchor.lines is not None and at.anchor.lines[0] == at.anchor.lines[1]
        words.append(f"the line{'' if is_one else 's'} changed since")
    elif words:
        words.append("unchanged")
    return ", ".join(words)
