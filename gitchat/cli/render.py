"""Records as people and programs read them. Foreign text is escaped here, always."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitchat import as_json
from gitchat.attachment import Attachment
from gitchat.cli import dates
from gitchat.cli.terminal import Screen, escape, escape_json, escape_line
from gitchat.names import Uid, handle_of
from gitchat.record import MESSAGE, STATUS, Entry, Moment

INDENT = "    "
_NAME_COLORS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta", "bright_blue")


def json_line(entry: Entry, labels: Mapping[Uid, str]) -> str:
    """:func:`as_json.of_entry` as one line."""
    import json

    return escape_json(json.dumps(as_json.of_entry(entry, labels), ensure_ascii=False)) + "\n"


def _indented(body: str) -> str:
    """JSON text laid out for people; text that is no JSON stays as it is."""
    import json

    value = as_json.parsed(body)
    return body if value is body else json.dumps(value, ensure_ascii=False, indent=2)


@dataclass(frozen=True, slots=True)
class Renderer:
    """Prints records for one reader: a screen, a date style, a present moment."""

    screen: Screen
    date_style: str | None
    """None for the chat's own: the day once as a heading, then times of day."""
    now: Moment

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
            yield before + (self._status(entry) if is_status else self._message(entry, labels))

    def _message(self, entry: Entry, labels: Mapping[Uid, str]) -> str:
        record = entry.record
        name = escape_line(record.author)
        parts = [
            self.screen.style(entry.label, fg="yellow"),
            self.screen.style(name, fg=name_color(name), bold=True) + self._recipients(entry),
            self.screen.style(self._date(record.written), dim=True),
        ]
        notes = self._notes(entry, labels)
        if notes:
            parts.append(notes)
        heading = self.screen.fold("  ".join(parts), INDENT)
        attached = [self._attached(one) for one in entry.attachments]
        return heading + "\n" + "".join(line + "\n" for line in self._body(entry) + attached)

    def _attached(self, one: Attachment) -> str:
        return self.screen.style(self.screen.fold(f"{INDENT}attached: {described(one)}", INDENT), dim=True)

    def _recipients(self, entry: Entry) -> str:
        shown = ", ".join(self.screen.style(to, fg=name_color(to)) for to in map(escape_line, entry.record.to))
        return f" -> {shown}" if shown else ""

    def _notes(self, entry: Entry, labels: Mapping[Uid, str]) -> str:
        record = entry.record
        notes = [self.screen.style("urgent", fg="red", bold=True)] if record.urgent else []
        if record.kind != MESSAGE:
            notes.append(f"({escape_line(record.kind)})")
        if record.type:
            notes.append(record.type)
        if record.reply_to:
            notes.append(f"re {labels.get(record.reply_to, handle_of(record.reply_to))}")
        return ", ".join(notes)

    def _body(self, entry: Entry) -> list[str]:
        text = entry.record.body
        if entry.record.media == "json":
            text = _indented(text)
        return self.screen.wrap(escape(text.replace("\r\n", "\n")), INDENT)

    def _status(self, entry: Entry) -> str:
        return self.screen.style(self.screen.clip(f" *  {self._line(entry)}"), dim=True) + "\n"

    def _line(self, entry: Entry) -> str:
        """What a status says, on one line: the later lines of its body stay for ``show``."""
        record = entry.record
        said = escape_line(record.body.strip().partition("\n")[0])
        return f"{entry.label}  {self._date(record.written)}  {escape_line(record.author)}: {said}"

    def oneline(self, entries: list[Entry]) -> Iterator[str]:
        """One line a record, cut to the screen."""
        for entry in entries:
            record = entry.record
            mark = "* " if record.kind == STATUS else ""
            to = "" if not record.to else " -> " + ",".join(map(escape_line, record.to))
            urgent = "urgent! " if record.urgent else ""
            text = " ".join(escape_line(record.body).split())
            names = ", ".join(escape_line(one.name) for one in entry.attachments if one.problem is None)
            text += f" [{names}]" if names else ""
            line = self.screen.clip(f"{entry.label} {mark}{escape_line(record.author)}{to}: {urgent}{text}")
            head = self.screen.style(entry.label, fg="yellow")
            yield head + line[len(entry.label) :] + "\n"

    def whole(self, entry: Entry, labels: Mapping[Uid, str]) -> str:
        """One record with all that is known about it, as ``git show`` would."""
        record = entry.record
        reply = labels.get(record.reply_to, handle_of(record.reply_to)) if record.reply_to else None
        fields = [
            ("From", f"{record.author} <{record.email}> (unverified)"),
            ("To", ", ".join(record.recipients)),
            ("Date", self._date(record.written)),
            ("Kind", record.kind if record.kind != MESSAGE else None),
            ("Type", record.type),
            ("Reply", reply),
            ("Priority", "urgent" if record.urgent else None),
            ("Commit", record.commit),
            ("Origin", record.origin),
            ("Media", record.media),
            ("Handle", f"~{record.uid}"),
            ("Oid", entry.oid),
            *(("Attached", described(one)) for one in entry.attachments),
            *record.extra,
        ]
        title = self.screen.style(f"{entry.label} in {entry.room}", fg="yellow")
        lines = [
            self.screen.fold(f"{key + ':':<9} {escape_line(value)}", " " * 10)
            for key, value in fields
            if value is not None
        ]
        return "\n".join([title, *lines, "", *self._body(entry), ""])

    def _date(self, moment: Moment) -> str:
        if self.date_style is None:
            return dates.clock(moment)
        return dates.format_date(moment, self.date_style, self.now)


def described(one: Attachment) -> str:
    """An attachment on one line: ``trace.txt (12.3 KiB)``, or why it is passed over."""
    if one.problem is not None:
        return f"{escape_line(one.name)} (passed over: {escape_line(one.problem)})"
    return f"{one.name} ({'not in this clone' if one.size_bytes is None else _size(one.size_bytes)})"


def _size(size_bytes: int) -> str:
    for unit, factor in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} byte{'' if size_bytes == 1 else 's'}"


def name_color(name: str) -> str:
    """The same colour for the same name, everywhere."""
    return _NAME_COLORS[zlib.crc32(name.encode("utf-8", "replace")) % len(_NAME_COLORS)]
