"""What a bell rings for, and what it says: counts and, where they are known, names; never a word of a message.

What somebody may be woken for (:func:`gitchat.staying.wake.waking`) rings if it names the seat, by its name or its
role, in any room of the clone, joined or not. What names nobody rings where ``chat.bell`` is ``all``, and only in the
rooms that the seat is in. Names are text that strangers choose, and a model reads them: they are told once this
clone has known them for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, authored_by, of_type
from gitchat.model import offered
from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Name, Oid, RoomName, is_slug
from gitchat.staying.newness import ANY, unreached, unseen
from gitchat.staying.rings import Sender
from gitchat.staying.told import OCCASIONS, Seen, Told
from gitchat.staying.wake import waking
from gitchat.verbs.room import Room
from gitchat.verbs.standpoint import reaches, visible
from gitchat.workspace.environment import Environment

BELLS = ("named", "all", "off")
"""What ``chat.bell`` may be: what rings."""

KNOWN_SECONDS = 86_400
"""How long a clone must have known a name before it is told."""

MAX_NAME_CHARS = 24
"""A longer name is not told: it could hold a sentence."""

MAX_NAMES = 3

SOMEONE = "someone new"

_LOOKED_AT = 50
"""How much of what is new is looked at for who wrote it."""

_NAMED = Condition("recipients != ''")
"""Of what reaches somebody, what names it."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What of one room a seat would be rung for: something in it is new."""

    room: RoomName
    count: int
    """How many messages are unread that would ring, new or not."""
    questions: int
    urgent: int
    fresh: int
    """How many of them nothing has told or rung for yet; of many the first are looked at."""
    senders: tuple[Sender, ...]
    """Who wrote these."""
    strangers: frozenset[str]
    """The names among them that are not to be told."""
    upto: int
    """The newest number of the room."""
    told: Seen
    """How far it was told when this was looked at."""
    tips: tuple[Oid, ...]
    """The commits that reach all of it."""


def look(environment: Environment, name: Name, told: Told) -> list[Fresh]:
    """What the seat ``name`` would be rung for, of each room in which something is new. Marks nothing.

    A damaged room hides no other. Raises UserError ``bad-config``, and what the store raises.
    """
    bell = environment.repository.config.get_choice("chat.bell", BELLS)
    presence = environment.roll.find(name)
    joined = {room for room, at in presence.rooms.items() if at.left_at is None} if presence is not None else set()
    found = []
    for room_name in environment.store.rooms() if bell != "off" else ():
        is_in = room_name in joined or room_name == environment.room_name(None)
        ringing = waking() if bell == "all" and is_in else Condition.all_of([waking(), _NAMED])
        with suppress(FormatError):
            if fresh := _look(Room(environment, room_name, name), told, ringing):
                found.append(fresh)
    return found


def elsewhere(environment: Environment, name: Name, here: RoomName) -> Iterator[tuple[RoomName, int]]:
    """In which other rooms than ``here``, which is read, something unread names ``name``, and how much.

    A notice counts all rooms, and a reading shows one. A damaged room hides no other.
    """
    for room_name in environment.store.rooms():
        with suppress(ChatError):
            room = Room(environment, room_name, name)
            named = Condition.all_of([waking(), _NAMED])
            # Before anything else, as in _look.
            if room_name == here or not room.records.chain().select(
                Condition.all_of([named, reaches(room, name)]), limit=1
            ):
                continue
            reading = room.unread(1, matching=named)
            if reading.entries:
                yield room_name, len(reading.entries) + reading.left


def _look(room: Room, told: Told, ringing: Condition) -> Fresh | None:
    """What is new in a room; None when nothing is."""
    chain = room.records.chain()
    # Before anything else: to look at what is unread is to sit down, which nobody does in a room that is not for it.
    if not chain.select(Condition.all_of([ringing, reaches(room, room.me)]), limit=1):
        return None
    seen, store = told.seen(OCCASIONS[0], room.name), room.environment.store
    is_new = Condition.all_of([ringing, unseen(store, chain, seen), unreached(store, chain, told.rung(room.name))])
    new = room.unread(_LOOKED_AT, matching=is_new)
    if not new.entries:
        return None
    all_of_it = Condition.all_of([ringing, visible(room, with_own=False, chain=chain)])
    counts = [new.backlog.count_of(Condition.all_of([all_of_it, one])) for one in (ANY, of_type("question"), _URGENT)]
    senders = {
        entry.record.author: Sender(entry.record.author, entry.record.origin == "human" and bool(entry.record.to))
        for entry in sorted(new.entries, key=lambda one: one.record.origin == "human")
    }
    return Fresh(
        room=room.name,
        count=counts[0],
        questions=counts[1],
        urgent=counts[2],
        fresh=len(new.entries) + new.left,
        senders=tuple(senders[name] for name in sorted(senders)),
        strangers=frozenset(name for name in senders if not _is_known(room, chain, name)),
        upto=chain.count,
        told=seen,
        tips=tuple(chain.tips),
    )


_URGENT = Condition("urgent = 1")


# --- names ---------------------------------------------------------------------


def _is_known(room: Room, chain: Chain, name: str) -> bool:
    """Whether this clone has known ``name`` for a day: it was taken here, or wrote what was there before.

    The date of a record is what its writer says, so it counts only behind one that was read here, or rung for.
    """
    if not is_slug(name) or len(name) > MAX_NAME_CHARS:
        return False
    now = room.environment.now().seconds
    presence = room.environment.roll.find(Name(name))
    since = [at.joined_at for at in presence.rooms.values()] if presence is not None else []
    if presence is not None and presence.held_at:
        since.append(presence.held_at)
    if any(0 < at <= now - KNOWN_SECONDS for at in since):
        return True
    last_read = room.cursor()
    old = [
        authored_by(name),
        Condition("committed <= ?", (now - KNOWN_SECONDS,)),
        Condition("number <= ?", (last_read,)),
    ]
    return bool(chain.select(Condition.all_of(old), limit=1))


# --- words ---------------------------------------------------------------------


def sentence(found: Iterable[Fresh], *, tells_names: bool) -> str:
    """What a model is told, on one line: a fact, and which tool shows more.

    Without names where a client says it in its user's voice: then nothing of it is a stranger's choice.
    """
    rooms = list(found)
    count, questions, urgent = (sum(getattr(one, word) for one in rooms) for word in ("count", "questions", "urgent"))
    details = [f"{questions} question{'' if questions == 1 else 's'}"] if questions else []
    details += [f"{urgent} urgent"] if urgent else []
    what = f" ({', '.join(details)})" if details else ""
    senders = _from(rooms) if tells_names else ""
    return f"gitchat: {count} unread for you{senders}{what}. Read them with {offered.CHECK_IN}."


def _from(rooms: Sequence[Fresh]) -> str:
    strangers = {name for one in rooms for name in one.strangers}
    names = {sender.name for one in rooms for sender in one.senders}
    known = sorted(names - strangers)
    shown = known[:MAX_NAMES] + ([f"{len(known) - MAX_NAMES} more"] if len(known) > MAX_NAMES else [])
    return f", from {', '.join([*shown, *([SOMEONE] if names & strangers else [])])}"
