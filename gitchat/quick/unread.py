"""What whoever is here has not read of a room: a person by the cursor of its name, an agent by its seat.

It is read along the log, from its end to the position, and where that is far away looked up in the index. Whether
somebody else speaks under the same name is told by the whole log where that is short, else by the index; whoever does
makes it the long way's.
"""

import os

from gitchat.quick import record, room
from gitchat.quick.elsewhere import refuse_named
from gitchat.quick.known import Known, with_uid
from gitchat.quick.log import label_of, listing, reveal
from gitchat.quick.objects import Objects
from gitchat.quick.place import Place
from gitchat.quick.plain import is_number
from gitchat.quick.reader import Reader
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitchat.quick.record import Record

    Label = Callable[[Record, int], str]

DEFAULT_COUNT = 50

NEAR = 250
"""How many records are read along the log at the most."""

FEW = 40
"""After so many the index is quicker, where it knows the rest."""


class Asked:
    """What was typed."""

    __slots__ = ("count", "room")

    def __init__(self, words: "Sequence[str]") -> None:
        """Raises Unusual: it is not of the plainest."""
        self.count: int | None = None
        self.room: str | None = None
        rest = [*words]
        while rest:
            word = rest.pop(0)
            if word == "--room" and rest and self.room is None:
                self.room = rest.pop(0)
            elif word == "-n" and rest and self.count is None and is_number(rest[0]) and int(rest[0]) > 0:
                self.count = int(rest.pop(0))
            else:
                raise Unusual

    @property
    def given(self) -> str:
        """The room as it was typed, with a blank before it."""
        return f" --room {self.room}" if self.room is not None else ""


class Unread:
    """What somebody has not read."""

    __slots__ = ("beside", "count", "found", "is_whole", "label", "labels", "last_read", "oids", "statuses", "until")

    def __init__(self, last_read: int, labels: "dict[str, str]", label: "Label", *, is_whole: bool) -> None:
        self.last_read = last_read
        """How many records are read, from the first one on."""
        self.count = 0
        """How many are for them."""
        self.found: list[tuple[str, Record]] = []
        """The oldest of those, oldest first, each with its label: as many as were asked for, or more."""
        self.oids: list[tuple[int, str]] = []
        """The number and the commit of each."""
        self.beside: set[int] = set()
        """The numbers of those whose commits do not reach all before them: a position there says less."""
        self.statuses = 0
        """How many statuses are for nobody."""
        self.label = label
        """What tells the label of a record that is answered, by its number."""
        self.labels = labels
        """By uid, of all that was read here."""
        self.is_whole = is_whole
        """Whether that was the whole log."""
        self.until = ""
        """When the last of the claims that were read here ends, as its record says it; empty without any."""

    def add(self, number: int, oid: str, one: "Record") -> None:
        """Add one behind the others."""
        self.found.append((label_of(one, number), one))
        self.oids.append((number, oid))


def unread(place: Place, settings: Settings, asked: Asked) -> "tuple[Reader, Unread]":
    """Who reads, and what it has not read. Raises Unusual, OSError and ValueError."""
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    reader, found = look(place, settings, room.room_name(settings, asked.room), asked.count or DEFAULT_COUNT)
    refuse_named(place, settings, reader)
    return reader, found


def look(place: Place, settings: Settings, name: str, limit: int, *, lives: bool = False) -> "tuple[Reader, Unread]":
    """Who reads the room ``name``, and the oldest ``limit`` or more of what it has not read. Raises as :func:`unread`.

    With ``lives`` it is this process that lives under the reader's name.
    """
    reader = Reader(place, settings, name, lives=lives)
    remote = room.authority(place, settings, reader.room)
    end = room.position(place, reader.room, remote, is_plain=False)
    room.refuse_lost(place)
    refuse_others_waiting(place, reader, end)
    return reader, _unread(place, reader, end, limit, label_of if remote is not None else _number_of)


def refuse_others_waiting(place: Place, reader: Reader, end: room.Position) -> None:
    """Raise Unusual where of what waits for the remote something is not the reader's own, or is read."""
    if end.log == end.tip:
        return
    objects = Objects(place)
    try:
        for oid, one in room.waiting(end, objects):
            if oid == reader.cursor or one.kind != "message" or not reader.is_own(one):
                raise Unusual
    finally:
        objects.close()


