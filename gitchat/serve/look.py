"""What came to a repository since the last look, with whom it reaches. For the worker thread of one hub.

The index has the order in which this clone learned of records. So a look brings the rooms whose log moved up to date
there, and asks once for what arrived after the last record that was handed over, whoever brought it in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.index.arrivals import Arrival
from gitchat.model.errors import ChatError, ConflictError, FormatError
from gitchat.model.names import Name, Oid, RoomName, Uid
from gitchat.model.record import UNLISTED_KINDS, Entry
from gitchat.model.refs import log_ref, room_of_log
from gitchat.serve.handing import Reached, Record
from gitchat.workspace.environment import Environment

MISSED = 1000
"""How many records somebody who comes back is told one by one; after more than these it reads anew."""

Tips = tuple[Oid, Oid | None]
"""The newest commit of a log here, and of what its remote was last known to have."""

Encode = Callable[[Entry, Mapping[Uid, str]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A record that came."""

    record: Record
    reached: Reached


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has found."""

    fresh: list[Fresh]
    """The records that came, in the order of their arrival."""
    changed: list[RoomName]
    """The rooms that moved."""
    totals: Mapping[RoomName, int]
    """How many records each room has, with the pending ones."""
    is_anew: bool
    """Whether the order is another one than before, so that nobody can tell what came meanwhile."""


class Look:
    """Looks at the rooms whose log moved, and at no other."""

    def __init__(self, environment: Environment, encode: Encode) -> None:
        self._environment = environment
        self._encode = encode
        self._tips: dict[RoomName, Tips] = {}
        self._epoch: str | None = None
        self._totals: dict[RoomName, int] = {}
        self.is_behind = False
        """Whether a long log is still being taken in by another process, so that nobody can tell yet what came."""
        self.newest = 0
        """The arrival number up to which everything was handed over."""

    @property
    def arrival(self) -> str:
        """The same with the epoch of the order, as text."""
        return f"{self._epoch}-{self.newest}"

    def look(self) -> Looked:
        """What came since the last look. The first one takes all that is there for seen.

        Never fails: what is damaged hides nothing else. Where it :attr:`is_behind`, look again.
        """
        changed: list[RoomName] = []
        fresh: list[Fresh] = []
        is_anew = False
        before, was_behind = dict(self._tips), self.is_behind
        try:
            now = self._now()
            for room in self._totals.keys() - now.keys():
                del self._totals[room]
            for room, tips in now.items():
                if self._tips.get(room) != tips:
                    self._tips[room] = tips
                    changed.append(room)
            arrived = self._environment.arrived(self.newest, self._epoch, rooms=changed)
            for room in changed:
                with suppress(FormatError):
                    self._totals[room] = self._environment.numbering(room).chain().total
            if arrived.epoch == self._epoch:
                fresh, self.newest = self._read(arrived.records), arrived.upto
            else:
                is_anew = self._epoch is not None or was_behind
                self._epoch, self.newest = arrived.epoch, arrived.newest
            self.is_behind = False
        except ConflictError:
            self._tips, self.is_behind = before, True
            return Looked([], [], dict(self._totals), False)
        except ChatError:
            pass
        return Looked(fresh, changed, dict(self._totals), is_anew)

    def after(self, arrival: str) -> list[Fresh] | None:
        """What arrived after ``arrival`` and was handed over; None where nobody knows any more, or it is too much."""
        epoch, _, number = arrival.rpartition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdecimal()) or len(number) > len(str(self.newest)):
            return None
        with suppress(ChatError):
            found = self._environment.arrived(int(number), epoch, MISSED + 1).records
            if len(found) <= MISSED:
                return self._read(one for one in found if one.number <= self.newest)
        return None

    def own_room(self) -> RoomName | None:
        """The room of who names none; None where the setting is wrong, which who asks is told."""
        with suppress(ChatError):
            return self._environment.room_name(None)
        return None

    def _now(self) -> dict[RoomName, Tips]:
        """Where each room stands here, and at the remote that gives its numbers."""
        store, authorities = self._environment.store, self._environment.authorities
        followed = authorities.all()

        def at_remote(room: RoomName) -> Oid | None:
            tracking = authorities.tracking(log_ref(room), room) if room in followed else None
            return store.tip(tracking) if tracking is not None else None

        rooms = ((room_of_log(ref), oid) for ref, oid in store.log_tips())
        return {room: (oid, at_remote(room)) for room, oid in rooms if room is not None}

    def _read(self, arrivals: Iterable[Arrival]) -> list[Fresh]:
        found = []
        for one in arrivals:
            with suppress(FormatError):
                log = self._environment.log(one.room)
                entry = log.entry_at(*one.place)
                if entry.record.kind not in UNLISTED_KINDS:
                    arrival = f"{self._epoch}-{one.number}"
                    record = Record(one.number, arrival, one.room, entry, log.labels([entry]), self._encode)
                    found.append(Fresh(record, self._reached(entry)))
        return found

    def _reached(self, entry: Entry) -> Reached:
        """Whom a record reaches; who has a role is asked only where it is addressed to one."""
        wanted = [to for to in entry.record.to if to.startswith("role:")]
        known = self._environment.roll.known(entry.room) if wanted else []
        roles: dict[str, list[Name]] = {to: [one.name for one in known if to == f"role:{one.role}"] for to in wanted}
        return Reached(entry, roles, self._environment.clone.known())
