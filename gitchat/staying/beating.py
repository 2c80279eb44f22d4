"""Saying who lives in this clone to the others, and keeping what they say: by who listens at the doorbell.

Source: docs/format.md section 15.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.doorbell.beats import BEAT_SECONDS, Alive, Beat, Beats, beat_of
from gitchat.doorbell.elsewhere import ElsewhereFile
from gitchat.model.errors import ChatError
from gitchat.model.names import CloneId, RoomName, Uid
from gitchat.presence.roll import Roll

if TYPE_CHECKING:
    from gitchat.doorbell.doorbell import Doorbell
    from gitchat.workspace.environment import Environment

FRESH_SECONDS = 5.0
"""How old what is kept of the others may become while it stays the same."""

LAST_SECONDS = 0.3
"""How long it may take at the end to say that nobody lives here any more; else the others find out."""


class Beating:
    """Who lives here, said every ten seconds by a thread of its own, and who lives elsewhere. Nothing raises."""

    def __init__(self, environment: Environment, remote: str, doorbell: Doorbell) -> None:
        """For a doorbell that carries it; :meth:`begin` begins."""
        self._environment = environment
        self._doorbell = doorbell
        self._roll = Roll(environment.repository.directory)  # of files alone, so it is for any thread
        self._file = ElsewhereFile(environment.repository.directory, remote)
        self._rooms: Mapping[Uid, RoomName] = {}
        self._said: set[Uid] = set()
        self._awake = threading.Event()
        self._is_over = False
        self._turn = threading.Lock()
        self._saved = -FRESH_SECONDS
        self._clone: CloneId | None = None
        with suppress(ChatError):  # a read-only place; nobody has a name to live under there, either
            self._clone = environment.clone.id()
        self._beats = Beats(self._clone)

    def begin(self) -> None:
        """Say it from now on. Once."""
        threading.Thread(target=self._run, name="gitchat-beats", daemon=True).start()

    def attend(self, rooms: Mapping[Uid, RoomName]) -> None:
        """These are the rooms, from now on."""
        self._rooms = rooms
        with self._turn:
            self._beats.attend(rooms)

    def hear(self, beat: Beat) -> None:
        """Another clone says who lives in it. For any thread."""
        with self._turn:
            now = time.monotonic()
            if self._beats.hear(beat, now) or now - self._saved >= FRESH_SECONDS:
                self._save(now)

    def hasten(self) -> None:
        """Say it now: the line is open, or who lives here is another. For any thread."""
        self._awake.set()

    def close(self) -> None:
        """End, and tell the others that nobody lives here, as far as there is time."""
        self._is_over = True
        self._awake.set()
        said, self._said = self._said, set()
        for uid in said:
            self._beat(uid, ())
        self._doorbell.close(LAST_SECONDS)
        self._file.remove()

    def _save(self, now: float) -> None:
        self._saved = now
        found = {room: self._beats.elsewhere(uid, now) for uid, room in self._rooms.items()}
        self._file.save({room: living for room, living in found.items() if living}, self._environment.now().seconds)

    def _run(self) -> None:
        while not self._is_over:
            living = self._living()
            for uid in living.keys() | self._said:
                self._beat(uid, living.get(uid, ()))
            self._said = {*living} if not self._is_over else set()
            self._awake.wait(BEAT_SECONDS)
            self._awake.clear()

    def _beat(self, uid: Uid, names: tuple[Alive, ...]) -> None:
        room = self._rooms.get(uid)
        if room is not None and self._clone is not None:
            self._doorbell.beat(beat_of(uid, self._clone, names), room)

    def _living(self) -> dict[Uid, tuple[Alive, ...]]:
        """Who lives in each of the rooms, but for those where nobody does."""
        rooms, found = dict(self._rooms), {}
        everybody = [presence for presence in self._roll.everybody() if presence.is_living] if rooms else []
        for uid, room in rooms.items():
            here = (presence.participant(room) for presence in everybody)
            living = [one for one in here if one is not None and one.is_living]
            if living:
                found[uid] = tuple(
                    Alive(one.name, one.role, one.holder.client if one.holder else None) for one in living
                )
        return found
