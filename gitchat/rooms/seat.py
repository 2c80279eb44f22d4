"""The position of a seat: how far one session of an agent has read a room, in one clone.

A cursor tells what anybody has read under a name, in any clone. Two agents of one name in two
clones would take each other's messages by it, so each of them, while it sits, reads by a ref of
its own, which nothing that is fetched moves and which is never pushed. Its reading moves the
cursor too, from which the next session of that name begins.

What the log had when the seat was taken was said before: if this name said it, in whatever
clone, it is the seat's own. Source: docs/format.md section 10.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitchat.index.chain import Chain
from gitchat.model import codec, reach
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import SAT_PREFIX, SEATS_PREFIX, sat_ref, seat_ref
from gitchat.rooms.cursor import Backlog, Cursor
from gitchat.storage.store import Store


class Seat(Cursor):
    """The position of the seat ``name`` in one room of one clone. It need not be taken."""

    def __init__(self, store: Store, room: RoomName, name: Name) -> None:
        super().__init__(store, room, name, seat_ref(room, name))
        self._room = room
        self._common = Cursor(store, room, name)

    @property
    def is_taken(self) -> bool:
        """Whether somebody sits here. Raises FormatError."""
        return super().value is not None

    @property
    def value(self) -> Oid | None:
        """As Cursor.value; None also for a seat that has read nothing, whose ref is at the room's root."""
        value = super().value
        return None if value is not None and self._store.kind_of(value) == "genesis" else value

    @property
    def taken_at(self) -> Oid | None:
        """The log as it was when the seat was taken; None for a seat that is not. Raises FormatError."""
        return self._store.tip(sat_ref(self._room, self._name))

    def take(self, begin: Sequence[Oid], said: Sequence[Oid], reader: Identity, now: Moment) -> None:
        """Take the seat: what ``begin`` reaches is read, and all that ``said`` reaches was said before.

        ``said`` are the tips of what is seen here: the log, and that of its authority where both have gone on.

        Raises:
            ConflictError, StorageError: as Store.move.
            FormatError: one of the commits is damaged or missing.
        """
        root = self._store.write_commit(codec.encode_genesis(self._room, self._store.empty_tree()))
        tips = dict.fromkeys(said)
        heads = [tip for tip in tips if not any(tip != other and self._reaches(other, tip) for other in tips)]
        before = self._reaching(heads or [root], reader, now)
        value = self._reaching(begin or [root], reader, now)
        # The seat last: it is taken when its position stands.
        self._store.point(sat_ref(self._room, self._name), before, f"gitchat: {self._name} takes a seat")
        self._store.point(self._ref, value, f"gitchat: {self._name} takes a seat")

    def begin(self) -> None:
        """Begin where the name has read, for a seat that has read nothing itself. Raises as Store.move."""
        common = self._common.value
        if common is not None and self.value is None:
            self._store.point(self._ref, common, f"gitchat: {self._name} begins where it has read")

    def advance(self, chain: Chain, number: int, reader: Identity, now: Moment) -> Backlog:
        """As Cursor.advance, and what anybody has read under this name goes along."""
        left = super().advance(chain, number, reader, now)
        self._common.advance(chain, number, reader, now)
        return left

    def _reaches(self, tip: Oid, ancestor: Oid) -> bool:
        return reach.is_ancestor(ancestor, tip, self._store.step)

    def _reaching(self, begin: Sequence[Oid], reader: Identity, now: Moment) -> Oid:
        """A commit that reaches what these do."""
        if len(begin) == 1:
            return begin[0]
        return self._write(tuple(begin), f"{self._name} takes a seat", 0, reader, now)


def give_back(store: Store, name: Name, room: RoomName | None = None) -> None:
    """End the seat ``name``, in one room or in all. Raises as Store.remove."""
    for prefix in (SEATS_PREFIX, SAT_PREFIX):
        for ref, oid in store.backend.list_refs(prefix):
            of_room, _, of_name = ref.removeprefix(prefix).partition("/")
            if of_name == name and room in (None, of_room):
                store.remove(ref, oid, f"gitchat: {name} gives its seat back")


def seated(store: Store) -> Iterator[tuple[RoomName, Name]]:
    """The seats that are taken in this clone: room and name."""
    for ref, _ in store.backend.list_refs(SEATS_PREFIX):
        room, _, name = ref.removeprefix(SEATS_PREFIX).partition("/")
        yield RoomName(room), Name(name)
