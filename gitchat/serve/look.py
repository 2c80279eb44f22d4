"""What came to a repository since the last look, with whom it reaches. For the worker thread of one hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Name, Oid, RoomName, Uid
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref, room_of_log
from gitchat.serve.handing import Reached, Record
from gitchat.verbs.waiting import Arrivals
from gitchat.workspace.environment import Environment

Tips = tuple[Oid, Oid | None]
"""The newest commit of a log here, and of what its remote was last known to have."""

Encode = Callable[[Entry, Mapping[Uid, str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A record that came."""

    record: Record
    reached: Reached


class Look:
    """Looks at the rooms whose log moved, and at no other."""

    def __init__(self, environment: Environment, encode: Encode) -> None:
        self._environment = environment
        self._encode = encode
        self._tips: dict[RoomName, Tips] = {}
        self._arrivals: dict[RoomName, Arrivals] = {}
        self._count = 0
        self._is_first = True

    @property
    def newest(self) -> int:
        """The arrival number of the newest record that was seen."""
        return self._count

    def after(self, arrival: str) -> list[Fresh] | None:
        """What arrived after ``arrival``; None when that is not known any more."""
        return [] if arrival == self.arrival else None

    @property
    def arrival(self) -> str:
        """The newest record's, as text."""
        return f"e0-{self._count}"

    def fresh(self) -> tuple[list[Fresh], list[RoomName]]:
        """The records that came since the last look, in the order of their arrival, and the rooms that changed.

        The first look takes all that is there for seen. Never fails: what is damaged hides nothing else.
        """
        found: list[Fresh] = []
        changed: list[RoomName] = []
        with suppress(ChatError):
            for room, tips in self._now().items():
                if self._tips.get(room) != tips:
                    self._tips[room] = tips
                    changed.append(room)
                    with suppress(FormatError):
                        found += self._fresh_in(room)
        self._is_first = False
        return found, changed

    def _now(self) -> dict[RoomName, Tips]:
        """Where each room stands here, and at the remote that gives its numbers."""
        store, authorities = self._environment.store, self._environment.authorities
        followed = authorities.all()

        def at_remote(room: RoomName) -> Oid | None:
            tracking = authorities.tracking(log_ref(room), room) if room in followed else None
            return store.tip(tracking) if tracking is not None else None

        rooms = ((room_of_log(ref), oid) for ref, oid in store.log_tips())
        return {room: (oid, at_remote(room)) for room, oid in rooms if room is not None}

    def _fresh_in(self, room: RoomName) -> list[Fresh]:
        log = self._environment.log(room)
        if room not in self._arrivals:
            self._arrivals[room] = Arrivals(log, None if self._is_first else 0)
        entries = self._arrivals[room].fresh(log)
        labels = log.labels(entries)
        return [self._one(entry, labels) for entry in entries]

    def _one(self, entry: Entry, labels: Mapping[Uid, str]) -> Fresh:
        self._count += 1
        record = Record(self._count, f"e0-{self._count}", entry.room, entry, labels, self._encode)
        return Fresh(record, Reached(entry, self._roles(entry), self._environment.clone.known()))

    def _roles(self, entry: Entry) -> dict[str, list[Name]]:
        """Who has each role that a record is addressed to: asked only where there is one."""
        wanted = [to for to in entry.record.to if to.startswith("role:")]
        known = self._environment.roll.known(entry.room) if wanted else []
        return {to: [one.name for one in known if to == f"role:{one.role}"] for to in wanted}
