"""What ``git chat doctor --fix`` does: everything that can be mended without another clone.

Nothing is thrown away that still tells something, and a ref that can be read is never moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import REF_PREFIX, log_ref
from gitchat.rooms import recovery
from gitchat.storage import checkpoint, gate
from gitchat.storage.backend import ObjectDamaged, ObjectMissing
from gitchat.storage.lockfile import LockFile
from gitchat.storage.ownfiles import OwnFile, entries
from gitchat.storage.store import Store


def repair(store: Store) -> Iterator[str]:
    """Mend, and say what was done, a sentence each, as soon as it is done.

    Lost and damaged objects that the journal has are written again; locks of our refs that
    nobody holds any more, unreadable checkpoints, and what in the journal is no entry, are
    removed; a ref whose file is damaged is moved to where the room stood. A ref that is not
    there was perhaps deleted on purpose, and stays so.

    Raises:
        ConflictError: ``write-lock-held``.
        StorageError: the disk refuses.
    """
    with store.writing() as held:
        yield from _rewrite_objects(store)
        yield from _remove_stale_locks(store, held)
        yield from _remove_bad_checkpoints(store)
        if count := store.clean_journal():
            yield f"removed {count} unreadable bytes from the journal"
    for room in recovery.damaged_rooms(store):
        yield from _restore(store, room)


def _rewrite_objects(store: Store) -> Iterator[str]:
    if lost := store.heal(is_forced=True):
        yield f"wrote {lost} lost objects again"
    damaged = [saved for saved in store.saved() if not _is_readable(store, saved.oid)]
    for saved in damaged:
        store.write_again(saved)
    if damaged:
        yield f"wrote {len(damaged)} damaged objects again"


def _is_readable(store: Store, oid: Oid) -> bool:
    try:
        store.backend.read_object(oid)
    except (ObjectDamaged, ObjectMissing):
        return False
    return True


def _remove_stale_locks(store: Store, held: gate.Gate) -> Iterator[str]:
    for path in sorted((store.common_dir / REF_PREFIX).rglob("*.lock")):
        found = LockFile.look(path)
        if found is not None and held.is_old(found):
            path.unlink(missing_ok=True)
            yield f"removed the stale lock {path}"


def _remove_bad_checkpoints(store: Store) -> Iterator[str]:
    for name in sorted(entries(store.directory, "checkpoints")):
        file = OwnFile(store.directory, f"checkpoints/{name}")
        if not checkpoint.load(file):
            with suppress(OSError):
                file.remove()
                yield f"removed the unreadable checkpoint {file.path}"


def _restore(store: Store, room: RoomName) -> Iterator[str]:
    """Move a ref whose file holds no commit to where the room stood, if that is known."""
    ref, stood = log_ref(room), recovery.where_stood(store, room)
    if stood is None or not store.can_restore(ref):
        return

    def newest(packed: Oid | None) -> Oid:
        return stood if packed is None or _follows(store, stood, packed) else packed

    moved = store.restore(ref, newest, "gitchat: mend")
    yield f"moved the damaged ref {ref} to {moved}, where the room stood"


def _follows(store: Store, oid: Oid, ancestor: Oid) -> bool:
    """Whether ``oid`` descends from ``ancestor``, as what is loose does from what was packed unless a git moved it."""
    try:
        return recovery.descends(oid, ancestor, store.read)
    except FormatError:
        return True
