"""What whoever is here has not read of a room: a person by the cursor of its name, an agent by its seat.

It is read along the log, from its end to the position. Whether somebody else speaks under the same name is told by the
whole log where that is short, else by what the index has of it; whoever does makes it the long way's.
"""

import os
import time

from gitchat.quick import record, room, who
from gitchat.quick.log import label_of, listing, reveal
from gitchat.quick.objects import Objects, find_tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_number
from gitchat.quick.settings import Settings
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gitchat.quick.record import Record

DEFAULT_COUNT = 50

NEAR = 250
"""How many records are read at the most: then the index is quicker."""

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

    def is_for(self, one: "Record") -> bool:
        """Whether that is unread for it, beyond its position."""
        is_loud = one.kind not in record.QUIET and not one.to
        return one.author != self.me and one.kind not in record.UNLISTED and (is_loud or bool(self.reached & {*one.to}))

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

    __slots__ = ("found", "is_whole", "labels", "last_read", "oids", "statuses")

    def __init__(self, last_read: int, labels: "dict[str, str]", *, is_whole: bool) -> None:
        self.last_read = last_read
        """How many records are read, from the first one on."""
        self.found: list[tuple[str, Record]] = []
        """What is for them, oldest first, each with its label."""
        self.oids: list[tuple[int, str]] = []
        """The number and the commit of each."""
        self.statuses = 0
        """How many statuses are for nobody."""
        self.labels = labels
        """By uid, of all that was read here."""
        self.is_whole = is_whole
        """Whether that was the whole log."""


def unread(place: Place, settings: Settings, asked: Asked) -> "tuple[Reader, Unread]":
    """Who reads, and what it has not read. Raises Unusual, OSError and ValueError."""
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    reader = Reader(place, settings, room.room_name(settings, asked.room))
    room.refuse_other_rooms(place, reader.room)
    end = room.position(place, reader.room, room.authority(place, settings, reader.room))
    room.refuse_lost(place)
    return reader, _unread(place, reader, end)


def _unread(place: Place, reader: Reader, end: room.Position) -> Unread:
    known = None if end.count <= NEAR else _taken_in(place, reader)
    found: list[tuple[int, str, Record]] = []
    read_upto, number, oid = 0, end.count, end.tip
    is_known, is_read = False, False
    labels: dict[str, str] = {}
    redacted: dict[str, str] = {}
    objects = Objects(place)
    try:
        for _ in range(NEAR + 1):
            is_known = is_known or oid == known
            if oid == reader.cursor and not is_read:
                is_read, read_upto = True, number
            if is_known and is_read:
                break
            one = record.record_of(objects.commit(oid))
            if one is None:
                is_known, is_read = True, is_read or reader.cursor is None
                break
            reader.is_own(one)
            labels[one.uid] = f"#{number}"
            if one.kind == "redact" and one.reply is not None:
                redacted[one.reply] = one.author
            if not is_read:
                if reader.is_for(one):
                    reveal(one, objects, redacted)
                found.append((number, oid, one))
            number, oid = number - 1, one.parent
    finally:
        objects.close()
    if not is_known or not is_read:
        raise Unusual
    answer = Unread(read_upto, labels, is_whole=known is None)
    for number, oid, one in reversed(found):
        if reader.is_for(one):
            answer.found.append((label_of(one, number), one))
            answer.oids.append((number, oid))
        answer.statuses += one.kind == "status" and not one.to
    return answer


def told(place: Place, asked: Asked, reader: Reader, found: Unread, rest: str) -> "tuple[str, int]":
    """What is printed of it, and of how many records; ``rest`` is the verb that shows those beyond the limit.

    Raises Unusual: a person is told that there is nothing.
    """
    limit = asked.count or DEFAULT_COUNT
    shown = found.found[:limit]
    find_labels(place, reader.room, found, [one for _, one in shown])
    notes = []
    if len(found.found) > limit:
        notes.append(f"{len(found.found) - limit} more: git chat {rest}\n")
    if found.statuses:
        commits = "1 commit" if found.statuses == 1 else f"{found.statuses} commits"
        notes.append(f"{commits} since: git chat log{asked.given} --since {found.last_read}\n")
    if not shown and not notes and os.isatty(2):
        raise Unusual
    return "".join([*listing(shown, found.labels), "\n" if shown and notes else "", *notes]), len(shown)


# --- what the index knows --------------------------------------------------------------


def _taken_in(place: Place, reader: Reader) -> str:
    """Up to which commit the index knows the log, where nobody else speaks as the reader. Raises Unusual."""
    row = _asked(place, "SELECT id, lower(hex(tip)) FROM chain WHERE name = ?", reader.room)
    if len(row) != 1 or not row[0][1]:
        raise Unusual
    chain, tip = row[0]
    others, value = reader.where
    if _asked(
        place, f"SELECT 1 FROM voice WHERE chain = ? AND author = ? AND {others} LIMIT 1", chain, reader.me, value
    ):
        raise Unusual
    return str(tip)


def find_labels(place: Place, name: str, unread: Unread, shown: "Sequence[Record]") -> None:
    """Find the numbers of what is answered before what was read here."""
    if unread.is_whole:
        return
    for uid in {one.reply for one in shown if one.reply is not None} - unread.labels.keys():
        sql = (
            "SELECT number FROM entry JOIN chain ON chain.id = entry.chain WHERE chain.name = ? AND entry.uid = ?"
            " AND number IS NOT NULL AND is_pending = 0"
        )
        found = _asked(place, sql, name, uid)
        if len(found) > 1:
            raise Unusual
        if found:
            unread.labels[uid] = f"#{found[0][0]}"


def _files(place: Place) -> "list[str]":
    """The files of the index, the newest last."""
    names = [
        one for one in os.listdir(place.common_dir + "/chatroom") if one.startswith("index.") and one[-3:] == ".db"
    ]
    return sorted((one for one in names if is_number(one[6:-3])), key=lambda one: int(one[6:-3]))


def _asked(place: Place, sql: str, *values: "str | int") -> "list[Any]":
    """The rows of a question to the newest index. Raises Unusual: there is none, or it does not know that."""
    try:
        from _sqlite3 import Error, connect  # without the modules of dates that sqlite3 loads
    except ImportError:
        from sqlite3 import Error, connect
    names = _files(place)
    path = f"{place.common_dir}/chatroom/{names[-1]}" if names else ""
    if not path or os.lstat(path).st_mode & 0o170000 != 0o100000:
        raise Unusual
    try:
        database = connect(path)
        try:
            return list(database.execute(sql, values))
        finally:
            database.close()
    except Error as wrong:
        raise Unusual from wrong