def _number_of(_: "Record", number: int) -> str:
    """The label of a record that others answer, where no remote could have changed its number."""
    return f"#{number}"


def _unread(place: Place, reader: Reader, end: room.Position, limit: int, label: "Label") -> Unread:
    known = None if end.is_plain and end.count <= NEAR else Known(place, reader.room, reader.me, *reader.where)
    found: list[tuple[int, str, Record]] = []
    read_upto, number, oid = 0, end.count, end.tip
    is_known, is_read = False, False
    labels: dict[str, str] = {}
    redacted: dict[str, str] = {}
    until = ""
    objects = Objects(place)
    try:
        for _ in range(NEAR + 1):
            is_known = is_known or (known is not None and oid == known.tip)
            if oid == reader.cursor and not is_read:
                is_read, read_upto = True, number
            if is_known and (is_read or (known is not None and len(found) >= FEW)):
                break
            if is_known and known is not None and not end.is_plain:
                break  # what was merged does not follow from counting back
            one = record.record_of(objects.commit(oid))
            if one is None:
                is_known, is_read = True, is_read or reader.cursor is None
                break
            reader.is_own(one)
            labels[one.uid] = label(one, number)
            until = max(until, one.until)
            if one.kind == "redact" and one.reply is not None:
                redacted[one.reply] = one.author
            if not is_read:
                if reader.is_for(one):
                    reveal(one, objects, redacted)
                found.append((number, oid, one))
            number, oid = number - 1, one.parent
        answer = Unread(read_upto, labels, label, is_whole=known is None)
        answer.until = until
        if not is_known or (not is_read and known is None):
            raise Unusual
        if known is not None and not end.is_plain:
            known.refuse_other(number)
        if not is_read and known is not None:
            for one in _look_up(answer, reader, known, number, limit, objects):
                reveal(one, objects, redacted)
    finally:
        objects.close()
    for number, oid, one in reversed(found):
        if reader.is_for(one):
            answer.add(number, oid, one)
            answer.count += 1
        answer.statuses += one.kind == "status" and not one.to
    return answer


def _look_up(
    answer: Unread, reader: Reader, known: Known, upto: int, limit: int, objects: Objects
) -> "Iterator[Record]":
    """Put what the index has of the records up to a number before the rest, and tell of each. Raises Unusual."""
    answer.last_read = known.number_of(reader.cursor) if reader.cursor is not None else 0
    rows, answer.count, answer.statuses = known.reaching(reader.reached, answer.last_read, upto, limit)
    for number, oid, reached in rows:
        one = record.record_of(objects.commit(oid))
        if one is None:
            raise Unusual
        answer.labels[one.uid] = answer.label(one, number)
        answer.add(number, oid, one)
        if reached != number:
            answer.beside.add(number)
        yield one


def told(place: Place, asked: Asked, reader: Reader, found: Unread, rest: str) -> "tuple[str, int]":
    """What is printed of it, and of how many records; ``rest`` is the verb that shows those beyond the limit.

    Raises Unusual: a person is told that there is nothing.
    """
    limit = asked.count or DEFAULT_COUNT
    shown = found.found[:limit]
    find_labels(place, reader.room, found, [one for _, one in shown])
    notes = []
    if found.count > limit:
        notes.append(f"{found.count - limit} more: git chat {rest}\n")
    if found.statuses:
        commits = "1 commit" if found.statuses == 1 else f"{found.statuses} commits"
        notes.append(f"{commits} since: git chat log{asked.given} --since {found.last_read}\n")
    if not shown and not notes and os.isatty(2):
        raise Unusual
    return "".join([*listing(shown, found.labels), "\n" if shown and notes else "", *notes]), len(shown)


def find_labels(place: Place, name: str, found: Unread, shown: "Sequence[Record]") -> None:
    """Find the numbers of what is answered before what was read here. Raises Unusual."""
    if found.is_whole:
        return
    objects = Objects(place)
    try:
        for uid in {one.reply for one in shown if one.reply is not None} - found.labels.keys():
            for number, oid in with_uid(place, name, uid):
                one = record.record_of(objects.commit(oid)) if found.label is label_of else None
                found.labels[uid] = found.label(one, number) if one is not None else f"#{number}"
    finally:
        objects.close()
