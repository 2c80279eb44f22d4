"""News of a room as text: for a screen as wide as it is now, or for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitchat.cli import dates, options, terminal
from gitchat.cli.render import Renderer, json_line
from gitchat.model.names import Handle, Uid
from gitchat.model.query import Query
from gitchat.model.record import STATUS, Entry
from gitchat.staying.follow import Arrival, News, Numbered
from gitchat.verbs.pending import Pending, of_pending, words_of
from gitchat.verbs.room import Room

SCREEN_CHARS = 4000
"""How much of a message is shown on a screen while one watches, if it fits: the rest is one command away."""

_BESIDE_LINES = 4
"""What a screen shows beside a message's text: its heading, what is missing, and the line that is written."""

_LEAST_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How somebody wants to watch."""

    count: int
    """How many of the newest to begin with."""
    is_unread: bool
    """Whether to begin with what is unread, instead."""
    query: Query
    """Which records are shown, of what there is and of what comes."""
    color: str | None
    date_style: str | None
    as_json: bool


@dataclass(slots=True)
class Feed:
    """Prints the news of ``room``, in order; it remembers which day it printed, and what it left out."""

    room: Room
    color: str | None
    date_style: str | None
    as_json: bool
    query: Query
    _day: str | None = None
    _left_out: set[Handle] = field(default_factory=set)

    def wanted(self, news: Iterable[News]) -> list[News]:
        """Of the news that came, what shall be shown: no record that is not asked for, and no word of one later."""
        shown: list[News] = []
        for one in news:
            if isinstance(one, Entry) and self.query != Query() and not self.query.matches(one):
                self._left_out.add(one.handle)
            elif not isinstance(one, Numbered) or one.handle not in self._left_out:
                shown.append(one)
        return shown

    def text(self, news: Sequence[News]) -> str:
        """What to print for news that are wanted. Foreign text is escaped."""
        labels = self.room.labels([one for one in news if isinstance(one, Entry)])
        if self.as_json:
            return "".join(json_line(one, labels) if isinstance(one, Entry) else self._event(one) for one in news)
        # The screen is asked each time: its window may have another width by now.
        environment = self.room.environment
        renderer = Renderer(
            terminal.screen_for(environment, self.color),
            self.date_style,
            environment.now(),
            default_room=environment.room_name(None),
        )
        parts = []
        for one in news:
            if not isinstance(one, Entry):
                parts.append(self._line(renderer, one))
                continue
            parts.append(self._heading_of_day(renderer, one))
            if one.record.kind == STATUS:
                parts.append(renderer.status(one))
            else:
                parts.append(self._message(renderer, one, labels))
        return "".join(parts)

    def _message(self, renderer: Renderer, one: Entry, labels: Mapping[Uid, str]) -> str:
        """A message, of which so much is shown that its heading stays on the screen."""
        chars = None
        if renderer.screen.width is not None:
            lines = max(_LEAST_LINES, terminal.rows() - _BESIDE_LINES)
            chars = renderer.fitting(renderer.text(one)[:SCREEN_CHARS], lines)
        given = options.in_room(self.room.environment, self.room.name)
        return renderer.block(one, labels, chars, f"git chat show{given} {one.label.removeprefix('#')}")

    def _heading_of_day(self, renderer: Renderer, entry: Entry) -> str:
        day = dates.day(entry.record.written)
        if self.date_style is not None or day == self._day:
            return ""
        self._day = day
        return renderer.screen.style(f"-- {day} --", dim=True) + "\n"

    def _line(self, renderer: Renderer, one: Arrival | Numbered | Pending) -> str:
        """What is no record, on a line."""
        match one:
            case Numbered(handle, number):
                return renderer.screen.style(f" *  {handle} is #{number} now", dim=True) + "\n"
            case Pending():
                told = words_of(one, terminal.escape_line, lambda seconds: dates.since(seconds, renderer.now))
                return renderer.screen.fold(f" *  {told}", "    ") + "\n"
            case Arrival(participant, is_here):
                role = f" as {terminal.escape_line(participant.role)}" if is_here and participant.role.strip() else ""
                name = renderer.screen.name(participant.name)
                return renderer.screen.fold(f" *  {name} {'joined' if is_here else 'is gone'}{role}", "    ") + "\n"

    def _event(self, one: Arrival | Numbered | Pending) -> str:
        """The same for programs."""
        shown: dict[str, object]
        match one:
            case Numbered(handle, number):
                shown = {"event": "numbered", "handle": handle, "id": number}
            case Pending():
                shown = {"event": "waiting", **of_pending(one)["waiting"]}
            case Arrival(participant, is_here):
                shown = {"event": "joined" if is_here else "gone", "name": participant.name}
        shown |= {"room": self.room.name, "ts": self.room.environment.now().utc}
        return terminal.json_text(shown) + "\n"


def feed(room: Room, manner: Manner) -> Feed:
    """A feed of ``room``. Raises UserError ``bad-date-style``."""
    style = dates.chosen_style(room.environment, manner.date_style, sys.stdout.isatty())
    return Feed(room, manner.color, style, manner.as_json, manner.query)


def beginning(room: Room, manner: Manner) -> tuple[list[Entry], int, list[Entry]]:
    """What is shown before anything comes, oldest first; the number after which news begins; what is no news behind it.

    That is what ``room.me`` has not read, or else the newest records, as far as they are asked for. What comes in
    between is news. Behind all numbers stands what is pending already, shown or not.
    """
    newest = room.overview().count
    pending = [one for one in room.after(newest) if one.number is None]
    if manner.is_unread:
        entries = [one for one in room.unread().entries if manner.query == Query() or manner.query.matches(one)]
    else:
        entries = room.log(manner.query, manner.count).entries if manner.count else []
    entries = [one for one in entries if (one.number or 0) <= newest]
    return entries, newest, [*pending, *entries]
