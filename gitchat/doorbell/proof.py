"""Whether a doorbell is heard: for who asks what is wrong, and may wait for the answer."""

from __future__ import annotations

import threading
import time

from gitchat.doorbell.doorbell import Doorbell, Heard, Opened
from gitchat.doorbell.knock import Knock
from gitchat.model.names import Oid, RoomName, Uid

LIMIT_SECONDS = 5.0
"""How long is waited for a line, and then for a knock on it."""

_TIP = Oid("0" * 40)


class Listener:
    """What listens at ``doorbell`` as long as a ``with`` takes, and is waited for."""

    def __init__(self, doorbell: Doorbell, limit_seconds: float = LIMIT_SECONDS) -> None:
        self.doorbell = doorbell
        self._end = time.monotonic() + limit_seconds
        self._opened = threading.Event()
        self._knocked = threading.Event()

    def __enter__(self) -> Listener:
        self.doorbell.listen(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self.doorbell.close()

    def _hear(self, heard: Heard) -> None:
        (self._opened if isinstance(heard, Opened) else self._knocked).set()

    def is_open(self) -> bool:
        """Whether there is a line, at the latest when the time is up or it is known that there is none."""
        return self._waits_for(self._opened) and self.doorbell.is_open

    def is_knocked(self) -> bool:
        """Whether somebody knocked, likewise."""
        return self._waits_for(self._knocked)

    def _waits_for(self, event: threading.Event) -> bool:
        while not event.wait(0.02):
            if self.doorbell.trouble is not None or time.monotonic() > self._end:
                return event.is_set()
        return True


def round_trip_ms(listening: Doorbell, knocking: Doorbell, uid: Uid) -> float | None:
    """How many milliseconds a knock takes from one connection to another in a room ``uid`` that nobody has.

    None where it is not heard; why, the ``trouble`` of the two may say.
    """
    listening.attend({uid: RoomName("lobby")})
    with Listener(listening) as there, Listener(knocking) as here:
        if not there.is_open() or not here.is_open():
            return None
        begin = time.monotonic()
        knocking.knock(Knock(uid, _TIP))
        return (time.monotonic() - begin) * 1000 if there.is_knocked() else None
