"""Following a remote that was renamed: what was known of it is known under its new name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitchat.clones.notes import Note, Notes
from gitchat.model.names import RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, room_prefix, tracking_ref
from gitchat.storage.store import Store


def follow(
    store: Store,
    notes: Notes,
    lost: Mapping[RoomName, str],
    places: Mapping[str, str],
    rename: Callable[[RoomName, str], object],
) -> dict[RoomName, str]:
    """Let each room of ``lost`` follow the one remote that stands where its own stood; which did, and which remote.

    ``lost`` has the name that the remote had; ``places`` where each remote stands now; ``rename`` gives the setting of
    a room, where it has one, the new name. A kill on the way leaves
    the room with its old name, and the next call finishes it.
    """
    found: dict[RoomName, str] = {}
    for room, old in lost.items():
        note = notes.of(room)
        names = [name for name, place in places.items() if note is not None and place == note.address]
        if note is None or len(names) != 1:
            continue
        new = found[room] = names[0]
        tracked = store.backend.list_refs(tracking_ref(old, room_prefix(room)))
        for ref, oid in tracked:
            named = tracking_ref(new, RefName(ROOMS_PREFIX + ref.removeprefix(tracking_ref(old, ROOMS_PREFIX))))
            store.point(named, oid, f"gitchat: {old} is {new} now")
        rename(room, new)
        notes.put({room: Note(new, note.address)})
        for ref, oid in tracked:
            store.remove(ref, oid, f"gitchat: {old} is {new} now")
    return found
