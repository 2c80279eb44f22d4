"""The file of a name that somebody lives under, or did: what it is in each room, and living under it for a while.

As gitchat/presence/livefile.py, namelock.py and holding.py do it, where the file is laid out as they write it.
Source: docs/format.md sections 7.6 to 7.10.
"""

import fcntl
import os
import sys
from zlib import crc32

from gitchat.quick import rules
from gitchat.quick.place import Place
from gitchat.quick.place import read as read_file
from gitchat.quick.plain import is_slug
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 256 * 1024
_MOST_ROOMS = 100
_ROLE = "general"
"""What a name is in a room that it joins by waiting there."""

_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MOST_DIGITS = 12
"""Of a time."""


class At:
    """What a name is in one room."""

    __slots__ = ("capabilities", "is_registered", "joined_at", "last_seen", "left_at", "role", "room")

    def __init__(self, room: str, role: str, capabilities: str, joined_at: int) -> None:
        self.room = room
        self.role = role
        self.capabilities = capabilities
        """As JSON has it."""
        self.joined_at = self.last_seen = joined_at
        self.is_registered = False
        self.left_at: int | None = None

    def written(self) -> str:
        """As the file has it."""
        left_at = "null" if self.left_at is None else str(self.left_at)
        return (
            f'"{self.room}":{{"role":"{self.role}","capabilities":{self.capabilities},"joined_at":{self.joined_at},'
            f'"last_seen":{self.last_seen},"is_registered":{"true" if self.is_registered else "false"},'
            f'"left_at":{left_at}}}'
        )


class Life:
    """What the file of a name says. Raises Unusual: it is not laid out as we write it."""

    __slots__ = ("_head", "holder", "name", "rooms")

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.holder, self._head = name, "", ""
        self.rooms: list[At] = []
        if not data:
            return
        line = data[:-9]
        if data[-9:] != b"%08x\n" % crc32(line) or not line.startswith(b'{"name":"%s",' % name.encode()):
            raise Unusual
        head, rooms, rest = line.decode().partition(',"rooms":{')  # in a text of JSON a quote has a backslash before it
        if not rooms or not rest.endswith("}}\n"):
            raise Unusual
        self._head = head
        self.holder = head.partition('"holder":')[2].rpartition(',"held_at":')[0]
        """Who took the name last, as JSON has it; empty where nobody did."""
        self.rooms = _rooms(rest[:-3])
        if self.written() != data:
            raise Unusual

    @property
    def is_persons(self) -> bool:
        """Whether no client's session took it."""
        return not self.holder or '"client":null,"session":null,' in self.holder

    def at(self, room: str) -> "At | None":
        """What it is in a room; None where it never joined."""
        return next((at for at in self.rooms if at.room == room), None)

    def touch(self, room: str, now: int) -> None:
        """Seen in a room, if it is a member."""
        at = self.at(room)
        if at is not None and at.left_at is None:
            at.last_seen = max(at.last_seen, now)

    def take(self, holder: str, room: str, now: int) -> None:
        """Taken by ``holder``, who lives in a room from now on: registered as it was, or by living alone."""
        for at in self.rooms:
            if not at.is_registered and at.left_at is None:
                at.left_at = at.last_seen
        self.holder, self._head = holder, f'{{"name":"{self.name}","holder":{holder},"held_at":{now}'
        found = self.at(room)
        if found is None:
            self.rooms.append(At(room, _ROLE, "[]", now))
        elif found.left_at is None:
            found.last_seen = max(found.last_seen, now)
        else:
            self.rooms[self.rooms.index(found)] = At(room, _ROLE, "[]", now)

    def written(self) -> bytes:
        """The content of the file."""
        rooms = sorted(self.rooms, key=lambda at: at.last_seen, reverse=True)
        line = f'{self._head},"rooms":{{{",".join(at.written() for at in rooms)}}}}}\n'.encode()
        return line + b"%08x\n" % crc32(line)


def _rooms(text: str) -> "list[At]":
    found: list[At] = []
    while text:
        room, _, rest = text.partition('":{"role":"')
        role, _, rest = rest.partition('","capabilities":')
        capabilities, _, rest = rest.partition(',"joined_at":')
        joined_at, _, rest = rest.partition(',"last_seen":')
        last_seen, _, rest = rest.partition(',"is_registered":')
        is_registered, _, rest = rest.partition(',"left_at":')
        left_at, end, text = rest.partition("}")
        times = (joined_at, last_seen, *(() if left_at == "null" else (left_at,)))
        are_times = all(one.isascii() and one.isdigit() and len(one) <= _MOST_DIGITS for one in times)
        if not end or not are_times or not is_slug(room[1:]) or "\\" in role or len(found) == _MOST_ROOMS:
            raise Unusual
        one = At(room[1:], role, capabilities, int(joined_at))
        one.last_seen, one.is_registered = int(last_seen), is_registered == "true"
        one.left_at = None if left_at == "null" else int(left_at)
        found.append(one)
        text = text.removeprefix(",")
    return found


def find(place: Place, name: str) -> "Life | None":
    """What is known of a name; None where nobody ever took it. Raises Unusual: it takes more to tell."""
    try:
        return Life(name, read_file(_path(place, name), MAX_BYTES))
    except FileNotFoundError:
        return None


def is_lived_under(place: Place, name: str) -> bool:
    """Whether a process lives under a name that has a file. Raises Unusual where the kernel does not tell."""
    descriptor = os.open(_path(place, name), _OPEN)
    try:
        return fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file())[:2] != _number(fcntl.F_UNLCK, 2)
    finally:
        os.close(descriptor)


def touch(place: Place, name: str, room: str, now: int) -> None:
    """Note that a name was seen in a room, if it is a member there. Never waits, never fails."""
    try:
        descriptor = os.open(_path(place, name), _OPEN)
        try:
            _change(place, name, descriptor, lambda life: life.touch(room, now))
        finally:
            os.close(descriptor)
    except (Unusual, OSError):
        pass


def live(place: Place, name: str, holder: str, room: str, now: int) -> int:
    """Live under a name, in a room, until the descriptor that is returned is closed, or this process ends.

    Raises Unusual and OSError: somebody else does, or more has to be known of it; nothing was changed.
    """
    if rules.is_suspect(name.encode()):
        raise Unusual
    path = _path(place, name)
    try:
        os.mkdir(os.path.dirname(path))
    except FileExistsError:
        if os.path.islink(os.path.dirname(path)):
            raise Unusual from None
    descriptor = os.open(path, _OPEN | os.O_CREAT, 0o666)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file())
        _change(place, name, descriptor, lambda life: life.take(holder, room, now))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _change(place: Place, name: str, descriptor: int, change: "Callable[[Life], object]") -> None:
    """Change the file of a name in our turn, which is not waited for."""
    turn = os.open(place.common_dir + "/chatroom/live.lock", _OPEN | os.O_CREAT, 0o666)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        before = os.pread(descriptor, MAX_BYTES, 0)
        life = Life(name, before)
        change(life)
        after = life.written()
        if after != before:
            if len(after) > MAX_BYTES or os.pwrite(descriptor, after, 0) != len(after):
                raise Unusual
            os.ftruncate(descriptor, len(after))
    finally:
        os.close(turn)


def _path(place: Place, name: str) -> str:
    return f"{place.common_dir}/chatroom/live/{name}"


def _whole_file() -> bytes:
    """``struct flock`` of 64-bit Linux, of a lock to write: type, whence, start, length, process. Source: fcntl(2)."""
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        raise Unusual
    return _number(fcntl.F_WRLCK, 2) + bytes(30)


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, sys.byteorder)
