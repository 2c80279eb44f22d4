"""What a repository must be able to do for the store: seven calls, no rules.

Each backend (libgit2, git's plumbing) fulfils this contract; ``tests/contract`` runs one suite
over all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from gitchat.model.names import Oid, RefName

ObjectKind = Literal["commit", "tree", "blob"]


class RefMoved(Exception):
    """The ref did not have the expected value. Nothing was changed."""


class SwapRefused(Exception):
    """A ref was not moved, as far as the backend knows; ``str`` gives its words.

    The cause can be a lock, a full disk or a race with ``git pack-refs``: the caller
    reads the ref again and decides.
    """


class GitKilled(SwapRefused):
    """The git that was to move the ref was killed; it may have left its lock behind."""


class WriteRefused(Exception):
    """An object was not written; ``str`` gives the backend's words."""


class ObjectMissing(Exception):
    """No object with this id in the repository."""


class ObjectDamaged(Exception):
    """The object's bytes do not have this id, or cannot be read."""


class RefDamaged(Exception):
    """The ref's file holds no object id."""


class Backend(Protocol):
    """A repository's objects and refs. Opened durable or not: whether each write waits for the disk."""

    @property
    def is_usual(self) -> bool:
        """Whether :mod:`gitchat.quick.append` may write beside it: SHA-1, refs in files without logs, one user."""

    @property
    def is_synced(self) -> bool:
        """Whether each write waits for the disk."""

    def read_ref(self, ref: RefName) -> Oid | None:
        """The ref's value, or None when there is no such ref. Raises RefDamaged."""

    def list_refs(self, prefix: str, suffix: str = "") -> list[tuple[RefName, Oid]]:
        """Refs whose names begin with ``prefix`` and end in ``suffix``, sorted by name. Passes over damaged ones.

        The values of others are not read, which is what a listing costs where most refs are loose.

        Raises:
            RefDamaged: the refs cannot be listed at all: ``packed-refs`` is damaged.
        """

    def read_object(self, oid: Oid, kind: ObjectKind | None = None) -> bytes:
        """The content of an object, without its header.

        Raises:
            ObjectMissing: there is none.
            ObjectDamaged: it cannot be read, or is not of this ``kind``: a ref, a parent or a tree can name anything.
        """

    def read_header(self, oid: Oid) -> tuple[str, int]:
        """The kind of an object and its size in bytes. Raises ObjectMissing, ObjectDamaged."""

    def has_object(self, oid: Oid) -> bool:
        """Whether the object can be found, as far as that is known without reading it."""

    def write_object(self, kind: ObjectKind, content: bytes) -> Oid:
        """Store an object; writing it again is harmless. Raises WriteRefused."""

    def swap_ref(
        self, ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None
    ) -> None:
        """Move ``ref`` from ``old`` to ``new``, or change nothing. None stands for no such ref, and not for both.

        The comparison happens under git's own lock of the ref, so that it also holds
        against ``git push``, ``git fetch`` and ``git pack-refs``. ``lease`` is the
        descriptor of the caller's kernel lock: a process that does the work for a
        backend must keep it open, so that the lock outlives the caller.

        Raises:
            RefMoved: the ref has another value than ``old``.
            GitKilled: the process that does the work was killed.
            SwapRefused: for any other reason.
        """

    def lock_path(self, ref: RefName) -> Path:
        """The file that exists while somebody moves ``ref``."""

    def close(self) -> None:
        """Give back what the backend holds: processes, open files."""
