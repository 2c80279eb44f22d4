"""``git chat handoff``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from gitchat.cli import dates, options, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.render import Renderer
from gitchat.model.record import Entry
from gitchat.verbs import budget, handoff_json
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # brings SQLite, which the help can do without
    from gitchat.verbs.room import Handoff

NOTE_CHARS = 160
"""What one line that says how much is left out takes at most: the longest name of a room is in it."""

TITLE_CHARS = 80

QUESTIONS, QUESTION_CHARS = 3, 120
"""How many open questions are shown, and how much of each."""

LEAST_CHARS = 2000
"""Room for the lines that are never left out."""


@click.command("handoff")
@options.room
@click.option("--as", "as_", metavar="NAME", help="What NAME has to know.")
@click.option(
    "--max-chars", type=click.IntRange(min=LEAST_CHARS), default=8000, show_default=True, metavar="N",
    help="The longest the output may be.",
)  # fmt: skip
@click.option(
    "--recent", type=click.IntRange(1, 100), default=10, show_default=True, metavar="N",
    help="How many of the newest messages to show.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@options.date
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment,
    room: str | None,
    as_: str | None,
    max_chars: int,
    recent: int,
    as_json: bool,
    date_style: str | None,
    color: str | None,
    no_pager: bool,
) -> None:
    """Show what somebody who comes back has to know; marks nothing.

    Who is here, what is unread, the newest summary, what happened since, and the newest
    messages: no more than --max-chars characters in all. What is left out is said.

    \b
    Examples:
      git chat handoff
      git chat handoff --as codex --max-chars 4000
    """
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room), as_)
    chosen.refuse_unknown()
    style = dates.chosen_style(environment, date_style, sys.stdout.isatty()) or "human"
    handoff = chosen.handoff(recent=recent, with_own=False)
    if as_json:
        click.echo(terminal.json_text(handoff_json.of_handoff(handoff, max_chars - 1, terminal.json_text)))
        return
    screen = terminal.screen_for(environment, color)
    given = options.in_room(environment, chosen.name)
    named = f" --as {chosen.me}" if as_ is not None else ""
    text = _Page(
        Renderer(screen, style, environment.now(), default_room=environment.room_name(None)), handoff, given, named
    ).text(max_chars)
    if no_pager:
        sys.stdout.write(text)
    else:
        terminal.page(environment, [text])


@dataclass(frozen=True, slots=True)
class _Page:
    """A handoff as text of a limited length."""

    renderer: Renderer
    handoff: Handoff
    in_room: str
    """The options for commands that it names."""
    as_name: str

    def text(self, max_chars: int) -> str:
        """All of it in at most ``max_chars`` characters, styles included."""
        handoff = self.handoff
        head = self._head() + self._people(max_chars // 5) + self._questions()
        sections = [f"\n{self._bold(title)}\n" for title in ("since the summary:", "newest:")]
        plan = budget.plan(
            None if handoff.summary is None else budget.Item("", len(handoff.summary.text), self._summary_size),
            [self._item(entry) for entry in handoff.since],
            [self._item(entry) for entry in handoff.recent],
            max_chars - len(head) - sum(map(len, sections)) - NOTE_CHARS,
            note=NOTE_CHARS,
            since_left=handoff.since_left,
        )
        since = [entry for entry in handoff.since if entry.oid in plan.since]
        recent = [entry for entry in handoff.recent if entry.oid in plan.recent]
        parts = [head, self._summary(plan.summary)]
        if handoff.since:
            parts += [sections[0], self._records(since, plan.since), self._left(since, recent)]
        if recent:
            parts += [sections[1], self._earlier(since, recent), self._records(recent, plan.recent)]
        return "".join(parts)

    def _bold(self, text: str) -> str:
        return self.renderer.screen.style(text, bold=True)

    def _head(self) -> str:
        room, handoff = self.handoff.room, self.handoff
        title = f": {terminal.escape_line(room.title)[:TITLE_CHARS]}" if room.title else ""
        lines = [f"{self._bold(room.name)}{title}{' (closed)' if room.is_closed else ''}"]
        if not room.count:
            lines.append(f'no message yet: git chat send{self.in_room} "hello"')
        elif handoff.unread:
            newest = f"the newest is #{room.count}; {handoff.unread} unread for {handoff.name}"
            lines.append(f"{newest}: git chat inbox{self.in_room}{self.as_name}")
        else:
            lines.append(f"the newest is #{room.count}; nothing unread for {handoff.name}")
        return "".join(f"{line}\n" for line in lines)

    def _people(self, max_chars: int) -> str:
        """Who is here, as many as fit."""
        people = self.handoff.participants
        if not people:
            return ""
        names = [one.name + (f" ({terminal.escape_line(one.role)})" if one.role.strip() else "") for one in people]
        end = f"and {len(people)} more: git chat who{self.in_room}"
        items = [
            budget.Item(one.name, 0, partial(_size_of_name, name)) for one, name in zip(people, names, strict=True)
        ]
        fitting = budget.fit(items, max_chars, note=len(end))
        left = len(names) - len(fitting)
        shown = [*names[: len(fitting)], *([f"and {left} more: git chat who{self.in_room}"] if left else [])]
        return f"here: {', '.join(shown)}\n"

    def _questions(self) -> str:
        """The newest open questions, a line each, and how to answer."""
        handoff = self.handoff
        if not handoff.questions:
            return ""
        screen = self.renderer.screen
        shown = replace(
            self.renderer, screen=replace(screen, width=min(screen.width or QUESTION_CHARS, QUESTION_CHARS))
        )
        more = handoff.question_count - len(handoff.questions[-QUESTIONS:])
        title = f"unanswered, and {more} more" if more else "unanswered"
        lines = "".join(shown.oneline(handoff.questions[-QUESTIONS:], "  "))
        return f"{self._bold(title)}: git chat answer{self.in_room}{self.as_name}\n{lines}"

    def _item(self, entry: Entry) -> budget.Item:
        return budget.Item(entry.oid, len(self.renderer.text(entry)), lambda chars: len(self._record(entry, chars)))

    def _record(self, entry: Entry, chars: int) -> str:
        return self.renderer.block(entry, self.handoff.labels, chars, f"git chat show{self.in_room} {entry.label}")

    def _records(self, entries: Sequence[Entry], chars: dict[str, int]) -> str:
        return "".join(self._record(entry, chars[entry.oid]) for entry in entries)

    def _summary_size(self, chars: int) -> int:
        return len(self._summary(chars))

    def _summary(self, chars: int | None) -> str:
        summary = self.handoff.summary
        if summary is None or chars is None:
            return ""
        hint = f"git chat summary show{self.in_room} {summary.label}"
        lines = self.renderer.shortened(summary.text, chars, hint)
        return f"\n{self.renderer.summary_heading(summary)}" + "".join(f"{line}\n" for line in lines)

    def _left(self, since: Sequence[Entry], recent: Sequence[Entry]) -> str:
        """How many records since the summary are neither in ``since`` nor in ``recent``, and how to see them."""
        left = self.handoff.since_without([*since, *recent])
        if not left:
            return ""
        first = since[-1].number if since else self._before(self.handoff.since[0])
        until = f" --until {self._before(recent[0])}" if recent and recent[0].number is not None else ""
        newest = self.handoff.room.count  # what is pending stands behind every number
        return f"{left} more: git chat log{self.in_room} --since {newest if first is None else first}{until}\n"

    def _before(self, entry: Entry) -> int:
        """The number before that of ``entry``: the newest one when it is pending."""
        return self.handoff.room.count if entry.number is None else entry.number - 1

    def _earlier(self, since: Sequence[Entry], recent: Sequence[Entry]) -> str:
        """How many of the newest records that were asked for had no room, and how to see them."""
        shown = {entry.oid for entry in [*since, *recent]}
        later = self.handoff.since_recent  # the others are counted among those
        left = sum(entry.oid not in shown and entry.oid not in later for entry in self.handoff.recent)
        last = self._before(recent[0])
        return f"{left} earlier: git chat log{self.in_room} -n {left} --until {last}\n" if left else ""


def _size_of_name(name: str, _: int) -> int:
    return len(name) + len(", ")
