"""The room that is meant, and up to where its log is numbered, where no remote has to do with it."""

import os
from zlib import crc32

from gitchat.quick.objects import Objects, is_any_below, packed_below, tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_number, is_oid, is_slug
from gitchat.quick.record import record_of
from gitchat.quick.settings import Settings
from gitchat.quick.spawned import has_all
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchat.quick.record import Record

DEFAULT_ROOM = "lobby"

_CHECKPOINT = "gitchat checkpoint 1"
_NOTES_BYTES = 1024 * 1024
_JOURNAL_BYTES = 16 * 1024 * 1024

PACK_OBJECTS, PACK_BYTES, PACK_RETRY = 512, 8 * 1024 * 1024, 16
MOST_WAITING = 64
_MORE_BYTES = 4096
"""More than a record has besides its body."""


_PLAIN_COLORS = (None, "auto", "true", "yes", "on", "1", "never", "false", "no", "off", "0")


class Position:
    """Up to where a room's log is numbered, and how many records there are up to that."""

    __slots__ = ("count", "is_closed", "is_plain", "log", "tip", "title")

    def __init__(self, tip: str, count: int, is_closed: bool, title: str, *, is_plain: bool) -> None:
        self.tip = self.log = tip
        """The last commit that has a number, and the last of the log here: behind the first wait those of ours."""
        self.count = count
        self.is_closed = is_closed
        self.is_plain = is_plain
        """Whether a number follows from counting back: there are no merges."""
        self.title = title
        """The commit that gives it its title; empty for none."""


def room_name(settings: Settings, given: "str | None") -> str:
    """``given``, else ``chat.room``, else ``lobby``. Raises Unusual: it is not spelled plainly."""
    room = given if given is not None else settings.get("chat.room") or DEFAULT_ROOM
    if not is_slug(room):
        raise Unusual
    return room


def log_ref(room: str) -> str:
    """The ref of a room's log."""
    return f"refs/chatroom/rooms/{room}/log"


def cursor_ref(room: str, name: str) -> str:
    """The ref of how far ``name`` has read a room."""
    return f"refs/chatroom/rooms/{room}/cursors/{name}"


def seat_ref(room: str, name: str) -> str:
    """The ref of how far who sits on ``name`` here has read it."""
    return f"refs/chatroom-local/seats/{room}/{name}"


def authority(place: Place, settings: Settings, room: str) -> "str | None":
    """The remote that gives the numbers of ``room``; None where this clone does.

    Raises Unusual where that takes more to tell, and where a remote has to be looked at first.
    """
    fetched = [value for key, found in settings.values.items() if key.endswith(".fetch") for value in found]
    if not all(value.startswith("+refs/heads/") and ":refs/remotes/" in value for value in fetched):
        raise Unusual
    remote = settings.get(f"chatroom.{room}.remote")
    if remote is None:
        try:
            notes = read(place.common_dir + "/chatroom/authorities", _NOTES_BYTES).decode()
        except FileNotFoundError:
            told = ("refs/chatroom-local/remotes/", "refs/chatroom-local/fetched/")
            if settings.has("remote.") and any(is_any_below(place, one) for one in told):
                raise Unusual from None
            return None
        remote = _noted(notes, room)
    if not is_slug(remote) or settings.get(f"remote.{remote}.url") is None:
        raise Unusual
    return remote


def _noted(notes: str, room: str) -> str:
    """The remote that ``chatroom/authorities`` has for ``room``, where it is laid out as we write it: by lines."""
    rooms, end, _ = notes.partition("\n }")
    _, start, rest = rooms.partition(f'\n  "{room}": {{\n   "remote": "')
    if not notes.startswith('{\n "rooms": {\n') or not start or not end:
        raise Unusual
    return rest.partition('"')[0]


def branch_of(head: str) -> "str | None":
    """The branch that is checked out, by what the file ``HEAD`` says; None where none is."""
    return head[16:].removesuffix("\n") if head.startswith("ref: refs/heads/") else None


def branch_ref(branch: str) -> str:
    """The ref of a branch here."""
    return f"refs/heads/{branch}"


def known_prefix(remote: str) -> str:
    """What the refs begin with by which git's user knows the branches of a remote."""
    return f"refs/remotes/{remote}/"


def shadows(short: str) -> "list[str]":
    """What git could mean by the short name of a ref. Source: gitrevisions(7)."""
    return [
        *(short, f"refs/{short}", f"refs/tags/{short}", branch_ref(short)),
        *(f"refs/remotes/{short}", f"refs/remotes/{short}/HEAD"),
    ]


def copy_ref(remote: str, branch: str) -> str:
    """The ref of a branch of ``remote`` as it was last fetched for us."""
    return f"refs/chatroom-local/heads/{remote}/{branch}"


def tracking_ref(room: str, remote: str, what: str = "log") -> str:
    """The ref of what ``remote`` was last seen to have of a room's log, or of its summaries."""
    return f"refs/chatroom-local/remotes/{remote}/rooms/{room}/{what}"


