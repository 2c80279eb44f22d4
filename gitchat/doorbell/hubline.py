"""The doorbell of a hub that tells itself what moved: a line to it that is opened again when it breaks.

What the line goes by, ssh or HTTP, is a :class:`Source`. A hub that cannot do this is asked once in a long while.
Source: docs/format.md section 15.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ClassVar, Protocol

from gitchat.doorbell.beats import Beat
from gitchat.doorbell.doorbell import Hear, Heard, Moved, Opened
from gitchat.doorbell.knock import Knock
from gitchat.doorbell.lines import GREETING, Lines, tip_of
from gitchat.model.escape import escape_line
from gitchat.model.names import RoomName, Uid

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Bounds of the time before a line is opened again, which doubles."""

NONE_SECONDS = 3600.0
"""How long a hub that has no doorbell is not asked again."""

GREETING_SECONDS = 30.0
"""How long a hub may take to greet: a program starts there."""

MOST_A_SECOND = 200
"""How many lines may come in a second. A hub tells of each push once."""


class NoDoorbell(Exception):
    """There is none at the hub; the words say why."""


class Source(Protocol):
    """A line to a hub."""

    def read(self, seconds: float) -> bytes:
        """What came next; nothing when the line has ended. Raises TimeoutError, OSError, NoDoorbell."""

    def close(self) -> None:
        """End it. For any thread; one that reads is released. Does not raise."""


class HubLine:
    """A doorbell that only listens: the hub sees for itself what is pushed. For any thread."""

    has_presence: ClassVar = False

    def __init__(
        self,
        open_source: Callable[[], Source],
        random: Callable[[], float],
        silence_seconds: float,
        *,
        note: Callable[[bool], object] = lambda has_one: None,
    ) -> None:
        """``open_source`` opens a line: it raises OSError and NoDoorbell. ``random`` gives numbers from 0 to 1.

        ``note`` is told, in the doorbell's thread, whether the hub has one.
        """
        self._open_source = open_source
        self._note = note
        self._random = random
        self._silence_seconds = silence_seconds
        self._heard: Hear = lambda heard: None
        self._stop = threading.Event()
        self._source: Source | None = None
        self._is_open = False
        self._words: str | None = None

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def trouble(self) -> str | None:
        return self._words

    def listen(self, heard: Hear) -> None:
        self._heard = heard
        threading.Thread(target=self._run, name="gitchat-doorbell", daemon=True).start()

    def attend(self, rooms: Mapping[Uid, RoomName]) -> None:
        """The hub tells of all of its rooms."""

    def knock(self, knock: Knock) -> None:
        """The hub has seen it."""

    def beat(self, beat: Beat, room: RoomName) -> None:
        """Nobody is told: a hub knows refs and not who lives where."""

    def close(self, limit_seconds: float = 0.0) -> None:
        self._stop.set()
        source = self._source
        if source is not None:
            source.close()

    # --- in its thread --------------------------------------------------------------

    def _run(self) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            was_open = False
            try:
                self._source = self._open_source()
                was_open = self._hear_out(self._source)
                self._words = "the line has ended"
            except NoDoorbell as error:
                self._words, pause_seconds = _words(error), NONE_SECONDS
                self._note(False)
            except OSError as error:
                self._words = _words(error)
            finally:
                was_open, self._is_open = was_open or self._is_open, False
                if self._source is not None:
                    self._source.close()
            if was_open:
                pause_seconds = FIRST_PAUSE_SECONDS
            self._stop.wait(pause_seconds * (1 + self._random()))
            if pause_seconds != NONE_SECONDS:
                pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _hear_out(self, source: Source) -> bool:
        """Hear what comes until the line ends; whether the hub greeted us. Raises OSError, NoDoorbell."""
        lines, recent = Lines(), deque[float](maxlen=MOST_A_SECOND)
        while part := source.read(self._silence_seconds if self._is_open else GREETING_SECONDS):
            for line in lines.add(part):
                now = time.monotonic()
                if len(recent) == MOST_A_SECOND and now - recent[0] < 1.0:
                    raise OSError("too much is said there")
                recent.append(now)
                self._hear(line)
        if not self._is_open:
            raise NoDoorbell("it does not know one")
        return True

    def _hear(self, line: str) -> None:
        if line == GREETING and not self._is_open:
            self._is_open, self._words = True, None
            self._note(True)
            self._tell(Opened())
        tip = tip_of(line) if self._is_open else None
        if tip is not None:
            self._tell(Moved(tip))

    def _tell(self, heard: Heard) -> None:
        with suppress(Exception):  # what one hears must not end the line
            self._heard(heard)


def _words(error: Exception) -> str:
    return escape_line(str(error) or type(error).__name__)[:200]
