"""Cursors of names that a person has given back: which are gone here, and which a remote has still to drop.

They go here at once. A remote drops them as soon as it is heard, with a lease: who reads on under such a name, here
or elsewhere, keeps what it has read. Source: docs/format.md sections 7.30 and 12.22.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gitchat.clones.alone import alone
from gitchat.clones.comparing import Tips
from gitchat.model.names import Name, Oid, RefName, RoomName
from gitchat.model.refs import FETCHED_PREFIX, ROOMS_PREFIX, TRACKING_PREFIX, name_of_cursor, room_of
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.storage.store import Store

_MAX_BYTES = 16 * 1024 * 1024

Owed = tuple[str, Oid]
"""The remote that has to drop a cursor, and where it stood there."""


class Dropped:
    """The cursors that were given back in one clone: the file ``forgotten`` in ``chatroom/``.

    What cannot be read says nothing. Changing is for who holds ``sync.lock``, and raises StorageError.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._file = OwnFile(store.directory, "forgotten")

    def all(self) -> dict[RefName, Owed | None]:
        """Each of them, and who has still to drop it; None for nobody."""
        try:
            return _decoded(self._file.read(_MAX_BYTES))
        except OSError:
            return {}

    def note(self, refs: Mapping[RefName, Owed | None]) -> None:
        """Note that these go."""
        self._write({**self.all(), **refs})

    def due(
        self, remote: str, rooms: Collection[RoomName], there: Tips
    ) -> tuple[dict[RefName, tuple[None, Oid]], dict[RefName, Oid]]:
        """What ``remote``, which has ``there``, has to drop in ``rooms``, as what it should take; and all else there.

        Who has moved a cursor since, there or here, reads on: that one stays.
        """
        before = self.all()
        after, due = dict(before), dict[RefName, tuple[None, Oid]]()
        for ref, owed in before.items():
            if owed is None or owed[0] != remote or room_of(ref) not in rooms:
                continue
            if self._store.tip(ref) is not None or there.get(ref, owed[1]) != owed[1]:
                del after[ref]
            elif ref in there:
                due[ref] = (None, owed[1])
            else:
                after[ref] = None
        self._write(after)
        return due, {ref: oid for ref, oid in there.items() if ref not in due}

    def settle(self, ref: RefName, *, is_gone: bool) -> bool:
        """The remote dropped a cursor, or lets nobody remove it; whether one of these was meant."""
        known = self.all()
        if ref not in known:
            return False
        self._write(known | {ref: None} if is_gone else {one: owed for one, owed in known.items() if one != ref})
        return True

    def _write(self, dropped: Mapping[RefName, Owed | None]) -> None:
        if dropped == self.all():
            return
        try:
            self._file.replace(json.dumps(dropped, indent=0, sort_keys=True).encode("ascii") + b"\n")
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def drop(store: Store, name: Name, authorities: Mapping[RoomName, str | None]) -> int:
    """Remove the cursors of ``name`` in these rooms here, and note what their authorities have to drop.

    Returns how many there were. Records are left alone. A kill on the way leaves a part, which the next call removes.

    Raises:
        ConflictError: ``sync-running``, and as Store.move.
        StorageError: the disk refuses.
    """
    with alone(store.directory):
        found = list(_refs_of(store, name, authorities))
        going: dict[RefName, Owed | None] = {}
        for _, oid, ref, remote in found:
            if remote is None:
                going.setdefault(ref, None)
            elif remote == authorities[room_of(ref)]:
                going[ref] = (remote, oid)
        if going:
            Dropped(store).note(going)
        for stored, oid, _, _ in found:
            store.remove(stored, oid, f"gitchat: {name} is forgotten")
        for stored, oid in store.backend.list_refs(FETCHED_PREFIX):  # nothing but a round reads these
            cursor = RefName(ROOMS_PREFIX + stored.removeprefix(FETCHED_PREFIX).partition("/rooms/")[2])
            if room_of(cursor) in authorities and name_of_cursor(room_of(cursor), cursor) == name:
                store.remove(stored, oid, f"gitchat: {name} is forgotten")
    return len(going)


def names_here(store: Store) -> Iterator[Name]:
    """Whose cursors are here, or were and were given back."""
    for ref in [*(ref for ref, _ in store.backend.list_refs(ROOMS_PREFIX)), *Dropped(store).all()]:
        name = name_of_cursor(room_of(ref), ref)
        if name is not None:
            yield name


def _refs_of(
    store: Store, name: Name, rooms: Collection[RoomName]
) -> Iterator[tuple[RefName, Oid, RefName, str | None]]:
    """The refs of the cursors of ``name``: each with its commit, the cursor, and the remote that it tracks, or None."""
    for prefix in (ROOMS_PREFIX, TRACKING_PREFIX):
        for stored, oid in store.backend.list_refs(prefix):
            remote, _, rest = stored.removeprefix(TRACKING_PREFIX).partition("/rooms/")
            ref = stored if prefix == ROOMS_PREFIX else RefName(ROOMS_PREFIX + rest)
            if room_of(ref) in rooms and name_of_cursor(room_of(ref), ref) == name:
                yield stored, oid, ref, None if prefix == ROOMS_PREFIX else remote


def _decoded(data: bytes) -> dict[RefName, Owed | None]:
    try:
        content: dict[str, Any] = json.loads(data)
        return {
            RefName(ref): (str(owed[0]), Oid(str(owed[1]))) if owed is not None else None
            for ref, owed in content.items()
        }
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return {}
