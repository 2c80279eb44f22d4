"""A room that gets another name, and one that is no more: its refs, while no remote has any of them.

The genesis holds the room's name, so under another name every commit is written once more, with the same uids in the
same order: each record keeps its number. The log moves last and at once with the end of the old one, under one hold of
the write lock, so that nobody's record comes between. A kill before leaves the room as it was, with positions for the
new name, which are the same the next time; a kill between the two moves leaves both logs, and the next call goes on.

Source: docs/format.md section 12.21.
"""

from __future__ import annotations

from collections.abc import Callable

from gitchat.model import codec
from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import in_room, log_ref
from gitchat.rooms.rebuilding import commits_of, positions, rebuilt
from gitchat.storage.store import Store


def rename(store: Store, room: RoomName, new: RoomName, begins: Callable[[], object] = lambda: None) -> None:
    """Call ``room`` ``new``: its log, and all that says how far somebody has come in it.

    ``begins`` is called when the name was found to be free, before anything has it.

    Raises:
        ConflictError: ``room-exists``: there is another room of that name; and what Store.move raises.
        FormatError, StorageError: as Store.move.
    """
    reason = f"gitchat: {room} is called {new}"
    images: dict[Oid, tuple[Oid, ...]] = {}

    def image(value: Oid) -> Oid:
        """``value`` in the room ``new``. With the write lock held."""
        for oid in commits_of(store, value):
            if oid not in images:
                commit = store.read(oid)
                is_root = not commit.parents and commit.kind == "genesis"
                raw = codec.encode_genesis(new, store.empty_tree())
                images[oid] = (store.write_commit(raw) if is_root else rebuilt(store, oid, commit, images),)
        return images[value][0]

    with store.writing():
        tip, present = store.room_tip(room), store.room_tip(new)
        if present is not None and (tip is None or present != image(tip)):
            raise exists(new)
        before = [(ref, value, image(value)) for ref, value in positions(store, room)]
    begins()
    for ref, _, value in before:
        store.point(in_room(ref, room, new), value, reason)
    store.forget_positions(room)  # with them, a room without a ref counts as one that was lost
    for ref, value, _ in before:
        store.remove(ref, value, reason)
    store.hand_over(log_ref(room), log_ref(new), image, reason)


def delete(store: Store, room: RoomName, tip: Oid) -> None:
    """Remove ``room``, whose log is at ``tip``; its commits are git's to prune. A kill leaves a part for the next call.

    Raises:
        ConflictError: ``room-moved``: somebody wrote in it meanwhile, and nothing more is removed; as Store.move.
        StorageError: as Store.move.
    """
    reason = f"gitchat: {room} is deleted"
    store.forget_positions(room)
    _refuse_moved(store.tip(log_ref(room)) == tip, room)
    for ref, value in positions(store, room):
        store.remove(ref, value, reason)
    _refuse_moved(store.remove(log_ref(room), tip, reason), room)


def exists(room: RoomName) -> ConflictError:
    """That a room has this name already."""
    return ConflictError(
        f"there is a room '{room}' already",
        hint=f"choose another name; or speak there: git chat send --room {room}",
        code="room-exists",
    )


def _refuse_moved(is_as_seen: bool, room: RoomName) -> None:
    if not is_as_seen:
        raise ConflictError(
            f"somebody wrote in room '{room}' meanwhile",
            hint=f"see what: git chat log --room {room}",
            code="room-moved",
        )
