"""What a stream begins with: the records that its reader missed. For the worker thread of one hub.

The subscription begins before anything is read, so a record can come both ways: it is in the log that is read, and is
handed over. The arrival number that was the newest before the reading tells them apart; what arrived while it was read
is told by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitchat.index.condition import Condition, addressed_to
from gitchat.model.names import Name, RoomName, Uid
from gitchat.model.record import Entry
from gitchat.serve.actor import Actor
from gitchat.serve.entering import enter_to_act
from gitchat.serve.frontier import key_of
from gitchat.serve.handing import Reader, Record
from gitchat.serve.hub import Hub
from gitchat.staying.newness import after
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment

PAGE = 100
"""Records that are read at a time."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where the stream of one name begins."""

    reader: Reader
    room: RoomName
    """The room that it is about; numbers without a room are of this one."""
    others: tuple[RoomName, ...]
    """Other rooms, in which something for it may stand."""


Read = Callable[[Hub, "Start", RoomName, int, Environment], "Page"]
"""Reads a page: of a room, behind a place."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the records that were missed in a room."""

    entries: list[Entry]
    labels: Mapping[Uid, str]
    place: int
    """The place of the last one: the next page is behind it."""
    is_last: bool
    newest: int
    """The arrival number up to which all that was there is read, with this page if it is the last."""


class Caught:
    """What of a room was read when a stream began, so that it is not told again when it is handed over."""

    def __init__(self, page: Page) -> None:
        self._newest = page.newest
        self._keys = {key_of(entry) for entry in page.entries}

    def has(self, record: Record) -> bool:
        """Whether ``record`` was among it."""
        return record.number <= self._newest or key_of(record.entry) in self._keys


def start(environment: Environment, actor: Actor, given: str | None, name: Name) -> Start:
    """Begin to stream what is for ``name``, in the room ``given`` and all that it joined.

    Raises:
        UserError: ``no-such-room``, ``name-held`` while somebody else lives under the name.
    """
    room = enter_to_act(environment, actor, given, name).name
    presence = environment.roll.find(name)
    joined = [one for one, at in presence.rooms.items() if at.left_at is None] if presence is not None else []
    rooms = frozenset([room, *filter(actor.sees, joined)])
    others = tuple(one for one in environment.store.rooms() if one != room and actor.sees(one))
    return Start(Reader(name, rooms, is_found=True, within=actor.rooms), room, others)


def unread(hub: Hub, start: Start, room: RoomName, place: int, environment: Environment) -> Page:
    """What is unread in ``room`` behind ``place``, and was not just had: of a room that it did not join what names it.

    Raises FormatError.
    """
    newest = hub.newest
    chat = Room(environment, room, start.reader.name)
    is_joined = start.reader.rooms is None or room in start.reader.rooms
    condition = after(place) if is_joined else Condition.all_of([after(place), addressed_to(chat.me)])
    reading = chat.unread(PAGE, matching=condition)
    entries = hub.positions.fresh(chat, reading.entries)
    last = reading.places[-1].number if reading.places else place
    return Page(entries, reading.labels, last, reading.left == 0, newest)


def since(hub: Hub, start: Start, room: RoomName, place: int, environment: Environment) -> Page:
    """What reached the name behind ``place``, read or not. Raises FormatError."""
    newest = hub.newest
    chat = Room(environment, room, start.reader.name)
    chain = chat.records.chain()
    places = chain.select(chat.visible(with_own=False, chain=chain), after=min(place, chain.total), limit=PAGE)
    entries = chat.records.entries_at(places)
    last = places[-1].number if places else place
    return Page(entries, chat.labels(entries), last, len(places) < PAGE, newest)
