"""The quick way to move the refs that move all day: logs, cursors and seats, as far as nothing is out of the ordinary.

What is not for it is for :class:`gitchat.storage.refs.Refs`. Source: docs/format.md section 6.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import SEATS_PREFIX, is_cursor, log_ref
from gitchat.quick import append, swap, turn
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual
from gitchat.storage import gate
from gitchat.storage.backend import ObjectDamaged, ObjectMissing
from gitchat.storage.refs import Refs


class AsQuick(Refs):
    """A repository's refs, of which some move in few calls of the system."""

    _clone: Clone | None = None
    """What the quick way knows of the repository, from its first record on."""

    _positions: Clone | None = None
    """The same for cursors and seats."""

    spoken: tuple[Oid, Oid] | None = None
    """The last record that was added here and is no claim, and the commit before it."""

    is_settled = False
    """Whether what a power cut may have taken was made again: see gitchat.rooms.aftermath, which says so."""

    def append(
        self,
        room: RoomName,
        make: Callable[[append.End], tuple[bytes, int]],
        *,
        is_tracked: Callable[[], bool] = lambda: False,
    ) -> append.Appended:
        """Add a record to a log by the quick way of :mod:`gitchat.quick.append`.

        It ``is_tracked`` where a remote numbers it, which is asked with the write lock held, and before ``make``.

        Raises:
            Unusual: that is for :meth:`move`; nothing was changed.
        """
        clone = self._as_clone()
        self._heal_soon()  # what is missing that the record needs sends it the long way, which heals first
        made = append.append(
            clone, log_ref(room), room, make, self._wait_seconds,
            lambda: append.ENDS if is_tracked() else append.CHECKPOINTS,
        )  # fmt: skip
        self._note_appended(made.journal_bytes, made.written_bytes)
        return made

    def shift(self, ref: RefName, old: Oid, new: Oid) -> bool:
        """Move the position ``ref`` from ``old`` on to ``new``, a commit of its log, in as few calls as that takes.

        False where that is for :meth:`move`, as when it is no more at ``old``; nothing was changed then.
        """
        try:
            clone = self._as_positions()
            lock, _ = turn.take(f"{self.directory}/write.lock", self._wait_seconds)
        except Unusual:
            return False
        try:
            if os.pread(lock, 1, 0):
                return False  # somebody died at this work, and is cleared up behind
            swap.move(clone, ref, old, new, lock)
        except (Unusual, OSError):
            return False
        finally:
            turn.give_back(lock)
        return True

    def _heal_soon(self) -> None:
        """Heal a part now, or in a moment when nobody waits."""
        if self.later is None:
            self.heal_some()
        else:
            self.later(self.heal_some)

    def _heal_before(self, ref: RefName) -> None:
        # What a position moves to was read just now, and who misses an object heals before it says so.
        if not _is_position(ref):
            self.heal()

    def _swap_quickly(self, held: gate.Gate, ref: RefName, old: Oid, new: Oid) -> bool:
        # Positions alone: of another ref libgit2 syncs the name, too, which what is acknowledged is found by.
        if not held.is_exclusive or not _is_position(ref):
            return False
        try:
            swap.move(self._as_positions(), ref, old, new, held.descriptor)
        except Unusual:
            return False
        return True

    def _as_clone(self) -> Clone:
        if self._clone is None:
            self._clone = self._made_clone()
        return self._clone

    def _as_positions(self) -> Clone:
        if self._positions is None:
            self._positions = self._made_clone(syncs_refs=True)
        return self._positions

    def _made_clone(self, *, syncs_refs: bool = False) -> Clone:
        if not self.backend.is_usual or not self._has_journal:
            raise Unusual
        from gitchat.storage.exchange import find  # for who writes

        return Clone(
            str(self._common_dir),
            is_synced=self.backend.is_synced,
            is_settled=self.is_settled,
            read_packed=self._packed_commit,
            exchange=None if self.backend.is_synced else find(),
            syncs_refs=syncs_refs,
        )

    def _packed_commit(self, oid: str) -> bytes:
        try:
            return self.backend.read_object(Oid(oid), "commit")
        except (ObjectMissing, ObjectDamaged) as error:
            raise Unusual from error


def _is_position(ref: RefName) -> bool:
    """Whether it tells how far somebody has read: a cursor, or a seat."""
    return is_cursor(ref) or ref.startswith(SEATS_PREFIX)
