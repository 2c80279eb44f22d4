"""``git chat status``, to what is no terminal: as ``cli/commands/status`` prints it.

Two ways were possible: to read the log back to whatever is asked, or to ask the index alone. The first takes as long as
the log is, the second is wrong as soon as somebody has written. So the records that the index lacks are read, and it is
asked for the rest (:mod:`gitchat.quick.lately`); it is never written. What is around the room is in files and refs that
tell it at once (:mod:`gitchat.quick.around`); git itself is asked only where the work here is not what the base is.
"""

import os
import time

from gitchat.quick import around, page, room, summaries, taken
from gitchat.quick.ago import relative
from gitchat.quick.lately import Lately, One
from gitchat.quick.objects import Objects
from gitchat.quick.place import Place
from gitchat.quick.reader import Reader
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unread import refuse_others_waiting
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Plain:
    """How it looks where no person reads it."""

    def clip(self, line: str) -> str:
        """Raises Unusual: it takes a table to tell how wide it is."""
        width = len(line)
        if not line.isascii():
            wide = sum(not any(first <= one < end for first, end in NARROW) for one in line)
            if wide and width + wide > page.COLUMNS:
                raise Unusual
        return line if width <= page.COLUMNS else line[: page.COLUMNS - 1] + "…"

    def title(self, text: str) -> str:
        return text

    def name(self, text: str) -> str:
        return text


NARROW = (
    (" ", "\u0300"),
    ("\u0370", "\u0483"),
    ("\u048a", "\u0530"),
    ("\u2010", "\u2028"),
    ("\u2030", "\u205f"),
    ("\u2190", "\u2200"),
)
"""From the first character of each range on, and before its end: what takes one column."""


def status(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed. Raises Unusual, and what says that something cannot be read: OSError, ValueError."""
    given = _room(words)
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    if settings.has("chat.nats") or os.path.lexists(place.common_dir + "/chatroom/conflicts.rest"):
        raise Unusual
    name = room.room_name(settings, given)
    options = f" --room {name}" if name != room.room_name(settings, None) else ""
    reader = Reader(place, settings, name)
    seen = page.Seen(name, reader.me, options)
    remote = room.authority(place, settings, name)
    end = room.position(place, name, remote, is_plain=False)
    room.refuse_lost(place)
    refuse_others_waiting(place, reader, end)
    objects = Objects(place)
    try:
        _fill(seen, place, settings, reader, end, remote, objects)
    finally:
        objects.close()
    return Said("".join(page.lines(seen, Plain())))


def _room(words: "Sequence[str]") -> "str | None":
    """The room that was typed. Raises Unusual: more was."""
    if not words:
        return None
    if len(words) == 2 and words[0] == "--room":
        return words[1]
    raise Unusual


def _fill(
    seen: page.Seen, place: Place, settings: Settings, reader: Reader, end: room.Position, remote: "str | None",
    objects: Objects,
) -> None:  # fmt: skip
    now = int(time.time())
    here = around.Overview(seen.room, end, objects)
    seen.title, seen.is_closed, seen.active = here.title, here.is_closed, relative(now - here.active)
    lately = Lately(place, reader, end, objects)
    try:
        seen.message_count = lately.message_count()
        if not seen.message_count:
            raise Unusual  # what to begin with
        seen.unread, urgent = lately.unread(lately.last_read())
        questions = lately.questions()
        claims = taken.claims(place, reader, lately, now)
        ahead = taken.open_conflicts(reader, lately, now)
        summary = summaries.newest(place, objects, seen.room, remote, reader.me)
        if summary is not None:
            seen.summary = _told(summary, lately, now)
        seen.question_count, seen.urgent_count = len(questions), len(urgent)
        seen.asks_me = any(one.record.to for one in questions[-page.NEWEST :])
        seen.questions = _told_apart(questions[-page.NEWEST :], lately)
        seen.urgent = _told_apart(urgent[: page.NEWEST], lately)
        seen.newest = lately.shown(lately.newest(page.NEWEST))
    finally:
        lately.close()
    seen.here = around.participants(place, seen.room)
    others = around.overviews(place, settings, objects, seen.room)
    seen.other_rooms = [(one.name, one.count, one.is_closed, one.title) for one in others]
    behind = around.behind(place, settings, remote)
    waiting = [_waits(place, settings, remote, len(lately.waiting))] if remote is not None and lately.waiting else []
    ahead += [page.behind(*behind, 0)] if behind is not None else []
    seen.told = page.told(claims=claims, ahead=ahead, waiting=waiting)


def _told_apart(ones: "Sequence[One]", lately: Lately) -> "list[tuple[str, str]]":
    return [(one.oid, text) for one, text in zip(ones, lately.shown(ones), strict=True)]


def _told(summary: summaries.Summary, lately: Lately, now: int) -> "tuple[str, str, int, str]":
    """A summary as the page has it. Raises Unusual: what it covers is no beginning of the log."""
    if len(summary.covers) > 1:
        raise Unusual
    since = lately.messages_since(lately.number_of(summary.covers[0]) if summary.covers else 0)
    text = around.on_a_line(" ".join(summary.text.strip().partition("\n")[0].split()))
    return str(summary.number), relative(now - summary.seconds), since, text


def _waits(place: Place, settings: Settings, remote: str, count: int) -> str:
    """That something waits for the remote. Raises Unusual: something is wrong with it, or it goes elsewhere."""
    from gitchat.quick.pushing import refuse_trouble

    is_by_itself = settings.get("chat.sync") in (None, "batch")
    if not is_by_itself and settings.get("chat.sync") != "manual":
        raise Unusual
    refuse_trouble(place, settings, remote)
    return page.waits(count, remote if is_by_itself else None, hint=None if is_by_itself else "git chat sync")
