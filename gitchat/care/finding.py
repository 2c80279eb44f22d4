"""A finding: one thing that was looked at, and the command or decision that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.rooms.recovery import where_stood
from gitchat.storage.backend import ObjectDamaged, ObjectMissing
from gitchat.storage.packing import loose_path
from gitchat.storage.store import Store

FIX = "git chat doctor --fix"
OTHER_CLONE = "PATH-OR-URL-OF-ANOTHER-CLONE"

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``mend`` is the command or decision that mends it."""

    level: Level
    subject: str
    text: str
    mend: str | None = None


def lost(store: Store, room: RoomName) -> Finding:
    """What to tell of a room that had records and has no ref: deleted on purpose or not, somebody has to decide."""
    stood, ref = where_stood(store, room), log_ref(room)
    forget = f"rm '{store.directory / 'checkpoints' / room}'"
    return Finding(
        "note",
        f"room {room}",
        f"it had records and has no ref any more; if it was deleted on purpose, forget it: {forget}",
        f"git update-ref {ref} {stood} ''" if stood is not None else f"git fetch {OTHER_CLONE} {ref}:{ref}",
    )


def mend(store: Store, room: RoomName, error: ChatError) -> str:
    """The command that mends a damaged room, without moving a ref back or losing a record."""
    ref = log_ref(room)
    if error.code == "damaged-ref":
        if where_stood(store, room) is not None and store.can_restore(ref):
            return FIX
        return f"rm '{store.common_dir / ref}'; git fetch {OTHER_CLONE} {ref}:{ref}"
    if not isinstance(error, FormatError) or error.oid is None:
        return error.hint
    if any(saved.oid == error.oid for saved in store.saved()):
        return FIX
    # A plain fetch would believe that it has all that a ref reaches. (--refetch: git 2.36)
    refetch = f"git fetch --refetch {OTHER_CLONE} {ref}"
    if error.code == "damaged-object" and _is_as_written(store, Oid(error.oid)):
        # Nothing is lost that was ever there: somebody pushed it so, and every other clone has the same.
        is_whole_room = store.tip(ref) == error.oid
        return (
            f"git update-ref -d {ref}"
            if is_whole_room
            else f"see what stands in its place: git cat-file -p {error.oid}"
        )
    if error.code == "damaged-object":
        return f"rm -f '{loose_path(store.common_dir, Oid(error.oid))}'; {refetch}"
    return refetch if error.code == "missing-object" else error.hint


def _is_as_written(store: Store, oid: Oid) -> bool:
    """Whether the object's bytes are those of its id, whatever they say."""
    try:
        store.backend.read_object(oid)
    except (ObjectDamaged, ObjectMissing):
        return False
    return True
