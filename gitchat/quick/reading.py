"""``git chat read``, to what is no terminal: as ``cli/commands/read`` prints and marks it."""

import os
import time

from gitchat.quick import live, room, spawned, swap, turn
from gitchat.quick.append import WAIT_SECONDS
from gitchat.quick.place import Place
from gitchat.quick.reader import Reader
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unread import Asked, told, unread
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DRAIN_SECONDS, LEAVE_MILLISECONDS = 3.0, 50
"""As cli/terminal has them: how long a reader may take to read, and then to go."""


def read(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed, and then marked. Raises Unusual, OSError and ValueError."""
    asked = Asked(words)
    if settings.get("core.logAllRefUpdates") == "always":
        raise Unusual
    reader, found = unread(place, settings, asked)
    text, count = told(place, asked, reader, found, f"read{asked.given}")
    if not count:
        reader.refuse_others()
        return Said(text)
    if found.oids[count - 1][0] in found.beside:
        raise Unusual
    marking = _Marking(place, settings, reader, *found.oids[count - 1])
    return Said(text, marking.mark)


class _Marking:
    """The positions that are to be moved when what they pass was printed."""

    def __init__(self, place: Place, settings: Settings, reader: Reader, number: int, oid: str) -> None:
        """Raises Unusual where one of them is not there yet, or packed, or is not ours to move."""
        reader.refuse_others()
        self._place, self._reader, self._room, self._number, self._oid = place, reader, reader.room, number, oid
        self._clone = swap.Clone(
            place.common_dir, is_synced=settings.get("chat.fsync") != "false", read_packed=_no_commit, syncs_refs=True
        )
        wanted = [(room.cursor_ref(reader.room, reader.me), reader.common)]
        if reader.sender.agent is not None:
            wanted.insert(0, (room.seat_ref(reader.room, reader.me), reader.cursor))
        self._refs = [(ref, swap.tip(f"{place.common_dir}/{ref}")) for ref, _ in wanted]
        if self._refs != wanted:
            raise Unusual  # it moved meanwhile

    def mark(self, is_printed: bool) -> str:
        """Move them, unless nobody reads any more what was printed. What cannot be done here a git chat does."""
        if not is_printed or not _has_reader():
            return ""
        try:
            lock, _ = turn.take(self._place.common_dir + "/chatroom/write.lock", WAIT_SECONDS)
            try:
                if os.pread(lock, 1, 0):
                    raise Unusual  # somebody died at this work
                for ref, old in self._refs:
                    swap.move(self._clone, ref, old, self._oid, lock)
            finally:
                turn.give_back(lock)
            if self._reader.life is not None:
                live.touch(self._place, self._reader.me, self._room, int(time.time()))
        except (Unusual, OSError):
            spawned.instead(self._place, "cursor", "set", "--room", self._room, str(self._number))
        return ""


def _no_commit(oid: str) -> bytes:
    raise Unusual


def _has_reader() -> bool:
    """Whether whoever reads our output still does, once it has read all; see has_reader of cli/terminal."""
    if os.fstat(1).st_mode & 0o170000 != 0o010000:
        return True
    import fcntl
    import select
    import termios

    pipe = select.poll()
    pipe.register(1, 0)
    deadline = time.monotonic() + DRAIN_SECONDS
    while any(fcntl.ioctl(1, termios.FIONREAD, bytes(4))) and time.monotonic() < deadline:
        if pipe.poll(5):
            return False
    return not pipe.poll(LEAVE_MILLISECONDS)
