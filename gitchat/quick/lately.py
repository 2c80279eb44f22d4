"""What is said in a room as its screen shows it: its newest records are read, the rest is counted by the index.

A short log without merges is read as a whole, and no index is asked. Of another one so many records are read as the
index lacks; it is asked about those before them, and about nothing else. So an index that is behind is no matter, and
one that knows a log that is not the one here is never met on the way, which makes it the long way's. What was merged
since it was brought up to date is the long way's, too: there a number does not follow from counting back.
"""

from gitchat.quick import record, room
from gitchat.quick.known import Rest
from gitchat.quick.log import label_of, oneline, reveal
from gitchat.quick.objects import Objects
from gitchat.quick.place import Place
from gitchat.quick.plain import is_name, is_uid
from gitchat.quick.reader import Reader
from gitchat.quick.unusual import Unusual
from gitchat.quick.who import NO_DOMAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitchat.quick.record import Record

FEW = 60
"""A log of more records is asked about in the index, where there is one."""

NEAR = 250
"""How many records are read along the log at the most."""

_MOST_OPEN = 100
"""How many questions may be open, and urgent messages unread, before the long way's index is quicker."""


class One:
    """A record, where it stands, and as whom it is told apart."""

    __slots__ = ("number", "oid", "record")

    def __init__(self, number: int, oid: str, one: "Record") -> None:
        self.number = number
        """Beyond the last number of the room where it waits for one."""
        self.oid = oid
        self.record = one


class Lately:
    """The records of a room: those that were read, and what the index has of those before them. To be closed."""

    def __init__(self, place: Place, reader: Reader, end: room.Position, objects: Objects) -> None:
        """Raises Unusual, OSError and ValueError."""
        self._reader, self._objects, self._end = reader, objects, end
        self.rest = _rest(place, reader, end)
        try:
            self.waiting = [One(end.count, oid, one) for oid, one in room.waiting(end, objects)]
            """Those without a number, the newest first."""
            for place_in_line, one in enumerate(reversed(self.waiting), 1):
                one.number = end.count + place_in_line
            self.read: list[One] = []
            """Those with one, the newest first."""
            self.below = end.count
            """The number of the first that was not read; 0 where all were."""
            self._walk()
        except BaseException:
            self.close()
            raise

    def _walk(self) -> None:
        number, oid = self._end.count, self._end.tip
        while self.rest is None or oid != self.rest.tip:
            one = record.record_of(self._objects.commit(oid)) if len(self.read) <= NEAR else None
            if one is None:
                if number or len(self.read) > NEAR:
                    raise Unusual
                break
            self._reader.is_own(one)
            self.read.append(One(number, oid, one))
            number, oid = number - 1, one.parent
        self.below = number
        if self.rest is not None and not number:
            self.rest.close()
            self.rest = None  # what it has is of another log
        if self.rest is None:
            return
        self.rest.refuse_pending(number)
        known = {None, *(one.oid for one in self.both)}
        if number != self.rest.count or self.rest.waiting not in known:
            raise Unusual  # it counts otherwise, or it knows answers that may have been taken back

    def close(self) -> None:
        """Let go of the index."""
        if self.rest is not None:
            self.rest.close()

    @property
    def both(self) -> "list[One]":
        """All that were read, the newest first."""
        return [*self.waiting, *self.read]

    # --- how many, and which ---------------------------------------------------

    def message_count(self) -> int:
        """How many there are, but for those that no listing shows."""
        hidden = sum(not _is_listed(one.record) for one in self.both)
        total = self._end.count + len(self.waiting)
        return total - hidden - (self.rest.unlisted(self.below) if self.rest is not None and self.below else 0)

    def messages_since(self, number: int) -> int:
        """How many messages there are behind a number, whoever they are for."""
        count = sum(_is_loud(one.record) for one in self.both if one.number > number)
        return count + (self.rest.messages(number, self.below) if self.rest is not None else 0)

    def last_read(self) -> int:
        """Up to which number the reader has read. Raises Unusual: its position is not in the log."""
        cursor = self._reader.cursor
        if cursor is None:
            return 0
        return self.number_of(cursor)

    def number_of(self, oid: str) -> int:
        """How many records a commit of the log reaches. Raises Unusual: it is none of it."""
        for one in self.read:
            if one.oid == oid:
                return one.number
        if self.rest is None or not self.below:
            raise Unusual
        number = self.rest.number_of(oid)
        if number > self.below:
            raise Unusual
        return number

    def unread(self, last_read: int) -> "tuple[int, list[One]]":
        """How many of those behind a number are for the reader; and those of them that are urgent, oldest first."""
        reader = self._reader
        found = [one for one in self.both if one.number > last_read and reader.is_for(one.record)]
        urgent, count = [one for one in reversed(found) if one.record.urgent], len(found)
        if self.rest is not None and last_read < self.below:
            count += self.rest.unread(reader.me, reader.reached, last_read, self.below)
            urgent[:0] = self._at(self.rest.urgent(reader.me, reader.reached, last_read, self.below))
        return count, urgent

    def questions(self) -> "list[One]":
        """Those that ask the reader, or everybody, and that nobody has answered, oldest first."""
        reader = self._reader
        found = [one for one in reversed(self.both) if one.record.type == "question" and one.record.kind == "message"]
        found = [one for one in found if reader.is_for(one.record)]
        if self.rest is not None and self.below:
            found[:0] = self._at(self.rest.questions(reader.me, reader.reached, self.below))
        if any(one.record.choices and not one.record.is_plain for one in found):
            raise Unusual  # not all of them can be chosen
        replies: dict[str, list[Record]] = {}
        for one in self.both:
            if one.record.reply is not None:
                replies.setdefault(one.record.reply, []).append(one.record)
        return [
            one for one in found if not any(answers(one.record, reply) for reply in replies.get(one.record.uid, ()))
        ]

    def newest(self, count: int) -> "list[One]":
        """The newest that a listing shows, oldest first."""
        found = [one for one in self.both if _is_listed(one.record)][:count][::-1]
        if self.rest is not None and self.below and len(found) < count:
            found[:0] = self._at(self.rest.newest(count - len(found), self.below))
        return found

    def about(
        self, is_meant: "Callable[[Record], bool]", rows: "Callable[[Rest, int], Sequence[tuple[int, str]]]"
    ) -> "list[One]":
        """Those that are meant, oldest first; ``rows`` are the ones that the index has up to a number."""
        found = [one for one in reversed(self.both) if is_meant(one.record)]
        if self.rest is not None and self.below:
            found[:0] = self._at(rows(self.rest, self.below))
        return found

    def _at(self, rows: "Sequence[tuple[int, str]]") -> "list[One]":
        if len(rows) > _MOST_OPEN:
            raise Unusual
        found = []
        for number, oid in rows:
            one = record.record_of(self._objects.commit(oid))
            if one is None:
                raise Unusual
            found.append(One(number, oid, one))
        return found

    def redacted_by(self, one: One) -> "str | None":
        """Who has redacted it first; None where nobody has. Raises Unusual."""
        uid = one.record.uid
        before = self.rest.redacted_by(uid, one.number) if self.rest is not None else None
        if before is not None and not is_name(before):
            raise Unusual
        read = (
            said.record for said in reversed(self.both) if said.record.kind == "redact" and said.record.reply == uid
        )
        return before or next((said.author for said in read), None)

    def shown(self, ones: "Sequence[One]") -> "list[str]":
        """Each on one line, as views show it. Raises Unusual: one of them is more than a text."""
        found = []
        for one in ones:
            name = self.redacted_by(one)
            reveal(one.record, self._objects, {one.record.uid: name} if name is not None else {})
            is_waiting = one.number > self._end.count
            if is_waiting and one.record.hint is not None:
                raise Unusual
            label = f"~{one.record.uid[:6]}" if is_waiting else label_of(one.record, one.number)
            found.append(oneline(label, one.record))
        return found


