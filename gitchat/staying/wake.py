"""What somebody is woken for, and when: the rules of waiting and of the hooks of agents.

A record wakes who it reaches: it is for everybody, for its name, or for a role that it
has; and somebody else wrote it. A status, a claim and a release wake only whom they name, and
what nobody has to answer (an acknowledgement, somebody's leaving) wakes nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from gitchat.index.condition import LISTED, Condition, addressed_to
from gitchat.model import offered
from gitchat.model.errors import ChatError
from gitchat.model.names import Name, RoomName
from gitchat.model.record import MESSAGE
from gitchat.presence.telling import is_told
from gitchat.staying.newness import unseen
from gitchat.staying.told import NOTHING, Seen, Told
from gitchat.staying.volley import Volley, shown, volley
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.claimends import tend
from gitchat.workspace.environment import Environment

SILENT_TYPES = ("ack", "presence")
"""Types of messages that wake nobody: an acknowledgement; somebody who left. Source: docs/types.md."""

_MAX_SENDERS = 5
_LOOKED_AT = 50
"""How much of what is unread is looked at for who wrote it."""


def waking(types: Sequence[str] = ()) -> Condition:
    """What of what reaches somebody is worth waking for; with ``types`` just those, whatever they are."""
    if types:
        return Condition(f"type IN ({', '.join('?' * len(types))})", tuple(types))
    return Condition(f"type IS NULL OR type NOT IN ({', '.join('?' * len(SILENT_TYPES))})", SILENT_TYPES)


# --- news --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """That something is unread: counts and names, and never a word of what was said."""

    name: Name
    room: RoomName
    count: int
    upto: Seen
    """All that was there when this was seen."""
    before: Seen
    """What was told of the room by then."""
    senders: tuple[str, ...]
    """Who wrote the oldest of them, sorted; participants' names alone."""
    urgent: int
    volley: Volley | None

    def pause_seconds(self, now_seconds: int) -> int:
        """How long this has to wait because of a volley; 0 when it need not, and never if some of it is urgent."""
        if self.volley is None or self.urgent:
            return 0
        return max(0, self.volley.last_seconds + self.volley.pause_seconds - now_seconds)

    def __str__(self) -> str:
        messages = "1 unread message" if self.count == 1 else f"{self.count} unread messages"
        urgent = f" ({self.urgent} urgent)" if self.urgent else ""
        return f"{messages}{urgent} for {self.name} in room '{self.room}'{_from(self.senders)}"


def _from(senders: Sequence[str]) -> str:
    more = len(senders) - _MAX_SENDERS
    shown = [*senders[:_MAX_SENDERS], *([f"{more} more"] if more > 0 else [])]
    return f", from {', '.join(shown)}" if shown else ""


def news(room: Room, before: Seen = NOTHING) -> News | None:
    """What wakes ``room.me``, if some of it is beyond ``before``; marks nothing."""
    told = Condition.all_of([waking(), addressed_to(room.me)]) if isinstance(room, OnlyByName) else waking()
    is_new = Condition.all_of([told, unseen(room.environment.store, room.records.chain(), before)])
    if not room.unread(1, matching=is_new).entries:
        return None
    reading = room.unread(_LOOKED_AT, matching=told)
    return _news_of(room, reading, before)


def _news_of(room: Room, reading: Reading, before: Seen) -> News:
    chain = reading.backlog.chain
    newest = room.after(max(0, chain.count - _LOOKED_AT), Condition.all_of([LISTED, Condition("kind = ?", (MESSAGE,))]))
    return News(
        name=room.me,
        room=room.name,
        count=len(reading.entries) + reading.left,
        upto=Seen(chain.count, tuple(chain.tips)),
        before=before,
        senders=tuple(sorted({shown(entry.record.author) for entry in reading.entries})),
        urgent=sum(entry.record.urgent for entry in reading.entries),
        volley=volley(newest, room.me),
    )


def sentence(found: Sequence[News]) -> str:
    """The news as an agent is told of it, on one line: facts, for orders set off its defences."""
    slowed = [f" ({item.volley})" for item in found if item.volley]
    reading = f"the tool {offered.READ_UNREAD} of {offered.SERVER}"
    ways = [f"{reading} with room={item.room}, or: git chat read --room {item.room}" for item in found]
    how = f"To read them: {'; '.join(ways)}"
    return f"gitchat: {'; '.join(map(str, found))}{''.join(slowed[:1])}. {how}"


