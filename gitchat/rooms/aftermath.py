"""What a power cut took of what was acknowledged, made again from the journal: once after each start of the system.

A record is acknowledged when the journal that has it is on the disk (docs/format.md section 6.2). Its object and the
ref that it moved may not have come there: a file is empty then, cut off or as it was before. A kill takes nothing that
the system has, so the rule is applied when somebody opens the rooms for the first time since the system started, and
before the quick way writes here again:

- What of the journal has no whole object is written again.
- A log moves forward to the newest commit of the journal that descends from where it stands.
- A log whose ref holds no commit goes where it stood (:mod:`gitchat.rooms.recovery`).

A record whose writer died between journal and ref is among these, though it was not acknowledged: nobody can tell, and
letting it in loses nothing. Source: docs/format.md sections 6.2 and 7.40.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.quick import booted
from gitchat.rooms import recovery
from gitchat.storage import packing
from gitchat.storage.journal import Saved
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.store import Store

MOST_STEPS = 512
"""How far a commit of the journal is followed beyond what the journal has: a fetch may have come between."""

_REASON = "gitchat: after a restart"


def settle(store: Store) -> None:
    """Do what the rule says, if nobody did since the system started. Raises as :func:`restore`.

    Where the system does not say when it started, that is whenever a store is opened.
    """
    if not store.is_settled and store.directory.is_dir() and not booted.is_settled(str(store.directory)):
        restore(store)
        with suppress(OSError):  # then the next one does it again
            OwnFile(store.directory, booted.FILE).replace(booted.start_of_system().encode())
    store.is_settled = True


def restore(store: Store) -> list[RoomName]:
    """What :func:`settle` does; the rooms whose logs moved. Raises ConflictError, StorageError and FormatError."""
    for path in store.directory.glob("flight-*"):  # of writers who were on their way; the journal has what they wrote
        with suppress(OSError):
            OwnFile(store.directory, path.name).remove()
    journaled = store.saved()
    for saved in journaled:
        if not _is_whole(store, saved):
            store.write_again(saved)
    commits = {saved.oid: codec.parse_commit(saved.oid, saved.content) for saved in journaled if saved.kind == "commit"}
    moved: list[RoomName] = []
    for room in store.rooms():
        if _moves_forward(store, room, commits):
            moved.append(room)
    for room in recovery.damaged_rooms(store):
        stood, ref = recovery.where_stood(store, room), log_ref(room)
        if stood is not None and store.can_restore(ref):
            store.restore(ref, partial(_later, store, stood), _REASON)
            moved.append(room)
    return moved


def _is_whole(store: Store, saved: Saved) -> bool:
    """Whether git has the object as the journal has it. What is packed was synced when it was."""
    path = packing.loose_path(store.common_dir, saved.oid)
    try:
        framed = zlib.decompress(path.read_bytes())
    except FileNotFoundError:
        return store.backend.has_object(saved.oid)
    except zlib.error:
        return False
    return framed == f"{saved.kind} {len(saved.content)}\0".encode() + saved.content


def _moves_forward(store: Store, room: RoomName, commits: dict[Oid, codec.Commit]) -> bool:
    """Move a log to the newest of ``commits``, oldest first, that descends from its tip; whether there was one."""
    tip = store.room_tip(room)
    if tip is None or _newest_after(store, tip, commits) == tip:
        return False
    store.move(log_ref(room), lambda here: _newest_after(store, here or tip, commits), _REASON)
    return True


def _newest_after(store: Store, tip: Oid, commits: dict[Oid, codec.Commit]) -> Oid:
    passed: set[Oid] = set()
    for oid in reversed(commits):
        if oid == tip:
            break  # nothing that was written after it fits
        if commits[oid].takes_number and oid not in passed:
            for link in _chain(store, oid, commits, passed):
                if link == tip:
                    return oid
    return tip


def _chain(store: Store, oid: Oid, commits: dict[Oid, codec.Commit], passed: set[Oid]) -> Iterator[Oid]:
    """The first parents of ``oid``, until they are known to lead nowhere; those are added to ``passed``."""
    here, steps = oid, 0
    while here not in passed and steps < MOST_STEPS:
        passed.add(here)
        commit = commits.get(here)
        if commit is None:
            steps += 1
            try:
                commit = store.read(here)
            except FormatError:
                return
        if not commit.parents:
            return
        here = commit.parents[0]
        yield here


def _later(store: Store, stood: Oid, packed: Oid | None) -> Oid:
    if packed is None:
        return stood
    with suppress(FormatError):
        return stood if recovery.descends(stood, packed, store.read) else packed
    return stood
