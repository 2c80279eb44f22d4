"""``git chat inbox`` of a person, to what is no terminal: as ``cli/commands/inbox`` prints it.

What is unread is read along the log, from its end to the cursor. Whether somebody else speaks under the same name is
told by the whole log where that is short, else by what the index has of it; whoever does makes it the long way's.
"""

import os

from gitchat.quick import record, room, who
from gitchat.quick.log import label_of, listing
from gitchat.quick.objects import Objects, find_tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_number
from gitchat.quick.said import Said
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


class Unread:
    """What somebody has not read."""

    __slots__ = ("found", "is_whole", "labels", "last_read", "statuses")

    def __init__(self, last_read: int, labels: "dict[str, str]", *, is_whole: bool) -> None:
        self.last_read = last_read
        """How many records are read, from the first one on."""
        self.found: list[tuple[str, Record]] = []
        """What is for them, oldest first, each with its label."""
        self.statuses = 0
        """How many statuses are for nobody."""
        self.labels = labels
        """By uid, of all that was read here."""
        self.is_whole = is_whole
        """Whether that was the whole log."""


def inbox(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed. Raises Unusual, and what says that something cannot be read: OSError, ValueError."""
    asked = Asked(words)
    room.refuse_styles(settings)
    room.refuse_bad_settings(settings)
    name = room.room_name(settings, asked.room)
    me = who.person(settings, place.variables, None)
    _refuse_seats(place, name, me.name)
    room.refuse_other_rooms(place, name)
    end = room.position(place, name, room.authority(place, settings, name))
    room.refuse_lost(place)
    unread = _unread(place, settings, name, end, me.name)
    limit = asked.count or DEFAULT_COUNT
    shown = unread.found[:limit]
    _find_labels(place, name, unread, [one for _, one in shown])
    given = f" --room {name}" if asked.room is not None else ""
    notes = []
    if len(unread.found) > limit:
        notes.append(f"{len(unread.found) - limit} more: git chat inbox{given} -n {len(unread.found)}\n")
    if unread.statuses:
        commits = "1 commit" if unread.statuses == 1 else f"{unread.statuses} commits"
        notes.append(f"{commits} since: git chat log{given} --since {unread.last_read}\n")
    if not shown and not notes and os.isatty(2):
        raise Unusual  # a person is told that there is nothing
    return Said("".join([*listing(shown, unread.labels), "\n" if shown and notes else "", *notes]))


def _refuse_seats(place: Place, name: str, me: str) -> None:
    """Raise Unusual where ``me`` may sit, have joined with a role, or be somebody's who sits."""
    if find_tip(place, room.seat_ref(name, me)) is not None or os.path.lexists(
        f"{place.common_dir}/chatroom/live/{me}"
    ):
        raise Unusual
    try:
        seats = read(place.common_dir + "/chatroom/seats", _SEATS_BYTES)
    except FileNotFoundError:
        return
    if f'"{me}"'.encode() in seats:
        raise Unusual


def _unread(place: Place, settings: Settings, name: str, end: room.Position, me: str) -> Unread:
    cursor = find_tip(place, room.cursor_ref(name, me))
    address = (settings.get("user.email") or "").strip().lower()
    if not address or address.endswith(who.NO_DOMAIN) or settings.get("chat.person") is not None:
        raise Unusual
    known = None if end.count <= NEAR else _taken_in(place, name, me, address)
    unread: list[tuple[int, Record]] = []
    read_upto, number, oid = 0, end.count, end.tip
    is_known, is_read = False, False
    labels: dict[str, str] = {}
    objects = Objects(place)
    try:
        for _ in range(NEAR + 1):
            is_known = is_known or oid == known
            if oid == cursor and not is_read:
                is_read, read_upto = True, number
            if is_known and is_read:
                break
            one = record.record_of(objects.commit(oid))
            if one is None:
                is_known, is_read = True, is_read or cursor is None
                break
            if one.author == me and (one.clone != "-" or one.address.strip().lower() != address):
                raise Unusual
            labels[one.uid] = f"#{number}"
            if not is_read:
                unread.append((number, one))
            number, oid = number - 1, one.parent
    finally:
        objects.close()
    if not is_known or not is_read:
        raise Unusual
    answer = Unread(read_upto, labels, is_whole=known is None)
    for number, one in reversed(unread):
        is_loud = one.kind == "message" and not one.to
        if one.author != me and one.kind not in record.UNLISTED and (is_loud or me in one.to):
            answer.found.append((label_of(one, number), one))
        answer.statuses += one.kind == "status" and not one.to
    return answer


# --- what the index knows --------------------------------------------------------------


def _taken_in(place: Place, name: str, me: str, address: str) -> str:
    """Up to which commit the index knows the log, where nobody else speaks as ``me``. Raises Unusual."""
    row = _asked(place, "SELECT id, lower(hex(tip)) FROM chain WHERE name = ?", name)
    if len(row) != 1 or not row[0][1]:
        raise Unusual
    chain, tip = row[0]
    sql = "SELECT 1 FROM voice WHERE chain = ? AND author = ? AND (clone != '' OR email NOT IN ('', ?)) LIMIT 1"
    if _asked(place, sql, chain, me, address):
        raise Unusual
    return str(tip)


def _find_labels(place: Place, name: str, unread: Unread, shown: "Sequence[Record]") -> None:
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