def _rest(place: Place, reader: Reader, end: room.Position) -> "Rest | None":
    """What the index has, where it is asked. Raises Unusual: the log is too long without it, or others speak as one."""
    if end.is_plain and end.count <= FEW:
        return None
    try:
        rest = Rest(place, reader.room)
    except Unusual:
        if end.count > NEAR:
            raise
        return None
    if rest.speaks(reader.me, *reader.where):
        rest.close()
        raise Unusual
    return rest


def _is_listed(one: "Record") -> bool:
    return one.kind not in record.UNLISTED


def _is_loud(one: "Record") -> bool:
    return _is_listed(one) and one.kind not in record.QUIET


def answers(question: "Record", reply: "Record") -> bool:
    """Whether a reply to a question answers it: as gitchat.model.question.counts has it, of what is plain."""
    is_of_one_asked = (
        not question.to or reply.author in question.to or any(one.startswith("role:") for one in question.to)
    )
    if reply.kind != "message" or not is_of_one_asked or not _is_of_another(question, reply):
        return False
    return not question.choices or (reply.type == "answer" and not reply.has_media and reply.body in question.choices)


def _is_of_another(one: "Record", other: "Record") -> bool:
    if one.author != other.author:
        return True
    seats = [clone_of(one), clone_of(other)]
    if seats == ["", ""]:
        return address_of(one) != address_of(other)
    return "" not in seats and seats[0] != seats[1]


def clone_of(one: "Record") -> str:
    """The clone that its author sat in; empty for a person."""
    return one.clone if is_uid(one.clone) else ""


def address_of(one: "Record") -> str:
    """Its author's address as two are compared; empty for one that tells nobody apart."""
    address = one.address.strip().lower()
    return "" if address.endswith(NO_DOMAIN) else address
