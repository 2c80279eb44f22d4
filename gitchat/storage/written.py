"""The objects that this clone wrote: stored, and kept alive although git may prune them.

What is written stands in the journal until it is packed; what git takes meanwhile is
written again from there. The journal is written under the write lock; healing takes no lock.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from gitchat.model.errors import ConflictError, StorageError
from gitchat.model.names import Oid
from gitchat.model.refs import LOG_SUFFIX, ROOMS_PREFIX
from gitchat.storage import gate, git, packing
from gitchat.storage.backend import Backend, ObjectKind, WriteRefused
from gitchat.storage.came import Came
from gitchat.storage.journal import Journal, Saved
from gitchat.storage.refusals import storage_error

HEAL_SECONDS = 0.2
"""How soon a store looks again at what it wrote."""

WRITE_ATTEMPTS = 8
"""git prune removes directories that are empty, also between our making one and writing into it."""

PACK_OBJECTS = 512
PACK_BYTES = 8 * 1024 * 1024
"""When there is much to pack: so many objects, or so many bytes, in the journal."""

PACK_AGAIN_SECONDS = 2.0
"""For how long who has started a packer starts no other."""

PACK_RETRY = 16
"""While there is much to pack, one object in so many starts a packer: most find one at work."""


class Written:
    """What a clone writes into its repository, and what keeps it there. Holds no lock between calls.

    ``directory`` is ``chatroom/`` in the git common directory: files that all
    worktrees share and that can be deleted at any time, except during a write.
    """

    def __init__(
        self,
        backend: Backend,
        directory: Path,
        *,
        wait_seconds: float = gate.WAIT_SECONDS,
        has_journal: bool = True,
        maintain: Callable[[], None] | None = None,
        random_bytes: Callable[[int], bytes] = bytes,
    ) -> None:
        """``maintain`` is called after a write when there is much to pack; it must return at once.

        ``random_bytes`` spreads the pauses of writers who collide; zeros, as without it, spread nothing.
        """
        self.backend = backend
        self.directory = directory
        self._common_dir = directory.parent
        self._wait_seconds = wait_seconds
        self._journal = Journal(directory / "journal") if has_journal else None
        self._came = Came(directory)
        self._maintain = maintain
        self._random_bytes = random_bytes
        self._unpacked = 0
        self._is_unsynced = False
        """Whether something stands in the journal that may not be on the disk."""
        self._healed_at: float | None = None
        self.later: Callable[[Callable[[], object]], object] | None = None
        """Does something in a moment, when nobody waits for it. Who has no such moment does it at once."""
        self._packing_since: float | None = None

    @property
    def common_dir(self) -> Path:
        """The git common directory."""
        return self._common_dir

    # --- writing -------------------------------------------------------------

    def write_commit(self, raw: bytes) -> Oid:
        """Store a commit as :meth:`write` does."""
        return self.write("commit", raw)

    def write(self, kind: ObjectKind, content: bytes) -> Oid:
        """Store an object that nothing points to yet, and note it in the journal. Raises StorageError."""
        oid = self._write(kind, content)
        if self._journal is not None:
            try:
                self._journal.add(Saved(oid, kind, content))
            except OSError as error:
                raise storage_error(error, self.directory) from error
            self._unpacked += 1
            self._is_unsynced = True
        return oid

    def _sync_journal(self) -> None:
        """Have on the disk what was noted, before a ref points to it. Raises StorageError."""
        if self._journal is not None and self._is_unsynced and self.backend.is_synced:
            try:
                self._journal.sync()
            except OSError as error:
                raise storage_error(error, self.directory) from error
        self._is_unsynced = False

    def empty_tree(self) -> Oid:
        """The tree of every record without attachments. Written for real: without it ``git fsck`` complains."""
        return self._write("tree", b"")

    def _write(self, kind: ObjectKind, content: bytes) -> Oid:
        for attempt in range(WRITE_ATTEMPTS):
            try:
                return self.backend.write_object(kind, content)
            except WriteRefused as error:
                refusal = self._refusal(str(error))
                if refusal.code != "storage" or attempt == WRITE_ATTEMPTS - 1:
                    raise refusal from error
                time.sleep(0.001 * 2**attempt)
        raise AssertionError("not reached")

    def _refusal(self, words: str) -> StorageError:
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            if os.strerror(number) in words:
                return storage_error(OSError(number, os.strerror(number)), self.directory.parent)
        return StorageError(f"git's storage refused: {words}", hint="git chat doctor", code="storage")

    # --- keeping ---------------------------------------------------------------

    def heal(self, *, is_forced: bool = False) -> int:
        """Write again what the journal has and git lost, and say how many objects that were.

        Costs a look at each object that is not packed yet, so at most five times a
        second unless it ``is_forced``. Takes no lock. Raises StorageError.
        """
        now = time.monotonic()
        is_recent = self._healed_at is not None and now - self._healed_at < HEAL_SECONDS
        if self._journal is None or (is_recent and not is_forced):
            return 0
        self._healed_at = now
        oids = self._journal.oids()
        self._unpacked = len(oids)
        lost = {oid for oid in oids if self._is_lost(oid)}
        if not lost:
            return 0
        self.empty_tree()
        for saved in self._journal.entries():
            if saved.oid in lost:
                self._write(saved.kind, saved.content)
        return len(lost)

    def _is_lost(self, oid: Oid) -> bool:
        return not packing.is_loose(self._common_dir, oid) and not self.backend.has_object(oid)

    def saved(self) -> list[Saved]:
        """What the journal has, oldest first."""
        return self._journal.entries() if self._journal is not None else []

    def write_again(self, saved: Saved) -> None:
        """Put an object of the journal in the place of one that cannot be read. Raises StorageError."""
        path = packing.loose_path(self._common_dir, saved.oid)
        try:
            # git takes an object that is there for written, whatever is in it.
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error
        self._write(saved.kind, saved.content)

    def clean_journal(self) -> int:
        """Remove what in the journal is no entry, and say how many bytes. Under the write lock. Raises StorageError."""
        count = self._journal.unreadable_bytes() if self._journal is not None else 0
        if self._journal is not None and count:
            try:
                self._journal.drop(())
            except OSError as error:
                raise storage_error(error, self.directory) from error
        return count

    def forget(self, oids: Collection[Oid]) -> None:
        """Keep these objects alive no more: nothing shall come back of them by itself. Raises as :meth:`clean_journal`.

        Raises ConflictError where somebody writes for too long.
        """
        if self._journal is not None:
            try:
                with gate.hold(self.directory, self._wait_seconds):
                    self._journal.drop(oids)
            except OSError as error:
                raise storage_error(error, self.directory) from error

    def _in_journal(self) -> tuple[int, int]:
        """How many objects, and how many bytes, wait to be packed."""
        return (self._unpacked, self._journal.size_bytes()) if self._journal is not None else (0, 0)

    @property
    def _has_journal(self) -> bool:
        return self._journal is not None

    def _note_appended(self, size_bytes: int, added_bytes: int) -> None:
        """Count what the quick way added to the journal, which has ``size_bytes`` now; pack when it is time."""
        before = (self._unpacked, size_bytes - added_bytes)
        self._unpacked += 1
        self._pack_if_due(before, (self._unpacked, size_bytes))

    def _pack_if_due(self, before: tuple[int, int], now: tuple[int, int]) -> None:
        """Start a packer where it is time, and none was started here a moment ago: it is at work, or about to be."""
        if self._maintain is None or not self._is_due(before, now):
            return
        seconds = time.monotonic()
        if self._packing_since is None or not 0 <= seconds - self._packing_since < PACK_AGAIN_SECONDS:
            self._packing_since = seconds
            self._maintain()

    @staticmethod
    def _is_due(before: tuple[int, int], now: tuple[int, int]) -> bool:
        """Whether the write that found the journal like this is one that starts a packer.

        A write adds one object or many, so what counts is which marks it has passed.
        """
        objects, size_bytes = now
        if size_bytes // PACK_BYTES > before[1] // PACK_BYTES:
            return True
        has_passed = objects // PACK_RETRY > before[0] // PACK_RETRY
        return has_passed and (objects >= PACK_OBJECTS or size_bytes >= PACK_BYTES)

    def pack(self, variables: Mapping[str, str]) -> int:
        """Pack our own loose objects, and what came of the rooms; say how many objects left the journal.

        One process at a time; another one returns 0 at once. Writers wait only while the
        journal is written anew.

        Raises:
            StorageError: the disk or git refuses; nothing is lost.
        """
        if self._journal is None:
            return 0
        try:
            with gate.hold(self.directory, 0, "sync.lock"):
                self.heal(is_forced=True)
                ours = [*self._journal.oids(), *self._came.oids()]
                loose = [oid for oid in ours if packing.is_loose(self._common_dir, oid)]
                packing.Packs(self._common_dir, variables, self.directory / "packs").pack(loose)
                if self._came.count():
                    self._came.clear()
                return self._forget_packed(self._journal)
        except ConflictError:
            return 0
        except git.GitFailed as error:
            raise self._refusal(error.stderr) from error
        except OSError as error:
            raise storage_error(error, self.directory) from error

    def note_came(self, oids: Iterable[Oid]) -> None:
        """Note objects that a fetch brought, to be packed. Under ``sync.lock``. Never fails: they stay loose then."""
        with suppress(OSError):
            self._came.add(oids)

    def pack_what_came(self) -> None:
        """Start a packer when much came since the last one. For who does not hold ``sync.lock``; returns at once."""
        if self._maintain is not None and self._came.count() >= PACK_OBJECTS:
            self._maintain()

    def _forget_packed(self, journal: Journal) -> int:
        with gate.hold(self.directory, self._wait_seconds):
            packed = {
                oid
                for oid in journal.oids()
                if not packing.is_loose(self._common_dir, oid) and self.backend.has_object(oid)
            }
            if self.backend.is_synced:
                self._sync_logs()
            journal.drop(packed)
        return len(packed)

    def _sync_logs(self) -> None:
        """Have the logs where they are after a power cut, too: the journal will not tell any more. Raises OSError."""
        for ref, _ in self.backend.list_refs(ROOMS_PREFIX, LOG_SUFFIX):
            for path in (self._common_dir / ref, (self._common_dir / ref).parent):
                with suppress(FileNotFoundError):  # it is packed, which git syncs
                    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    try:
                        os.fsync(descriptor)
                    finally:
                        os.close(descriptor)
