"""What whoever is here has not read of a room: a person by the cursor of its name, an agent by its seat.

It is read along the log, from its end to the position, and where that is far away looked up in the index. Whether
somebody else speaks under the same name is told by the whole log where that is short, else by the index; whoever does
makes it the long way's.
"""

import os
import time

from gitchat.quick import record, room, who
from gitchat.quick.known import Known, number_of_uid
from gitchat.quick.log import label_of, listing
from gitchat.quick.objects import Objects, find_tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_number
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitchat.quick.record import Record

DEFAULT_COUNT = 50

NEAR = 250
"""How many records are read along the log at the most."""

FEW = 40
"""After so many the index is quicker, where it knows the rest."""

_SEATS_BYTES = 1024 * 1024


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


class Reader:
    """Who reads a room, by which position, and what of it is its own."""

    __slots__ = ("_place", "clone", "common", "cursor", "me", "reached", "room", "sender", "where")

    def __init__(self, place: Place, settings: Settings, name: str) -> None:
        """Raises Unusual: more has to be known of it, or something noted."""
        self._place = place
        self.room = name
        self.sender = who.sender(place, settings, None)
        self.me = self.sender.name
        self.common = find_tip(place, room.cursor_ref(name, self.me))
        """What all clones know of how far that name has read."""
        if self.sender.agent is None:
            self.cursor, self.clone = self.common, "-"
            self.where = self._as_person(settings)
            self.reached = {self.me}
        else:
            self.cursor = find_tip(place, room.seat_ref(name, self.me))
            self.clone = self.sender.agent.clone()
            self.where = ("clone NOT IN ('', ?)", self.clone)
            self.reached = {self.me, *self._as_agent()}

    def _as_person(self, settings: Settings) -> "tuple[str, str]":
        """What tells of others in the index. Raises Unusual where it may sit or have joined, or somebody else sits."""
        address = self.sender.address
        if not address or address.endswith(who.NO_DOMAIN) or settings.get("chat.person") is not None:
            raise Unusual
        if find_tip(self._place, room.seat_ref(self.room, self.me)) is not None or _exists(self._place, self.me):
            raise Unusual
        try:
            seats = read(self._place.common_dir + "/chatroom/seats", _SEATS_BYTES)
        except FileNotFoundError:
            seats = b""
        if f'"{self.me}"'.encode() in seats:
            raise Unusual
        return "(clone != '' OR email NOT IN ('', ?))", address

    def _as_agent(self) -> "list[str]":
        """The role that it is written to by. Raises Unusual where it does not sit, or its use has to be noted."""
        from gitchat.quick.agent import USE_SECONDS  # for agents, as the next
        from gitchat.quick.target import roles

        agent, now = self.sender.agent, int(time.time())
        assert agent is not None
        used, session = agent.sits(room.seat_ref(self.room, self.me), self.me, now)
        if abs(now - used) > USE_SECONDS or (agent.session and not session) or self.common not in (None, self.cursor):
            raise Unusual
        return roles(self._place, self.room, self.me)

    def is_own(self, one: "Record") -> bool:
        """Whether it wrote that. Raises Unusual: somebody else did, under its name."""
        if one.author != self.me:
            return False
        is_others = one.clone != "-" or one.address.strip().lower() != self.sender.address
        if one.clone not in ("-", self.clone) or (self.sender.agent is None and is_others):
            raise Unusual
        return True


def _exists(place: Place, me: str) -> bool:
    return os.path.lexists(f"{place.common_dir}/chatroom/live/{me}")


class Unread:
    """What somebody has not read."""

    __slots__ = ("count", "found", "is_whole", "labels", "last_read", "oids", "statuses")

    def __init__(self, last_read: int, labels: "dict[str, str]", *, is_whole: bool) -> None:
        self.last_read = last_read
        """How many records are read, from the first one on."""
        self.count = 0
        """How many are for them."""
        self.found: list[tuple[str, Record]] = []
        """The oldest of those, oldest first, each with its label: as many as were asked for, or more."""
        self.oids: list[tuple[int, str]] = []
        """The number and the commit of each."""
        self.statuses = 0
        """How many statuses are for nobody."""
        self.labels = labels
        """By uid, of all that was read here."""
        self.is_whole = is_whole
        """Whether that was the whole log."""

    def add(self, number: int, oid: str, one: "Record") -> None:
        """Add one behind the others."""
        self.found.append((label_of(one, number), one))
        self.oids.append((number, oid))


