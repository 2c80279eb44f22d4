"""``git chat status``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from gitchat.cli import claims, dates, options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer
from gitchat.doorbell.server import EXTRA
from gitchat.model.errors import ChatError
from gitchat.model.names import Name
from gitchat.model.record import Entry
from gitchat.verbs import as_json as forms
from gitchat.verbs.pending import words_of, words_of_aside
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.verbs.room import Status

COLUMNS = 100
"""How long a line is where there is no terminal: an overview is no place for whole messages."""

FOR_ME, NEWEST, OTHERS, ASIDES = 2, 5, 3, 1
"""How many urgent messages (and open questions), newest records and other rooms are shown: together one screen."""

INDENT = "  "


@click.command("status")
@options.room
@click.option("--as", "as_", metavar="NAME", help="What is going on for NAME.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@options.date
@options.color
@options.no_color
@click.pass_obj
def command(
    environment: Environment,
    room: str | None,
    as_: str | None,
    as_json: bool,
    date_style: str | None,
    color: str | None,
) -> None:
    """Show on one screen what is going on here, and mark nothing.

    Who is here, what is unread, urgent or unanswered for you, the newest messages and
    summary, and the other rooms.
    """
    from gitchat.verbs.room import Room
    from gitchat.workspace.doorbells import nats_missing

    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "human"
    status = chosen.status(recent=NEWEST)
    if as_json:
        click.echo(terminal.json_text(forms.of_status(status)))
        return
    for line in reading.of_namesakes(chosen.me, status.namesakes) if status.namesakes else []:
        click.echo(line, err=True)
    screen = terminal.screen_for(environment, color)
    screen = replace(screen, width=screen.width or COLUMNS)
    given = options.in_room(environment, chosen.name) + (f" --as {chosen.me}" if as_ is not None else "")
    missing = None
    with suppress(ChatError):  # a setting that is wrong is doctor's to tell
        missing = nats_missing(environment)
    renderer = Renderer(screen, style, environment.now())
    page = _Page(renderer, status, chosen.me, given, environment.is_new_clone(), missing)
    sys.stdout.writelines(page.lines())


@dataclass(frozen=True, slots=True)
class _Page:
    """A status as lines."""

    renderer: Renderer
    status: Status
    me: Name
    given: str
    """The options for commands that it names."""
    is_new_clone: bool
    missing: str | None
    """That something is not installed for the doorbell that is set."""

    def lines(self) -> Iterator[str]:
        """At most 24 lines, each no longer than the screen is wide."""
        yield from self._head()
        status = self.status
        questions = status.questions[-FOR_ME:]
        repeated = sum(entry in questions for entry in status.urgent)  # once is enough
        urgent = [entry for entry in status.urgent if entry not in questions][:FOR_ME]
        yield from self._records("unanswered", questions, status.question_count - len(questions))
        yield from self._records("urgent", urgent, status.urgent_count - len(urgent) - repeated)
        yield from self._records("newest", status.recent)
        yield from self._summary()
        yield from self._others()
        yield from self._next()

    def _line(self, text: str) -> str:
        return self.renderer.screen.clip(text) + "\n"

    def _title(self, text: str) -> str:
        return self._line(self.renderer.screen.style(text, bold=True))

    def _head(self) -> Iterator[str]:
        status, room = self.status, self.status.room
        title = f": {terminal.escape_line(room.title)}" if room.title else ""
        yield self._title(f"{room.name}{title}{' (closed)' if room.is_closed else ''}")
        if room.active_seconds is not None:
            active = dates.relative(self.renderer.now.seconds - room.active_seconds)
            noun = "message" if status.message_count == 1 else "messages"
            yield self._line(f"{status.message_count} {noun}, the last {active}; {status.unread} unread for {self.me}")
        if status.participants:
            show = self.renderer.screen.name
            names = (
                f"{show(one.name)} ({terminal.escape_line(one.role)})" if one.role.strip() else show(one.name)
                for one in status.participants
            )
            yield self._line(f"here: {', '.join(names)}")
        if self.missing is not None:
            from gitchat.cli.installing import with_extra  # for who is told

            yield self._line(f"no doorbell: {self.missing}: {with_extra(EXTRA)}")
        yield from map(self._line, claims.summed_up(status.claims, status.meeting, self.renderer.now))
        yield from map(self._line, claims.ahead(status.conflicts, status.behind, self.me))
        if status.not_looked is not None:
            yield self._line(status.not_looked)
        if status.pending is not None:
            now = self.renderer.now
            yield self._line(words_of(status.pending, terminal.escape_line, lambda seconds: dates.since(seconds, now)))
        for entry in status.asides[:ASIDES]:
            if entry.aside is not None:
                remote, why = terminal.escape_line(entry.aside.remote), terminal.escape_line(entry.aside.why)
                yield from map(self._line, words_of_aside(entry.handle, remote, why))
        if len(status.asides) > ASIDES:
            yield self._line(f"and {len(status.asides) - ASIDES} more set aside: git chat log")

    def _records(self, title: str, entries: Sequence[Entry], more: int = 0) -> Iterator[str]:
        if entries:
            yield self._title(f"{title}, and {more} more:" if more else f"{title}:")
            yield from self.renderer.oneline(entries, INDENT)

    def _summary(self) -> Iterator[str]:
        summary = self.status.summary
        if summary is not None:
            age = dates.relative(self.renderer.now.seconds - summary.written.seconds)
            since = f"{self.status.since} message{'' if self.status.since == 1 else 's'} since"
            yield self._title(f"summary {summary.label}, {age}, {since}:")
            yield self.renderer.line(summary.text.strip().partition("\n")[0], INDENT)

    def _others(self) -> Iterator[str]:
        rooms = self.status.other_rooms
        if rooms:
            yield self._title("other rooms:")
        for room in rooms[:OTHERS]:
            title = f"  {terminal.escape_line(room.title)}" if room.title else ""
            yield self._line(f"{INDENT}{room.name}  #{room.count}{'  (closed)' if room.is_closed else ''}{title}")
        if len(rooms) > OTHERS:
            yield self._line(f"{INDENT}and {len(rooms) - OTHERS} more: git chat rooms")

    def _next(self) -> Iterator[str]:
        """What to type next."""
        if any(entry.record.to for entry in self.status.questions):  # who asks everybody waits for nobody in particular
            yield self._line(f"next: git chat answer{self.given}")
        elif self.status.unread:
            yield self._line(f"next: git chat inbox{self.given}")
        elif not self.status.message_count:
            if self.is_new_clone:
                yield self._line("next: git chat sync, if others write here")
            yield self._line(f'next: git chat send{self.given} "hello"')
        else:
            yield self._line(f"next: git chat handoff{self.given}")
