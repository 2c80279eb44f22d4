"""Where a participant stands: which room it is, and as whom one acts in it. Every verb begins here.

A verb is a function whose first argument is a standpoint. :class:`gitchat.verbs.room.Room` is one, and has the
verbs as its methods, so that their docstrings are what ``help(Room)`` shows: "I" and "me" in them are the
participant, and the names of methods are Room's.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, visible_to, with_oid, without
from gitchat.index.places import Place
from gitchat.model.names import Name, RoomName, is_slug
from gitchat.model.record import Entry, Identity
from gitchat.rooms.log import Log
from gitchat.rooms.writing import Writer
from gitchat.workspace.environment import Environment
from gitchat.workspace.seating import Seating


class Standpoint:
    """One room, for the participant ``me``. Neither has to exist yet."""

    def __init__(self, environment: Environment, room: str | None = None, name: str | None = None) -> None:
        """``room`` and ``name`` as Room.open takes them. Raises what Environment raises for them."""
        self.environment = environment
        self.name: RoomName = environment.room_name(room)
        self.records: Log = environment.log(self.name)
        self._given_name = name
        self._me: Name | None = None

    @property
    def me(self) -> Name:
        """The name that this Room acts under. Raises UserError ``no-name``, ``bad-name``."""
        if self._me is None:
            self._me = self.environment.caller.name(self._given_name)
        return self._me

    @property
    def writer(self) -> Writer:
        """What adds to the room's log."""
        return self.environment.writer(self.name)

    @property
    def seating(self) -> Seating:
        """By whose position is read here, and whose records are whose."""
        return Seating(self.environment)

    @property
    def identity(self) -> Identity:
        """Who writes here."""
        return self.environment.caller.identity(self.me)


def touch(room: Standpoint) -> None:
    """Note that ``me`` did something."""
    room.environment.roll.touch(room.me, room.name, room.environment.now().seconds)


def entries_at(room: Standpoint, places: Sequence[Place], chain: Chain | None = None) -> list[Entry]:
    """The records of these places of ``chain``, by default as it is now. Raises FormatError."""
    return room.records.entries_at(places, chain)


# --- what reaches whom ---------------------------------------------------------


def visible(room: Standpoint, *, with_own: bool = True, chain: Chain | None = None) -> Condition:
    """The records that reach me: to all, to my name, to a role that I have here now.

    ``chain`` is where they are looked for, when that was opened already.
    """
    reaching = reaches(room, room.me)
    if with_own:
        return reaching
    own, spoken = room.seating.own_and_spoken(room.name, room.me, chain or room.records.chain())
    return without(reaching, own, spoken)


def reaches(room: Standpoint, name: Name, *, with_own: bool = True) -> Condition:
    """As :meth:`visible` for anybody's name. Where it sits nobody else can tell, so its own is what its name wrote."""
    presence = room.environment.roll.find(name)
    participant = presence.participant(room.name) if presence else None
    roles = [f"role:{participant.role}"] if participant and participant.role and is_slug(participant.role) else []
    return visible_to([name, *roles], None if with_own else name)


def is_for_me(room: Standpoint, entry: Entry) -> bool:
    """Whether an entry is one of :meth:`visible` without my own: the same rule, for one that is at hand."""
    chain = room.records.chain()
    condition = Condition.all_of([visible(room, with_own=False, chain=chain), with_oid(entry.oid)])
    return bool(chain.select(condition, limit=1))
