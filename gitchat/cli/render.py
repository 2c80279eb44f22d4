"""Records as people and programs read them. Foreign text is escaped here, always."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from gitchat.cli import dates
from gitchat.cli.terminal import Screen, escape, escape_line, escape_name, json_text
from gitchat.model.attachment import Attachment
from gitchat.model.names import DEFAULT_ROOM, MAX_SLUG_CHARS, Oid, Uid, handle_of
from gitchat.model.question import choices_of
from gitchat.model.record import MESSAGE, STATUS, Entry, Moment

if TYPE_CHECKING:  # brings SQLite
    from gitchat.rooms.summaries import Summary
    from gitchat.verbs.anchoring import At

INDENT = "    "


def json_line(entry: Entry, labels: Mapping[Uid, str], at: Sequence[At] | None = None) -> str:
    """:func:`gitchat.verbs.as_json.of_entry` as one line; ``at`` tells where what it is about is now."""
    from gitchat.verbs import as_json  # for programs, and for JSON that somebody sent

    shown = as_json.of_entry(entry, labels)
    if at:
        from gitchat.verbs import at_json  # for who asks about code

        shown |= at_json.beside(at)
    return json_text(shown) + "\n"


def _indented(body: str) -> str:
    """JSON text laid out for people; text that is no JSON stays as it is."""
    import json

    from gitchat.verbs import as_json

    value = as_json.parsed(body)
    return body if value is body else json.dumps(value, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class Renderer:
    """Prints records for one reader: a screen, a date style, a present moment."""

    screen: Screen
    date_style: str | None
    """None for the chat's own: the day once as a heading, then times of day."""
    now: Moment
    at: Mapping[Oid, Sequence[At]] = field(default_factory=dict)
    """Where what records are about is now, by their commits, as far as that was asked."""
    default_room: str = DEFAULT_ROOM
    """The one that a command means which names none."""

    def listing(self, entries: list[Entry], labels: Mapping[Uid, str]) -> Iterator[str]:
        """Records with their bodies: one text each, with what stands before it, so that a listing can end early."""
        today: str | None = None
        was_status = True
        for place, entry in enumerate(entries):
            is_status = entry.record.kind == STATUS
            day = dates.day(entry.record.written) if self.date_style is None else today
            before = ""
            if day != today:
                before = ("\n" if place else "") + self.screen.style(f"-- {day} --", dim=True) + "\n\n"
            elif place and not (is_status and was_status):
                before = "\n"
            today, was_status = day, is_status
            yield before + (self.status(entry) if is_status else self.block(entry, labels))

    def block(self, entry: Entry, labels: Mapping[Uid, str], chars: int | None = None, hint: str = "") -> str:
        """One record as a heading and its text, of which ``chars`` are shown at most.

        What is missing is counted, with ``hint``, the command that shows it.
        """
        text = self.text(entry)
        lines = "".join(line + "\n" for line in self.shortened(text, chars, hint))
        files = self._attached(entry) + self._handed(entry)
        return self.heading(entry, labels) + lines + self._choices(entry) + files

    def text(self, entry: Entry) -> str:
        """The text of a record as it is shown, before wrapping and escaping."""
        text = entry.record.body
        return (_indented(text) if entry.record.media == "json" else text).replace("\r\n", "\n")

    def shortened(self, text: str, chars: int | None, hint: str) -> list[str]:
        """The indented lines of ``text``, or of its first ``chars`` characters and how many are missing."""
        missing = max(0, len(text) - chars) if chars is not None else 0
        lines = self.screen.wrap(escape(text[:chars].rstrip() if missing else text), INDENT)
        return [*lines, self.screen.style(f"{INDENT}(+{missing:,} characters: {hint})", dim=True)] if missing else lines

    def fitting(self, text: str, lines: int) -> int:
        """How many characters of ``text``, from the first on, take at most so many lines of the screen."""
        counts = range(1, len(text) + 1)
        return bisect.bisect_right(counts, lines, key=lambda count: len(self.shortened(text[:count], None, "")))

    def found(self, entry: Entry, labels: Mapping[Uid, str], snippet: str, *, with_room: bool) -> str:
        """A record with the ``snippet`` in which a search found its words, marked as Found.snippet says."""
        from gitchat.index.search import BEGIN, END  # and with it SQLite; it was loaded to find something

        marked = " ".join(escape_line(snippet).split())
        for mark, code in ((BEGIN, "\x1b[1;31m"), (END, "\x1b[0m")):
            marked = marked.replace(mark, code if self.screen.has_color else "")
        return self.heading(entry, labels, with_room=with_room) + self.screen.fold(INDENT + marked, INDENT) + "\n"

    def summary_heading(self, summary: Summary) -> str:
        """The line above the text of a summary: number, scope, writer, date, and what it covers."""
        parts = [
            self.screen.style(f"summary {summary.label}", fg="yellow") + f" for {_short(summary.scope)}",
            self.screen.name(escape_name(summary.author), bold=True),
            self.screen.style(self.date(summary.written), dim=True),
        ]
        if summary.covered_hint:
            parts.append(f"covers {_short(summary.covered_hint)}")
        return self.screen.fold("  ".join(parts), INDENT) + "\n"

    def line(self, text: str, indent: str = INDENT) -> str:
        """``text`` on one indented line, cut to the screen."""
        return self.screen.clip(indent + " ".join(escape_line(text).split())) + "\n"

    def heading(self, entry: Entry, labels: Mapping[Uid, str], *, with_room: bool = False) -> str:
        """The line above the text of a record: number, people, date and notes."""
        record = entry.record
        name = escape_name(record.author)
        parts = [
            self.screen.style(entry.full_label, fg="yellow") + (f" in {entry.room}" if with_room else ""),
            self.screen.name(name, bold=True) + self._recipients(entry),
            self.screen.style(self.date(record.written), dim=True),
        ]
        notes = self._notes(entry, labels)
        if notes:
            parts.append(notes)
        return self.screen.fold("  ".join(parts), INDENT) + "\n"

    def _choices(self, entry: Entry) -> str:
        """A line with what can be answered, where that is said."""
        choices = choices_of(entry.record)
        return (
            self.screen.fold(f"{INDENT}choices: {' | '.join(map(escape_line, choices))}", INDENT) + "\n"
            if choices
            else ""
        )

    def _attached(self, entry: Entry) -> str:
        """A line for each attachment."""
        return "".join(
            self.screen.style(self.screen.fold(f"{INDENT}attached: {described(one)}", INDENT), dim=True) + "\n"
            for one in entry.attachments
        )

    def work(self, entry: Entry) -> str | None:
        """What work a record hands over, and how to take it; None for most."""
        if entry.record.work is None:
            return None
        from gitchat.cli.handing import of_entry  # for who is given some

        return escape_line(of_entry(entry, self.default_room))

    def _handed(self, entry: Entry) -> str:
        work = self.work(entry)
        return self.screen.style(self.screen.fold(f"{INDENT}work: {work}", INDENT), dim=True) + "\n" if work else ""

    def _recipients(self, entry: Entry) -> str:
        shown = ", ".join(map(self.screen.name, map(escape_line, entry.record.to)))
        return f" -> {shown}" if shown else ""

    def _notes(self, entry: Entry, labels: Mapping[Uid, str]) -> str:
        record = entry.record
        notes = [self.screen.style("urgent", fg="red", bold=True)] if record.urgent else []
        if record.kind != MESSAGE:
            notes.append(f"({escape_line(record.kind)})")
        if record.type:
            notes.append(record.type)
        if entry.aside is not None:
            notes.append(f"set aside: {escape_line(entry.aside.remote)} does not take it")
        if record.reply_to:
            notes.append(f"re {labels.get(record.reply_to, handle_of(record.reply_to))}")
        if record.at:
            notes.append(self._noted(entry))
        return ", ".join(filter(None, notes))

    def _noted(self, entry: Entry) -> str:
        """Which code it is about."""
        from gitchat.cli.anchors import noted  # for who says something about code

        return noted(entry.record, self.at.get(entry.oid))

    def status(self, entry: Entry) -> str:
        """A status record as one line, cut to the screen."""
        record = entry.record
        said = escape_line(record.body.strip().partition("\n")[0])  # its later lines stay for show
        head, dim = f" *  {entry.full_label}  {self.date(record.written)}  ", partial(self.screen.style, dim=True)
        return self.screen.clip(dim(head) + self.screen.name(escape_name(record.author)) + dim(f": {said}")) + "\n"

    def oneline(self, entries: Sequence[Entry], indent: str = "") -> Iterator[str]:
        """One line a record, cut to the screen."""
        for entry in entries:
            record = entry.record
            mark = "* " if record.kind == STATUS else "(set aside) " if entry.aside is not None else ""
            to = "" if not record.to else " -> " + ",".join(map(self.screen.name, map(escape_line, record.to)))
            urgent = self.screen.style("urgent!", fg="red", bold=True) + " " if record.urgent else ""
            text = " ".join(escape_line(record.body).split())
            names = ", ".join(escape_line(one.name) for one in entry.attachments if one.problem is None)
            text += f" [{names}]" if names else ""
            text += f" [{self.work(entry)}]" if record.work else ""
            text += f" [{self._noted(entry)}]" if record.at else ""
            choices = choices_of(record)
            text += f" ({' | '.join(map(escape_line, choices))})" if choices else ""
            head = f"{indent}{self.screen.style(entry.full_label, fg='yellow')} {mark}"
            name = self.screen.name(escape_name(record.author))
            yield self.screen.clip(f"{head}{name}{to}: {urgent}{text}") + "\n"

    def graph(self, entries: Sequence[Entry], labels: Mapping[Uid, str], *, is_oneline: bool) -> Iterator[str]:
        """Records with the lines of their threads to the left."""
        today: str | None = None
        from gitchat.cli import graph  # only a graph needs it, and every command loads this module

        for entry, lines in zip(entries, graph.draw(entries), strict=True):
            day = dates.day(entry.record.written) if self.date_style is None and not is_oneline else None
            if day != today:
                above = self.screen.style(f"-- {day} --", dim=True)
                yield f"{lines.before}{above}\n{lines.before.rstrip()}\n"
            today = day
            beside = self._narrowed(len(lines.first))
            text = next(beside.oneline([entry])) if is_oneline else beside.block(entry, labels)
            first, *rest = text.removesuffix("\n").split("\n")
            rest += [] if is_oneline or lines.after else [""]
            yield f"{lines.first}{first}\n"
            yield from (f"{lines.rest}{line}".rstrip() + "\n" for line in rest)
            yield from (f"{line.rstrip()}\n" for line in lines.after)

    def _narrowed(self, columns: int) -> Renderer:
        """As this one, on a screen with so many columns less."""
        width = self.screen.width
        return self if width is None else replace(self, screen=replace(self.screen, width=max(20, width - columns)))

    def date(self, moment: Moment) -> str:
        """When something was, in the reader's style."""
        if self.date_style is None:
            return dates.clock(moment)
        return dates.format_date(moment, self.date_style, self.now)


def described(one: Attachment) -> str:
    """An attachment on one line: ``trace.txt (12.3 KiB)``, or why it is passed over."""
    if one.problem is not None:
        return f"{escape_line(one.name)} (passed over: {escape_line(one.problem)})"
    return f"{escape_line(one.name)} ({'not in this clone' if one.size_bytes is None else _size(one.size_bytes)})"


def _size(size_bytes: int) -> str:
    for unit, factor in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} byte{'' if size_bytes == 1 else 's'}"


def _short(text: str) -> str:
    """A name or a scope that others chose, as a part of a line: no longer than a name may be."""
    shown = escape_line(text)
    return shown if len(shown) <= MAX_SLUG_CHARS else shown[: MAX_SLUG_CHARS - 1] + "…"
