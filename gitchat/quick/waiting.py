"""``git chat wait``, to what is no terminal, where nothing is fetched meanwhile: as ``cli/commands/wait`` does it.

What sleeps is a tenth of the whole program. It wakes when a file of the clone changes, by the kernel's word for one
directory (``F_NOTIFY``), which takes no library, and looks once a second without it, as gitchat/waking does. Once it
has slept and something is not plain, the whole program goes on in its place, for the time that is left.
"""

import fcntl
import os
import sys
import time

from gitchat.quick import live, room, spawned
from gitchat.quick.known import Known
from gitchat.quick.log import listing
from gitchat.quick.objects import find_tip
from gitchat.quick.place import Place
from gitchat.quick.place import read as read_file
from gitchat.quick.plain import is_number
from gitchat.quick.reader import Reader
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unread import DEFAULT_COUNT, NEAR, Unread, find_labels, look
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from signal import SIG_BLOCK, SIG_UNBLOCK, SIGIO, pthread_sigmask, sigtimedwait

    from gitchat.quick.record import Record
elif sys.platform == "linux":
    from _signal import SIG_BLOCK, SIG_UNBLOCK, SIGIO, pthread_sigmask, sigtimedwait  # signal itself loads enum

SILENT_TYPES = ("ack", "presence")
TIMEOUT_STATUS, INTERRUPTED_STATUS = 124, 130
POLL_SECONDS = 1.0
"""As staying/wake, cli/commands/wait and waking/watch have them."""

CLAIM_SECONDS = 86_400
"""As model/claim has it: how long a claim lasts at the most."""

_MOST_SECONDS_DIGITS = 9
_MOST_CHARS = 1024


class Asked:
    """What was typed."""

    __slots__ = ("count", "is_quiet", "room", "seconds")

    def __init__(self, words: "Sequence[str]") -> None:
        """Raises Unusual: it is not of the plainest."""
        self.count: int | None = None
        self.seconds: float | None = None
        self.room: str | None = None
        self.is_quiet = False
        rest = [*words]
        while rest:
            word = rest.pop(0)
            if word in ("-q", "--quiet"):
                self.is_quiet = True
            elif word == "--room" and rest and self.room is None:
                self.room = rest.pop(0)
            elif word == "--timeout" and rest and self.seconds is None and _are_seconds(rest[0]):
                self.seconds = float(rest.pop(0))
            elif word in ("-n", "--max-count") and rest and self.count is None and is_number(rest[0]) and int(rest[0]):
                self.count = int(rest.pop(0))
            else:
                raise Unusual

    def words(self, left: "float | None") -> "list[str]":
        """The same, with so many seconds left."""
        return [
            "wait",
            *(["--quiet"] if self.is_quiet else []),
            *(["--room", self.room] if self.room is not None else []),
            *(["-n", str(self.count)] if self.count is not None else []),
            *(["--timeout", f"{left:.3f}"] if left is not None else []),
        ]


def _are_seconds(text: str) -> bool:
    whole, point, part = text.partition(".")
    return len(whole) <= _MOST_SECONDS_DIGITS and is_number(whole) and (not point or is_number(part))