def summaries_ref(room: str) -> str:
    """The ref of a room's summaries."""
    return f"refs/chatroom/rooms/{room}/summaries"


def others(place: Place, room: str) -> "list[str]":
    """The other rooms than ``room`` that there may be. Raises Unusual: one is not spelled plainly."""
    rooms = place.common_dir + "/refs/chatroom/rooms"
    loose = os.listdir(rooms) if os.path.lexists(rooms) else []
    packed = [name.partition("/")[0] for name in packed_below(place, "refs/chatroom/rooms/")]
    names = {*loose, *packed} - {room}
    if not all(is_slug(name) for name in names):
        raise Unusual
    return sorted(names)


def refuse_other_rooms(place: Place, room: str) -> None:
    """Raise Unusual where there may be another room than ``room``."""
    if others(place, room):
        raise Unusual


def refuse_styles(settings: Settings) -> None:
    """Raise Unusual where what is printed may have colours, or other dates, also where no person reads."""
    colors = (settings.get("color.chat"), settings.get("color.ui"))
    if settings.get("chat.date") is not None or not all(one in _PLAIN_COLORS for one in colors):
        raise Unusual


def refuse_bad_settings(settings: Settings) -> None:
    """Raise Unusual where a setting may be one that is told to everybody who opens a room."""
    if settings.get("chat.fsync") not in (None, "true", "false"):
        raise Unusual
    for value in (settings.get("chat.maxBody"), settings.get("chat.maxAttachment")):
        if value is not None and not is_number(value):
            raise Unusual


def position(place: Place, room: str, remote: "str | None" = None, *, is_plain: bool = True) -> Position:
    """The end of what is numbered of a log, in which a number follows from counting back if it has to be ``is_plain``.

    Raises Unusual: nobody noted that, or something was set aside.
    """
    here = tip(place, log_ref(room))
    if remote is None:
        return position_of(place, room, here, is_plain=is_plain)
    if is_any_below(place, f"refs/chatroom-local/aside/{room}/"):
        raise Unusual
    end = position_of(place, room, tip(place, tracking_ref(room, remote)), is_plain=is_plain)
    end.log = here
    return end


def waiting(end: Position, objects: Objects) -> "list[tuple[str, Record]]":
    """The records that wait for the remote, with their commits, the newest first.

    Raises Unusual: they are many, or do not follow what is numbered one after the other.
    """
    found: list[tuple[str, Record]] = []
    here = end.log
    while here != end.tip:
        one = record_of(objects.commit(here))
        if one is None or len(found) == MOST_WAITING:
            raise Unusual
        found.append((here, one))
        here = one.parent
    return found


def position_of(place: Place, room: str, here: str, *, is_plain: bool = True) -> Position:
    """The position of a commit; up to it a number follows from counting back if it has to be ``is_plain``.

    Raises Unusual: nobody noted that.
    """
    data = read(f"{place.common_dir}/chatroom/checkpoints/{room}", 4096)
    body, checksum = data[:-9], data[-9:]
    header, *lines = body.decode("ascii").splitlines()
    if checksum != b"%08x\n" % crc32(body) or header != _CHECKPOINT:
        raise Unusual
    for line in lines:
        found, count, plain, is_closed, title = line.split(" ")
        if found == here and (plain == "1" or not is_plain) and is_number(count) and (title == "-" or is_oid(title)):
            return Position(here, int(count), is_closed == "1", title.removeprefix("-"), is_plain=plain == "1")
    raise Unusual


def refuse_lost(place: Place) -> "tuple[int, int]":
    """How many objects are not packed yet, and how many bytes they have in the journal.

    Raises Unusual where git may have lost one: the long way writes it again.
    """
    try:
        data = read(place.common_dir + "/chatroom/journal", _JOURNAL_BYTES)
    except FileNotFoundError:
        return 0, 0
    objects, at = place.common_dir + "/objects/", 0
    seen = set()
    while at < len(data):
        end = data.find(b"\n", at, at + 256)
        words = data[at:end].split(b" ")
        if end < 0 or len(words) != 4 or not words[2].isdigit():
            raise Unusual
        oid = words[0].decode("ascii", "replace")
        at = end + 1 + int(words[2]) + 1
        if not is_oid(oid) or data[at - 1 : at] != b"\n":
            raise Unusual
        seen.add(oid)
    packed = {oid for oid in seen if not os.path.lexists(f"{objects}{oid[:2]}/{oid[2:]}")}
    if packed and not has_all(place, packed):
        raise Unusual
    return len(seen), len(data)


def refuse_packing(unpacked: "tuple[int, int]", body_bytes: int) -> None:
    """Raise Unusual where a record more may start a packer: see Written of gitchat.storage."""
    count, size_bytes = unpacked
    is_many = count + 1 >= PACK_OBJECTS or size_bytes + body_bytes + _MORE_BYTES >= PACK_BYTES
    if is_many and (count + 1) % PACK_RETRY == 0:
        raise Unusual
    if (size_bytes + body_bytes + _MORE_BYTES) // PACK_BYTES > size_bytes // PACK_BYTES:
        raise Unusual
