"""What a clone does after one of its logs was written anew: every position follows, and every trace of the old goes.

The new log is there by then. What has still to go stands in a file, written before the log moves, so that a kill
anywhere leaves a room that is as before, or one of which whoever comes next finishes the rest.

Source: docs/format.md sections 7.43 and 18.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.index.retiring import retire
from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import COPIES, LOCAL_PREFIX, REF_PREFIX, log_ref
from gitchat.rooms import aside
from gitchat.rooms.rebuilding import beyond, positions
from gitchat.rooms.rewriting import Rewriting, carried_by
from gitchat.storage import git, ownfiles
from gitchat.storage.erasing import Erasing
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.storage.store import Store

REASON = "gitchat: purged"

_MAX_BYTES = 64 * 1024 * 1024
_MOST_NOTED = 10_000
_OID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Left:
    """What is still in the git directory of what a purge took."""

    count: int
    """How many objects; 0 when none is there."""
    holders: tuple[str, ...] = ()
    """Refs that still reach one of them, which are the user's own."""


class Owed:
    """Which objects of which rooms have still to go from this clone: the file ``purging`` in ``chatroom/``.

    Changing is for who holds ``sync.lock``, and raises StorageError. What does not read counts as empty.
    """

    def __init__(self, store: Store) -> None:
        self._file = OwnFile(store.directory, "purging")

    def all(self) -> dict[RoomName, set[Oid]]:
        """The objects of each room of which some have still to go."""
        try:
            content = json.loads(self._file.read(_MAX_BYTES))
            rooms = content.get("rooms", {})
            return {RoomName(room): set(map(Oid, oids)) for room, oids in rooms.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def add(self, room: RoomName, oids: Collection[Oid]) -> None:
        """Note that these have to go, too."""
        self._write({**self.all(), room: self.all().get(room, set()) | set(oids)})

    def settle(self, room: RoomName) -> None:
        """All of ``room`` is gone, as far as that can be done here."""
        self._write({one: oids for one, oids in self.all().items() if one != room})

    def _write(self, rooms: Mapping[RoomName, Collection[Oid]]) -> None:
        try:
            if rooms:
                content = {"rooms": {room: sorted(oids) for room, oids in rooms.items()}}
                self._file.replace(json.dumps(content).encode(), is_synced=True)
            else:
                self._file.remove()
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def note_texts(store: Store, oids: Collection[Oid]) -> None:
    """Note in the file ``purged`` which objects had what was purged, so that they can be looked for again."""
    file = OwnFile(store.directory, "purged")
    try:
        kept = list(dict.fromkeys([*noted_texts(store), *sorted(oids)]))[-_MOST_NOTED:]
        file.replace("".join(f"{oid}\n" for oid in kept).encode())
    except OSError as error:
        raise storage_error(error, file.path) from error


def noted_texts(store: Store) -> list[Oid]:
    """The objects that had what was purged in this clone; none where that cannot be told."""
    with suppress(OSError):
        words = OwnFile(store.directory, "purged").read(_MAX_BYTES).decode("ascii", "replace").split()
        return [Oid(word) for word in words if _OID.fullmatch(word)]
    return []


def owe(store: Store, room: RoomName, rewriting: Rewriting) -> None:
    """Note what goes when the log of ``room`` is what ``rewriting`` has made. Raises StorageError, FormatError."""
    Owed(store).add(room, rewriting.gone | carried_by(store, rewriting.blanked))


def finish(store: Store, room: RoomName, tracked: Sequence[Oid | None], variables: Mapping[str, str]) -> Left:
    """Let all that this clone notes of ``room`` follow its new log, and remove what has to go.

    ``tracked`` is where its remotes have the log, by what they say now. Can be repeated. For who holds ``sync.lock``.

    Raises:
        FormatError, ConflictError, StorageError: as Store.move; the rest is done by whoever comes next.
    """
    gone = Owed(store).all().get(room, set())
    logs = [tip for tip in (store.tip(log_ref(room)), *tracked) if tip is not None]
    heads = _heads(store, gone)
    if gone & (_all_of(store, heads, []) - _all_of(store, heads, logs)):
        Owed(store).settle(room)  # it did not come to that
        return Left(0)
    here = list(positions(store, room))
    rewriting = Rewriting(store)
    rewriting.pair([value for _, value in here] + heads, logs)
    texts = rewriting.blanked | carried_by(store, rewriting.blanked)
    gone |= rewriting.gone | texts
    Owed(store).add(room, gone)
    for ref, value in here:
        if rewriting.image(value) != value:
            _follow(store, ref, value, rewriting)
    aside_too = _drop_aside(store, room, rewriting)
    gone |= aside_too
    note_texts(store, texts | aside_too)
    _drop_copies(store, logs, gone)
    _map_files(store, rewriting.images)
    store.forget(gone)
    store.forget_positions(room)
    OwnFile(store.directory, f"ends/{room}").remove()
    retire(store.directory)
    left = _erase(store, gone, variables)
    Owed(store).settle(room)
    return left


def _heads(store: Store, oids: Collection[Oid]) -> list[Oid]:
    """Those of ``oids`` that are commits, are there, and are no parent of another."""
    parents: dict[Oid, tuple[Oid, ...]] = {}
    for oid in sorted(oids):
        with suppress(FormatError):
            parents[oid] = store.read(oid).parents
    inner = {parent for found in parents.values() for parent in found}
    return [oid for oid in parents if oid not in inner]


def _all_of(store: Store, heads: Sequence[Oid], bases: Sequence[Oid]) -> set[Oid]:
    return set(beyond(store, heads, bases))


def _follow(store: Store, ref: RefName, value: Oid, rewriting: Rewriting) -> None:
    store.move(ref, lambda old: rewriting.image(old if old is not None else value), REASON)


def _drop_aside(store: Store, room: RoomName, rewriting: Rewriting) -> set[Oid]:
    """Keep no record aside that is blank in the log; the objects of those that were."""
    found: set[Oid] = set()
    for one in list(aside.kept(store, room)):
        if one.key in rewriting.blanks:
            found |= {one.note, one.oid} | carried_by(store, [one.oid])
            aside.drop(store, one)
    return found


def _drop_copies(store: Store, logs: Sequence[Oid], gone: Collection[Oid]) -> None:
    """Remove what others had, and nobody here reads by, where it reaches what shall go."""
    for prefix in COPIES:
        for ref, value in list(store.backend.list_refs(prefix)):
            with suppress(FormatError):
                if not {value, *beyond(store, [value], logs)}.isdisjoint(gone):
                    store.remove(ref, value, REASON)


def _map_files(store: Store, images: Mapping[Oid, Oid]) -> None:
    """Let files that name commits name what stands for them. What cannot be changed only tells something twice."""
    names = [f"told/{name}" for name in ownfiles.entries(store.directory, "told")]
    for name in names:
        with suppress(OSError):
            descriptor = OwnFile(store.directory, name).open(os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                data = os.pread(descriptor, _MAX_BYTES, 0)
                with suppress(ValueError):
                    after = json.dumps(_mapped(json.loads(data), images)).encode()
                    os.pwrite(descriptor, after, 0)
                    os.ftruncate(descriptor, len(after))
            finally:
                os.close(descriptor)


def _mapped(value: Any, images: Mapping[Oid, Oid]) -> Any:
    """``value``, as JSON has it, with each id of a commit replaced."""
    if isinstance(value, dict):
        return {key: _mapped(one, images) for key, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, images) for one in value]
    return images.get(Oid(value), value) if isinstance(value, str) else value


def _erase(store: Store, gone: Collection[Oid], variables: Mapping[str, str]) -> Left:
    """Remove the objects as far as they are ours, and tell what is left of them."""
    erasing = Erasing(store.common_dir, variables)
    refs = [ref for prefix in (REF_PREFIX, LOCAL_PREFIX) for ref, _ in store.backend.list_refs(prefix)]
    try:
        erasing.forget_reflogs(refs)
        erasing.drop_exchange()
        with suppress(ChatError, git.GitFailed, OSError):  # then git's own gc does it, which is said
            erasing.erase(gone)
        left = erasing.left(gone)
    except git.GitFailed as error:
        raise storage_error(OSError(None, error.stderr), store.common_dir) from error
    holders = {holder for oid in sorted(left)[:1] for holder in erasing.holders(oid)}
    return Left(len(left), tuple(sorted(holders)))