def wait(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed, when there is something. Raises Unusual, OSError and ValueError before anything was changed."""
    asked = Asked(words)
    return _Waiting(place, settings, asked).wait()


class _Waiting:
    """Somebody who waits in a room."""

    def __init__(self, place: Place, settings: Settings, asked: Asked) -> None:
        room.refuse_styles(settings)
        room.refuse_bad_settings(settings)
        if settings.get("chat.secretPattern") is not None:
            raise Unusual  # a name may be one
        self._place, self._settings, self._asked = place, settings, asked
        self._room = room.room_name(settings, asked.room)
        self._log = room.log_ref(self._room)
        self._end = None if asked.seconds is None else time.monotonic() + asked.seconds

    def wait(self) -> Said:
        """Live under the name until there is something, or the time is up."""
        seen = find_tip(self._place, self._log)
        reader, found = self._look()
        reader.refuse_others()
        if self._settings.has("remote.") and not _waking(found):
            raise Unusual  # who sleeps keeps the rooms in step meanwhile
        now = int(time.time())
        lived = live.live(self._place, reader.me, _holder(self._place, reader), self._room, now)
        bell = Bell(self._place.common_dir, self._room)
        try:
            while not (shown := _waking(found)):
                left = self._left()
                if left is not None and left <= 0:
                    return Said("", status=TIMEOUT_STATUS)
                if find_tip(self._place, self._log) == seen:
                    bell.sleep(POLL_SECONDS if left is None else min(POLL_SECONDS, left))
                    continue
                seen = find_tip(self._place, self._log)
                _, found = self._look(lives=True)
            return Said("" if self._asked.is_quiet else self._told(found, shown))
        except KeyboardInterrupt:
            return Said("", lambda is_printed: "\n", status=INTERRUPTED_STATUS)
        except (Unusual, OSError, ValueError):
            bell.close()
            os.close(lived)
            lived = -1
            left = self._left()
            spawned.in_our_place(self._place, *self._asked.words(None if left is None else max(left, 0)))
            raise
        finally:
            bell.close()
            if lived >= 0:
                os.close(lived)

    def _left(self) -> "float | None":
        return None if self._end is None else self._end - time.monotonic()

    def _look(self, *, lives: bool = False) -> "tuple[Reader, Unread]":
        room.refuse_other_rooms(self._place, self._room)  # in which a claim may end, too
        reader, found = look(self._place, self._settings, self._room, NEAR, lives=lives)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if found.count > len(found.found) or found.until > now:
            raise Unusual  # the index counts; a claim ends by the clock, and whoever waits tells
        if not found.is_whole and Known(self._place, self._room, reader.me, *reader.where).has_claims(CLAIM_SECONDS):
            raise Unusual
        return reader, found

    def _told(self, found: Unread, shown: "list[tuple[str, Record]]") -> str:
        shown = shown[: self._asked.count or DEFAULT_COUNT]
        find_labels(self._place, self._room, found, [one for _, one in shown])
        return "".join(listing(shown, found.labels))


def _waking(found: Unread) -> "list[tuple[str, Record]]":
    return [(label, one) for label, one in found.found if one.type not in SILENT_TYPES]


def _holder(place: Place, reader: Reader) -> str:
    """This process, as the file of a name has it. Raises Unusual: something of it is not written there as it is."""
    agent, head = reader.sender.agent, read_file(place.git_dir + "/HEAD", 4096).decode()
    branch = head.removeprefix("ref: refs/heads/").removesuffix("\n") if head.startswith("ref: refs/heads/") else None
    of_client = (None, None) if agent is None else (agent.client, agent.session)
    texts = (os.uname().nodename, place.top, branch, *of_client)
    if "GIT_DIR" in place.variables or not all(_is_plain(text) for text in texts if text is not None):
        raise Unusual
    host, worktree, branch, client, session = ("null" if text is None else f'"{text}"' for text in texts)
    keys = _NO_KEYS if agent is None else agent.keys
    return (
        f'{{"pid":{os.getpid()},"host":{host},"worktree":{worktree},"branch":{branch},"client":{client},'
        f'"session":{session},{keys}}}'
    )


_NO_KEYS = '"keys":{"process":null,"shares_process":false,"socket":null,"id":null}'


def _is_plain(text: str) -> bool:
    return text.isprintable() and not {*text} & {*'"\\'} and len(text) <= _MOST_CHARS


class Bell:
    """What ends a sleep when something is written in a clone: our own lock, or a ref of the room by git.

    The kernel tells by a signal, which is taken while one sleeps and never else. Source: fcntl(2), F_NOTIFY;
    gitchat/waking/directories.py.
    """

    def __init__(self, common_dir: str, name: str) -> None:
        self._directories: list[int] = []
        if sys.platform != "linux":
            return
        pthread_sigmask(SIG_BLOCK, (SIGIO,))
        told = fcntl.DN_MODIFY | fcntl.DN_CREATE | fcntl.DN_RENAME | fcntl.DN_MULTISHOT
        for path in ("chatroom", room.log_ref(name).removesuffix("/log")):
            try:
                self._directories.append(os.open(f"{common_dir}/{path}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                fcntl.fcntl(self._directories[-1], fcntl.F_NOTIFY, told)
            except OSError:
                pass  # not there, or a kernel that does not tell

    def sleep(self, seconds: float) -> None:
        """Until something was written, or so long."""
        if self._directories:
            sigtimedwait((SIGIO,), seconds)
        else:
            time.sleep(seconds)

    def close(self) -> None:
        """Tell nothing any more. Can be called twice."""
        directories, self._directories = self._directories, []
        for directory in directories:
            os.close(directory)
        if directories:
            while sigtimedwait((SIGIO,), 0) is not None:
                pass
            pthread_sigmask(SIG_UNBLOCK, (SIGIO,))
