"""The objects of a repository: read, written, and kept alive although git may prune them.

What this clone wrote stands in the journal until it is packed; what git takes meanwhile is
written again from there. The journal is written under the write lock; healing takes no lock.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gitchat.model import attachment, codec
from gitchat.model.attachment import Attachment, TreeEntry
from gitchat.model.errors import ConflictError, FormatError, StorageError
from gitchat.model.names import Oid
from gitchat.storage import gate, git, packing
from gitchat.storage.backend import Backend, ObjectDamaged, ObjectKind, ObjectMissing, WriteRefused
from gitchat.storage.journal import Journal, Saved

HEAL_SECONDS = 0.2
"""How soon a store looks again at what it wrote."""

READ_ATTEMPTS = 4
"""A prune that is under way can take a healed object once more."""

WRITE_ATTEMPTS = 8
"""git prune removes directories that are empty, also between our making one and writing into it."""

PACK_OBJECTS = 512
PACK_BYTES = 8 * 1024 * 1024
"""When there is much to pack: so many objects, or so many bytes, in the journal."""

PACK_RETRY = 16
"""While there is much to pack, one object in so many starts a packer: most find one at work."""

_T = TypeVar("_T")

_LOOK: dict[ObjectKind, str] = {"commit": "git chat doctor", "tree": "git chat verify", "blob": "git chat verify"}
"""The command that tells more about an object that cannot be read."""


class Objects:
    """A repository's objects. Cheap to make; holds no lock between calls.

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
    ) -> None:
        """``maintain`` is called after a write when there is much to pack; it must return at once."""
        self.backend = backend
        self.directory = directory
        self._common_dir = directory.parent
        self._wait_seconds = wait_seconds
        self._journal = Journal(directory / "journal") if has_journal else None
        self._maintain = maintain
        self._unpacked = 0
        self._healed_at: float | None = None

    @property
    def common_dir(self) -> Path:
        """The git common directory."""
        return self._common_dir

    # --- reading -------------------------------------------------------------

    def read(self, oid: Oid) -> codec.Commit:
        """The commit ``oid``; one that git lost is written again from the journal.

        Raises:
            FormatError: ``missing-object``, ``shallow-log``, ``damaged-object`` or ``unreadable-object``.
        """
        return codec.parse_commit(oid, self._content("commit", oid))

    def read_tree(self, oid: Oid) -> tuple[TreeEntry, ...]:
        """The entries of the tree ``oid``, in git's order. Raises as :meth:`read`."""
        return attachment.parse_tree(oid, self._content("tree", oid))

    def read_blob(self, oid: Oid) -> bytes:
        """The content of the blob ``oid``. Raises as :meth:`read`, also for an object of another kind."""
        content = self._content("blob", oid)
        kind, _ = self._healing(self.backend.read_header, oid)
        if kind != "blob":
            raise FormatError(f"object {oid} is a {kind}", hint="git chat verify", code="damaged-object", oid=oid)
        return content

    def attachments(self, tree: Oid) -> tuple[Attachment, ...]:
        """What a commit with this tree carries, in the sender's order. Reads no content.

        Does not fail: what is missing or damaged is in the list, with its problem, so that
        the text can still be read.
        """
        try:
            directory = attachment.directory_of(self.read_tree(tree))
            found = attachment.listed(self.read_tree(directory)) if directory is not None else []
        except (FormatError, StorageError) as error:
            return (Attachment("att", tree, problem=f"cannot be listed: {error}"),)
        measured = [self._measured(one) for one in found]
        if any(one.size_bytes is None and one.problem is None for one in measured):
            with suppress(StorageError):  # what was lost cannot be written back now
                self.heal(is_forced=True)
            measured = [self._measured(one) for one in found]
        return tuple(measured)

    def _measured(self, one: Attachment) -> Attachment:
        if one.problem is not None:
            return one
        try:
            kind, size_bytes = self.backend.read_header(one.oid)
        except ObjectMissing:
            return one
        except ObjectDamaged:
            return replace(one, problem="is damaged")
        return replace(one, size_bytes=size_bytes) if kind == "blob" else replace(one, problem=f"is a {kind}")

    def _missing(self, kind: ObjectKind, oid: Oid) -> FormatError:
        """Why an object is not here: it was lost, or it is older than what a shallow clone has fetched."""
        for cut in self.shallow():
            with suppress(ObjectMissing, ObjectDamaged, FormatError):
                if oid in codec.parse_commit(cut, self.backend.read_object(cut)).parents:
                    return FormatError(
                        f"this clone is shallow: the log before {cut} was not fetched, so nothing can be numbered",
                        hint="git fetch --unshallow origin",
                        code="shallow-log",
                        oid=oid,
                    )
        return FormatError(f"{kind} {oid} is missing", hint=_LOOK[kind], code="missing-object", oid=oid)

    def shallow(self) -> list[Oid]:
        """The commits whose parents were not fetched. Source: gitrepository-layout(5), shallow."""
        try:
            return [Oid(line) for line in (self._common_dir / "shallow").read_text("ascii", "replace").split()]
        except OSError:
            return []

    def saved(self) -> list[Saved]:
        """What the journal has, oldest first."""
        return self._journal.entries() if self._journal is not None else []

    def _content(self, kind: ObjectKind, oid: Oid) -> bytes:
        try:
            return self._healing(self.backend.read_object, oid)
        except ObjectMissing as error:
            raise self._missing(kind, oid) from error
        except ObjectDamaged as error:
            path = packing.loose_path(self.common_dir, oid)
            if is_kept_from_us(path):
                raise unreadable(f"{kind} {oid} cannot be read", path, "unreadable-object", oid) from error
            raise FormatError(
                f"{kind} {oid} is damaged: {error}", hint=f"git fsck; {_LOOK[kind]}", code="damaged-object", oid=oid
            ) from error

    def _healing(self, read: Callable[[Oid], _T], oid: Oid) -> _T:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return read(oid)
            except ObjectMissing:
                self.heal(is_forced=True)
        return read(oid)

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
                raise gate.storage_error(error, self.directory) from error
            self._unpacked += 1
        return oid

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
                return gate.storage_error(OSError(number, os.strerror(number)), self.directory.parent)
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
        entries = self._journal.entries()
        self._unpacked = len(entries)
        lost = [
            saved
            for saved in entries
            if not packing.is_loose(self._common_dir, saved.oid) and not self.backend.has_object(saved.oid)
        ]
        if lost:
            self.empty_tree()
        for saved in lost:
            self._write(saved.kind, saved.content)
        return len(lost)

    def write_again(self, saved: Saved) -> None:
        """Put an object of the journal in the place of one that cannot be read. Raises StorageError."""
        path = packing.loose_path(self._common_dir, saved.oid)
        try:
            # git takes an object that is there for written, whatever is in it.
            path.unlink(missing_ok=True)
        except OSError as error:
            raise gate.storage_error(error, path) from error
        self._write(saved.kind, saved.content)

    def clean_journal(self) -> int:
        """Remove what in the journal is no entry, and say how many bytes. Under the write lock. Raises StorageError."""
        count = self._journal.unreadable_bytes() if self._journal is not None else 0
        if self._journal is not None and count:
            try:
                self._journal.drop(())
            except OSError as error:
                raise gate.storage_error(error, self.directory) from error
        return count

    def _in_journal(self) -> tuple[int, int]:
        """How many objects, and how many bytes, wait to be packed."""
        return (self._unpacked, self._journal.size_bytes()) if self._journal is not None else (0, 0)

    def _is_due(self, before: tuple[int, int]) -> bool:
        """Whether the write that found the journal like this is one that starts a packer.

        A write adds one object or many, so what counts is which marks it has passed.
        """
        objects, size_bytes = self._in_journal()
        if size_bytes // PACK_BYTES > before[1] // PACK_BYTES:
            return True
        has_passed = objects // PACK_RETRY > before[0] // PACK_RETRY
        return has_passed and (objects >= PACK_OBJECTS or size_bytes >= PACK_BYTES)

    def pack(self, variables: Mapping[str, str]) -> int:
        """Pack our own loose objects, and forget what is packed; say how many objects left the journal.

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
                loose = [
                    saved.oid for saved in self._journal.entries() if packing.is_loose(self._common_dir, saved.oid)
                ]
                packing.Packs(self._common_dir, variables, self.directory / "packs").pack(loose)
                return self._forget_packed(self._journal)
        except ConflictError:
            return 0
        except git.GitFailed as error:
            raise self._refusal(error.stderr) from error
        except OSError as error:
            raise gate.storage_error(error, self.directory) from error

    def _forget_packed(self, journal: Journal) -> int:
        with gate.hold(self.directory, self._wait_seconds):
            packed = {
                saved.oid
                for saved in journal.entries()
                if not packing.is_loose(self._common_dir, saved.oid) and self.backend.has_object(saved.oid)
            }
            journal.drop(packed)
        return len(packed)


def is_kept_from_us(path: Path) -> bool:
    """Whether there is such a file, and it is not ours to read."""
    return path.exists() and not os.access(path, os.R_OK)


def unreadable(what: str, path: Path, code: str, oid: Oid | None = None) -> FormatError:
    return FormatError(
        f"{what}: {os.strerror(errno.EACCES)}",
        hint=f"let its owner share it: chmod ug+r '{path}'",
        code=code,
        oid=oid,
    )
