"""The clone that we are in, as others can tell it from theirs: its id, and what is done when it is another than it was.

A copy of a clone (``cp -r``, an archive unpacked elsewhere) is another clone: it gets an id of its own, and nobody
sits or stays in it. A machine image and a backup that is played back have the path and the inode of what they were
made from; that two of them speak shows when a record comes in that carries our id and was not written here. Then only
the id is given up; which of its records are ours is kept. Source: docs/format.md sections 7.17 and 10.7.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitchat.model.names import CloneId, Oid, RoomName, Uid
from gitchat.model.refs import FORMER_PREFIX, former_ref, log_ref
from gitchat.presence.clonefile import CloneFile, Place, Seen
from gitchat.presence.seats import Seats
from gitchat.storage.ownfiles import OwnFile, entries

if TYPE_CHECKING:
    from gitchat.presence.roll import Roll
    from gitchat.storage.store import Store


class Clone:
    """The clone whose git common directory is ``common_dir``. Its file is looked at each time: others may renew it."""

    def __init__(
        self, common_dir: Path, *, store: Callable[[], Store], new_id: Callable[[], Uid], roll: Callable[[], Roll]
    ) -> None:
        """The store and the roll are asked for when they are needed."""
        self._directory = common_dir / "chatroom"
        self._file = CloneFile(common_dir)
        self._store = store
        self._new_id = new_id
        self._roll = roll

    def known(self) -> CloneId | None:
        """The id that this clone has; None where it has none yet, or that of the clone that it was copied from."""
        seen = self._file.read()
        return seen.clone if seen is not None and seen.is_at(self._file.place()) else None

    def id(self) -> CloneId:
        """The id that this clone has, made when it has none.

        Raises:
            StorageError: ``read-only``, ``disk-full``, ``storage``.
            ConflictError: ``write-lock-held``.
        """
        place = self._file.place()
        seen = self._file.read()
        if seen is not None and place in seen.places:
            return seen.clone
        with self._file.turn():
            return self._settled(self._file.read(), place).clone

    def _settled(self, seen: Seen | None, place: Place) -> Seen:
        """What the file says after this place was noted. In our turn."""
        if seen is not None and seen.is_at(place):
            seen = seen._replace(places=(*(known for known in seen.places if known != place), place))
        else:
            if seen is not None:
                self._vacate()
            seen = Seen(CloneId(self._new_id()), (place,))
        self._file.write(seen)
        return seen

    def _vacate(self) -> None:
        """Drop what a copy has of the agents of another clone: their seats, their names, what they were told of.

        A person who sits apart is the same in the copy, and has read the same.
        """
        from gitchat.rooms.seat import give_back, seated  # it brings SQLite, which a plain send does without

        store, seats = self._store(), Seats(self._directory)
        with seats.turn() as note:
            people = {name for name, sitting in seats.all().items() if sitting.is_person}
            for room, name in list(seated(store)):
                if name not in people:
                    give_back(store, name, room)
            note({name: None for name in seats.all() if name not in people})
        self._roll().vacate()
        for file in ["names", *(f"told/{told}" for told in entries(self._directory, "told"))]:
            with suppress(OSError):
                OwnFile(self._directory, file).remove()

    def renew(self, old: CloneId) -> None:
        """Give up the id ``old``, under which somebody else speaks, too; unless that was done already.

        What our logs have now of those records is ours. Raises as :meth:`id`.
        """
        with self._file.turn():
            seen = self._file.read()
            if seen is None or seen.clone != old:
                return
            store = self._store()
            for room in store.rooms():
                tip = store.tip(log_ref(room))
                if tip is not None:
                    store.point(former_ref(old, room), tip, "gitchat: the id of this clone was another's, too")
            self._file.write(Seen(CloneId(self._new_id()), (self._file.place(),)))

    def former(self, room: RoomName) -> dict[CloneId, Oid]:
        """The ids that this clone gave up, and what the log of ``room`` had then."""
        found: dict[CloneId, Oid] = {}
        for ref, oid in self._store().backend.list_refs(FORMER_PREFIX):
            clone, _, of_room = ref.removeprefix(FORMER_PREFIX).partition("/")
            if of_room == room:
                found[CloneId(clone)] = oid
        return found
