"""What came since a number, as agents-mcp-server tells it: all of it, or what is for one agent. Marks nothing.

The numbers are those in which this clone learned of records (:mod:`gitchat.index.arrivals`). An index that is built
anew numbers anew, and a client gives back a number alone; so what tells one index from another is a part of it, and who
comes with a number of another index begins at the first record again: a message twice rather than never.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import EVERYBODY, SYSTEM, Name, RoomName
from gitchat.model.record import MESSAGE, Entry
from gitchat.workspace.environment import Environment

Json = dict[str, Any]

MAX_LIMIT = 1000

_BESIDE = 50
"""How many records beyond those that were asked for are looked at, since some of them are not told."""

_NUMBER_BITS = 32
_INDEX_DIGITS = 4
"""So much of an index's word, in hexadecimal, that an id stays one that every JSON reader keeps exactly."""


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came."""

    id: int
    kind: str
    """``DM``, ``BROADCAST`` or ``CHANNEL``."""
    entry: Entry
    to_agent: str | None
    channel: str | None
    """Of a broadcast the group, of a post the channel."""

    def form(self, spelled: Callable[[str], str]) -> Json:
        """All that is told of it but the host; ``spelled`` gives a name as its agent spells it."""
        record = self.entry.record
        return {
            "id": self.id,
            "timestamp": record.written.utc,
            "type": self.kind,
            "from_agent": spelled(record.author),
            "to_agent": self.to_agent and ",".join(map(spelled, self.to_agent.split(","))),
            "channel": self.channel,
            "content": record.body,
        }

    def short_form(self, spelled: Callable[[str], str]) -> Json:
        """What is told of it to whom it is for."""
        record = self.entry.record
        return {"id": self.id, "type": self.kind, "from": spelled(record.author), "content": record.body}


def since(
    environment: Environment, since_id: int, limit: int, is_wanted: Callable[[Came], bool]
) -> tuple[list[Came], int]:
    """The oldest ``limit`` messages that are wanted and came after ``since_id``, and the id to go on after."""
    if since_id < 0 or not 1 <= limit <= MAX_LIMIT:
        raise UserError(
            f"since_id must be >= 0, and limit between 1 and {MAX_LIMIT}", hint="0 is before all", code="bad-argument"
        )
    default = environment.room_name(None)
    found: list[Came] = []
    here = environment.arrived(limit=0).epoch
    after = _number(since_id, here)
    while True:
        page = environment.arrived(after, here, limit + _BESIDE, rooms=environment.store.rooms())
        if page.epoch != here:  # built anew meanwhile
            return since(environment, 0, limit, is_wanted)
        for one in page.records:
            with suppress(FormatError):  # a damaged record hides no other
                entry = environment.log(one.room).entry_at(*one.place)
                came = _came(_id(one.number, here), one.room, entry, default)
                if came is not None and is_wanted(came):
                    found.append(came)
                    if len(found) == limit:
                        return found, came.id
        after = page.upto
        if after >= page.newest or not page.records:
            return found, _id(after, here)


def latest(environment: Environment) -> int:
    """The id after which what comes from now on comes."""
    page = environment.arrived(limit=0, rooms=environment.store.rooms())
    return _id(page.newest, page.epoch)


def _came(number: int, room: RoomName, entry: Entry, default: RoomName) -> Came | None:
    """A record as a message; None for what nobody said."""
    record = entry.record
    if record.kind != MESSAGE or (record.author == SYSTEM and record.type == "presence"):
        return None
    names = [one for one in record.to if not one.startswith("role:")]
    groups = [one.removeprefix("role:") for one in record.to if one.startswith("role:")]
    if names:
        return Came(number, "DM", entry, ",".join(names), None)
    if room == default or groups:
        return Came(number, "BROADCAST", entry, None, ",".join(groups) or EVERYBODY)
    return Came(number, "CHANNEL", entry, None, room)


def is_for(name: Name, group: str) -> Callable[[Came], bool]:
    """Whether a message is a direct one to ``name``, or a broadcast to its group or to everybody, by somebody else."""

    def wanted(came: Came) -> bool:
        record = came.entry.record
        is_broadcast = came.kind == "BROADCAST" and (not record.to or f"role:{group}" in record.to)
        return record.author != name and (name in record.to or is_broadcast)

    return wanted


def _id(number: int, index: str) -> int:
    return (int(index[:_INDEX_DIGITS], 16) << _NUMBER_BITS) | number


def _number(given: int, index: str) -> int:
    """The number in ``given``, where that is of this index; else 0."""
    number = given & ((1 << _NUMBER_BITS) - 1)
    return number if _id(number, index) == given else 0
