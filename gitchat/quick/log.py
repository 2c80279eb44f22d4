"""``git chat log``, the newest N, to what is no terminal: as ``cli/commands/log`` prints it."""

import time

from gitchat.quick import record, room
from gitchat.quick.objects import Objects
from gitchat.quick.place import Place
from gitchat.quick.plain import is_number
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitchat.quick.record import Record

DEFAULT_COUNT = 50
REPLY_SEARCH = 1000
INDENT = "    "

EXCERPTS = b"at"
"""What the tree of a record holds that is about some lines of code: of that nothing is listed."""


class Asked:
    """What was typed."""

    __slots__ = ("count", "is_oneline", "room")

    def __init__(self, words: "Sequence[str]") -> None:
        """Raises Unusual: it is not of the plainest."""
        self.count: int | None = None
        self.room: str | None = None
        self.is_oneline = False
        rest = [*words]
        while rest:
            word = rest.pop(0)
            if word == "--oneline":
                self.is_oneline = True
            elif word == "--room" and rest and self.room is None:
                self.room = rest.pop(0)
            elif word in ("-n", "--max-count") and rest and self.count is None:
                self.count = _count(rest.pop(0))
            elif word[:1] == "-" and self.count is None:
                self.count = _count(word[2 if word[1:2] == "n" else 1 :])
            else:
                raise Unusual


def _count(text: str) -> int:
    if not is_number(text) or int(text) == 0:
        raise Unusual
    return int(text)


def log(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed. Raises Unusual, and what says that something cannot be read: OSError, ValueError."""
    asked = Asked(words)
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    name = room.room_name(settings, asked.room)
    end = room.position(place, name, room.authority(place, settings, name))
    room.refuse_lost(place)
    found, labels = _newest(place, end, asked.count or DEFAULT_COUNT)
    if not found:
        raise Unusual
    return Said("".join([oneline(*one) + "\n" for one in found] if asked.is_oneline else listing(found, labels)))


def _newest(place: Place, end: room.Position, limit: int) -> "tuple[list[tuple[str, Record]], dict[str, str]]":
    """The newest ``limit`` records that a listing shows, oldest first, each with its label; and labels by uid."""
    found: list[tuple[str, Record]] = []
    labels: dict[str, str] = {}
    replies: set[str] = set()
    redacted: dict[str, str] = {}
    spare, number, oid = REPLY_SEARCH, end.count, end.tip
    objects = Objects(place)
    try:
        ahead = room.waiting(end, objects) if end.log != end.tip else []
        for _, ours in ahead:
            if ours.kind == "redact" or ours.hint is not None:
                raise Unusual
            labels[ours.uid] = label = f"~{ours.uid[:6]}"
            if ours.kind not in record.UNLISTED and len(found) < limit:
                reveal(ours, objects, redacted)
                found.append((label, ours))
                replies |= {ours.reply} if ours.reply is not None else set()
        while (one := record.record_of(objects.commit(oid))) is not None:
            if one.kind == "redact" and one.reply is not None:
                redacted[one.reply] = one.author
            labels[one.uid] = label = label_of(one, number)
            if len(found) == limit:
                spare -= 1
            elif one.kind not in record.UNLISTED:
                reveal(one, objects, redacted)
                found.append((label, one))
                if one.reply is not None:
                    replies.add(one.reply)
            if len(found) == limit and (replies <= labels.keys() or spare == 0):
                break
            number, oid = number - 1, one.parent
    finally:
        objects.close()
    found.reverse()
    return found, labels


def reveal(one: "Record", objects: Objects, redacted: "dict[str, str]") -> None:
    """Let a record be as views show it, by who has redacted it since. Raises Unusual: that is more than a text."""
    if not one.is_plain or (one.tree and objects.names_in(one.tree) != [EXCERPTS]):
        raise Unusual
    if one.uid in redacted:
        one.body, one.place, one.choices = f"(redacted by {redacted[one.uid]})", "", []


def label_of(one: "Record", number: int) -> str:
    """The number of a record, and the one that its writer saw where that is another."""
    return f"#{number}" if one.hint in (None, number) else f"#{number} (was #{one.hint})"


def listing(found: "Sequence[tuple[str, Record]]", labels: "dict[str, str]") -> "list[str]":
    """Records with their labels and bodies, oldest first, a text each; and what stands between them."""
    parts: list[str] = []
    today, was_status = "", True
    for label, one in found:
        when = time.localtime(one.seconds)
        day = f"{time.strftime('%A', when)}, {when.tm_mday} {time.strftime('%B %Y', when)}"
        is_status = one.kind == "status"
        if day != today:
            parts.append(("\n" if parts else "") + f"-- {day} --\n\n")
        elif parts and not (is_status and was_status):
            parts.append("\n")
        today, was_status = day, is_status
        clock = time.strftime("%H:%M", when)
        parts.append(_status(label, one, clock) if is_status else _block(label, one, clock, labels))
    return parts


def _status(label: str, one: "Record", clock: str) -> str:
    said = one.body.strip().partition("\n")[0]
    if "\r" in said:
        raise Unusual
    return f" *  {label}  {clock}  {one.author}: {_on_one_line(said)}\n"


def _block(label: str, one: "Record", clock: str, labels: "dict[str, str]") -> str:
    to = f" -> {', '.join(one.to)}" if one.to else ""
    notes = ["urgent"] if one.urgent else []
    if one.kind != "message":
        notes.append(f"({one.kind})")
    if one.type is not None:
        notes.append(one.type)
    if one.reply is not None:
        notes.append(f"re {labels.get(one.reply, '~' + one.reply[:6])}")
    if one.place:
        notes.append(f"at {one.place}")
    heading = "  ".join([label, one.author + to, clock, *([", ".join(notes)] if notes else [])])
    lines = one.body.replace("\r\n", "\n").expandtabs(4).split("\n")
    choices = [f"{INDENT}choices: {' | '.join(one.choices)}\n"] if one.choices else []
    return "".join([heading, "\n", *(f"{INDENT}{line}\n" if line.strip() else "\n" for line in lines), *choices])


def oneline(label: str, one: "Record") -> str:
    """A record with its label on one line."""
    mark = "* " if one.kind == "status" else ""
    to = " -> " + ",".join(one.to) if one.to else ""
    urgent = "urgent! " if one.urgent else ""
    said = " ".join(_on_one_line(one.body).split())
    said += f" [at {one.place}]" if one.place else ""
    said += f" ({' | '.join(one.choices)})" if one.choices else ""
    return f"{label} {mark}{one.author}{to}: {urgent}{said}"


def _on_one_line(said: str) -> str:
    return said.replace("\r\n", "\n").replace("\n", " ").replace("\t", " ")
