"""Dropping a room here that its remote has dropped: refs, and what was noted of them."""

from __future__ import annotations

from gitchat.model.names import RoomName
from gitchat.model.refs import fetched_prefix, room_prefix, seen_ref, tracking_prefix
from gitchat.storage.store import Store


def untrack(store: Store, room: RoomName, remote: str) -> None:
    """Remove what tells that ``room`` follows ``remote``: the refs of what was fetched of it. Raises as Store.move."""
    for prefix in (f"{fetched_prefix(remote)}{room}/", f"{tracking_prefix(remote)}{room}/"):
        for ref, oid in store.backend.list_refs(prefix):
            store.remove(ref, oid, f"gitchat: {room} does not follow {remote}")


def forget(store: Store, room: RoomName, remote: str) -> None:
    """Remove all refs of ``room``, and what was known of it at ``remote``; its records are git's to prune.

    A kill on the way leaves a part, which the next call removes. What is written meanwhile stays.

    Raises:
        ConflictError, StorageError: as Store.move.
    """
    store.forget_positions(room)  # first: with them, a room without a ref counts as one that was lost
    for prefix in (room_prefix(room), f"{fetched_prefix(remote)}{room}/", f"{tracking_prefix(remote)}{room}/"):
        # The log last, by which the room is known.
        for ref, oid in sorted(store.backend.list_refs(prefix), key=lambda pair: pair[0].endswith("/log")):
            store.remove(ref, oid, f"gitchat: {room} is forgotten")
    seen = store.tip(seen_ref(remote, room))
    if seen is not None:
        store.remove(seen_ref(remote, room), seen, f"gitchat: {room} is forgotten")