def unread(place: Place, settings: Settings, asked: Asked) -> "tuple[Reader, Unread]":
    """Who reads, and what it has not read. Raises Unusual, OSError and ValueError."""
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    reader = Reader(place, settings, room.room_name(settings, asked.room))
    room.refuse_other_rooms(place, reader.room)
    end = room.position(place, reader.room, room.authority(place, settings, reader.room))
    room.refuse_lost(place)
    return reader, _unread(place, reader, end, asked.count or DEFAULT_COUNT)


def _unread(place: Place, reader: Reader, end: room.Position, limit: int) -> Unread:
    known = None if end.count <= NEAR else Known(place, reader.room, reader.me, *reader.where)
    found: list[tuple[int, str, Record]] = []
    read_upto, number, oid = 0, end.count, end.tip
    is_known, is_read = False, False
    labels: dict[str, str] = {}
    objects = Objects(place)
    try:
        for _ in range(NEAR + 1):
            is_known = is_known or (known is not None and oid == known.tip)
            if oid == reader.cursor and not is_read:
                is_read, read_upto = True, number
            if is_known and (is_read or (known is not None and len(found) >= FEW)):
                break
            one = record.record_of(objects.commit(oid))
            if one is None:
                is_known, is_read = True, is_read or reader.cursor is None
                break
            reader.is_own(one)
            labels[one.uid] = f"#{number}"
            if not is_read:
                found.append((number, oid, one))
            number, oid = number - 1, one.parent
        answer = Unread(read_upto, labels, is_whole=known is None)
        if not is_known or (not is_read and known is None):
            raise Unusual
        if not is_read and known is not None:
            _look_up(answer, reader, known, number, limit, objects)
    finally:
        objects.close()
    for number, oid, one in reversed(found):
        is_loud = one.kind == "message" and not one.to
        if one.author != reader.me and one.kind not in record.UNLISTED and (is_loud or reader.reached & {*one.to}):
            answer.add(number, oid, one)
            answer.count += 1
        answer.statuses += one.kind == "status" and not one.to
    return answer


def _look_up(answer: Unread, reader: Reader, known: Known, upto: int, limit: int, objects: Objects) -> None:
    """Put what the index has of the records up to a number before the rest. Raises Unusual."""
    answer.last_read = known.number_of(reader.cursor) if reader.cursor is not None else 0
    rows, answer.count, answer.statuses = known.reaching(reader.reached, answer.last_read, upto, limit)
    for number, oid in rows:
        one = record.record_of(objects.commit(oid))
        if one is None:
            raise Unusual
        answer.labels[one.uid] = f"#{number}"
        answer.add(number, oid, one)


def told(place: Place, asked: Asked, reader: Reader, found: Unread, rest: str) -> "tuple[str, int]":
    """What is printed of it, and of how many records; ``rest`` is the verb that shows those beyond the limit.

    Raises Unusual: a person is told that there is nothing.
    """
    limit = asked.count or DEFAULT_COUNT
    shown = found.found[:limit]
    if not found.is_whole:
        _find_labels(place, reader.room, found.labels, [one for _, one in shown])
    notes = []
    if found.count > limit:
        notes.append(f"{found.count - limit} more: git chat {rest}\n")
    if found.statuses:
        commits = "1 commit" if found.statuses == 1 else f"{found.statuses} commits"
        notes.append(f"{commits} since: git chat log{asked.given} --since {found.last_read}\n")
    if not shown and not notes and os.isatty(2):
        raise Unusual
    return "".join([*listing(shown, found.labels), "\n" if shown and notes else "", *notes]), len(shown)


def _find_labels(place: Place, name: str, labels: "dict[str, str]", shown: "Sequence[Record]") -> None:
    """Find the numbers of what is answered before what was read here."""
    for uid in {one.reply for one in shown if one.reply is not None} - labels.keys():
        number = number_of_uid(place, name, uid)
        if number is not None:
            labels[uid] = f"#{number}"