def you_are(name: Name) -> str:
    """What an agent is told of itself when it begins: else it takes another name, and leaves its mail behind."""
    return f"you are {name} in the chatroom of this repository, and need not give a name."


def left_to_hooks(rooms: Sequence[Room]) -> list[Room]:
    """Those in which no call of ``me`` waits, which would tell what comes, too."""
    return [room for room in rooms if not is_told(room.environment.repository.directory, room.name, room.me)]


class OnlyByName(Room):
    """A room that ``me`` is not in: it is told there of what names it, and of nothing else."""


def rooms_of(environment: Environment) -> list[Room]:
    """The rooms in which the one who acts here is told of news: the one by default, those that it is in, and those in
    which somebody ever named it.
    """
    name = environment.caller.name()
    presence = environment.roll.find(name)
    joined = {room for room, at in presence.rooms.items() if at.left_at is None} if presence else set()
    joined.add(environment.room_name(None))
    rooms: list[Room] = []
    for room in sorted(environment.store.rooms()):
        if room in joined:
            rooms.append(Room(environment, room, name))
        elif _is_named(environment, room, name):  # asked first: who looks into a room sits down there
            rooms.append(OnlyByName(environment, room, name))
    return rooms


def _is_named(environment: Environment, room: RoomName, name: Name) -> bool:
    with suppress(ChatError):  # a damaged room hides no other
        return bool(environment.log(room).chain().select(addressed_to(name), limit=1))
    return False


# --- telling -----------------------------------------------------------------

WORKING = ("told",)
"""The occasion of what is told while an agent works."""

STOPPING = ("held-up", "told")
"""Of what is told to one that is about to stop. It may have heard of it while it worked, and not have looked."""

WAKING = ("told", "held-up")
"""Of what wakes one that stopped: it is not held up for the same when it stops again."""


def fresh(rooms: Iterable[Room], told: Told, occasions: Sequence[str]) -> list[News]:
    """What is new since something was told on this occasion."""
    return [item for room in rooms if (item := news(room, told.seen(occasions[0], room.name)))]


def whatever(rooms: Iterable[Room], told: Told, occasions: Sequence[str]) -> list[News]:
    """What is news, told on this occasion or not."""
    items = [item for room in rooms if (item := news(room))]
    return [replace(item, before=told.seen(occasions[0], item.room)) for item in items]


def claim(found: Iterable[News], told: Told, occasions: Sequence[str]) -> list[News]:
    """Those that no other process tells; from now on they count as told."""
    return [item for item in found if told.claim(occasions, item.room, item.upto, unless=item.before)]


def wait_for_news(
    rooms: Callable[[], list[Room]],
    told: Told,
    environment: Environment,
    timeout_seconds: float,
    is_over: Callable[[], bool],
) -> list[News]:
    """Sleep until there is news that was not told, and return it; nothing when the time is up, or ``is_over``.

    Of several that wait for one name the last one gets it, and the others end. Nobody takes it who cannot tell it:
    whether it is over is asked before each claim.
    """
    end = environment.now().seconds + timeout_seconds
    token = environment.new_uid()
    told.begin_waiting(token)
    with environment.changes() as changes:
        while told.is_waiting(token):
            now = environment.now().seconds
            tend(environment)
            found = fresh(left_to_hooks(rooms()), told, WAKING)
            if is_over():
                return []
            ripe = claim([item for item in found if not item.pause_seconds(now)], told, WAKING)
            if ripe or now >= end:
                return ripe
            pauses = [item.pause_seconds(now) for item in found]
            changes.wait(min([LOOK_SECONDS, end - now, *filter(None, pauses)]))
    return []


LOOK_SECONDS = 15.0
"""How long one that waits does not notice that another waits in its place."""


# --- living while one waits ----------------------------------------------------


@contextmanager
def living(room: Room) -> Iterator[bool]:
    """Live under ``room.me`` in the meantime, unless somebody else does; whether we do.

    Who was registered keeps its role and stays registered. Never fails: who cannot live here can wait here.
    """
    environment = room.environment
    if room.me in environment.roll.held_here():
        yield True
        return
    known = environment.roll.find(room.me)
    before = known.participant(room.name) if known else None
    role, capabilities = (before.role, before.capabilities) if before and before.is_present else ("general", ())
    try:
        held = environment.hold(room.me)
    except ChatError:
        yield False
        return
    try:
        held.join(room.name, role=role, capabilities=capabilities, now=environment.now().seconds)
        yield True
    finally:
        held.release()
