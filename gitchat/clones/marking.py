"""What only a clone has, so that a hub is never taken for one: a symbolic ref.

Numbers have one source, so nobody follows a clone that follows another remote. Its tracking refs alone do not
show that it is one: ``git push --mirror`` leaves all refs of a clone at the hub. But a push carries on what a
symbolic ref stands for, and not that it is symbolic, and a remote tells of its refs which are.
Source: docs/format.md section 12.5; gitprotocol-v2(5) on ``symrefs``.
"""

from __future__ import annotations

from gitchat.clones.wire import Listed, Wire
from gitchat.model import codec
from gitchat.model.names import RefName, RoomName
from gitchat.model.refs import FOLLOWER_REF, FOLLOWER_TARGET, TRACKING_PREFIX
from gitchat.storage.store import Store

PATTERNS = (f"{TRACKING_PREFIX}*", FOLLOWER_REF)
"""What has to be asked for to tell a clone that follows another remote."""


def mark(store: Store, wire: Wire, room: RoomName) -> None:
    """Mark this clone, in which ``room`` follows a remote, as one. Quick where it is marked. Raises as Store.move."""
    if (store.common_dir / FOLLOWER_REF).is_file():
        return  # git packs no symbolic ref; in a reftable it is written again
    root = store.write_commit(codec.encode_genesis(room, store.empty_tree()))
    if store.tip(FOLLOWER_TARGET) is None:
        store.point(FOLLOWER_TARGET, root, "gitchat: a clone")
    wire.link(FOLLOWER_REF, FOLLOWER_TARGET)


def upstream(listed: Listed) -> str | None:
    """The remote that a clone follows whose refs are ``listed``; None of a hub, whatever was pushed to it."""
    return _followed(listed) if FOLLOWER_REF in listed.symbolic else None


def has_leftovers(listed: Listed) -> bool:
    """Whether a hub has refs of a clone, which somebody pushed there."""
    return _followed(listed) is not None and FOLLOWER_REF not in listed.symbolic


def _followed(listed: Listed) -> str | None:
    names = sorted(_remote(ref) for ref in listed.refs if ref.startswith(TRACKING_PREFIX))
    return names[0] if names else None


def _remote(tracking: RefName) -> str:
    return tracking.removeprefix(TRACKING_PREFIX).partition("/rooms/")[0]
