"""The backend of a repository that several users share: read by libgit2, written by git.

libgit2 makes objects, refs and their directories as the umask says, and knows nothing of
``core.sharedRepository``: whoever wrote first to one of the 256 directories of objects closed it to all others, and to
their git. git itself knows the rule in all its forms, so it writes; a record costs two processes, some milliseconds.

git makes a directory first and gives it its mode then. Who comes in between is sent away, be it a gc that has to end,
so a directory of objects is made here, under another name, until it is what it shall be.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gitchat.model.names import Oid, RefName
from gitchat.storage.backend import ObjectKind, WriteRefused
from gitchat.storage.libgit2 import Libgit2Backend
from gitchat.storage.plumbing import PlumbingBackend
from gitchat.storage.sharing import Sharing

_MODE_SECONDS = 0.2
"""For how long what another user's git has just made may be closed to us."""


class SharedBackend(Libgit2Backend):
    """As Libgit2Backend, and what is written has git's modes. Raises CannotOpen."""

    def __init__(self, common_dir: Path, *, variables: Mapping[str, str], fsync: bool, sharing: Sharing) -> None:
        super().__init__(common_dir, fsync=fsync)
        self._objects = common_dir / "objects"
        self._sharing = sharing
        self._writer = PlumbingBackend(common_dir, variables=variables, has_reftable=False, fsync=fsync)

    @property
    def is_usual(self) -> bool:
        return False

    def write_object(self, kind: ObjectKind, content: bytes) -> Oid:
        self._make_directory(_oid_of(kind, content))
        end = time.monotonic() + _MODE_SECONDS
        while True:
            try:
                return self._writer.write_object(kind, content)
            except WriteRefused as error:
                if "ermission denied" not in str(error) or time.monotonic() >= end:
                    raise
            time.sleep(0.01)

    def _make_directory(self, oid: str) -> None:
        """Make the directory of the loose object ``oid``, which nobody sees before it is open to all who share it."""
        directory = self._objects / oid[:2]
        if directory.is_dir():
            return
        draft = self._objects / f"tmp_objdir-{oid[:2]}-{os.getpid()}"  # as git calls those that a prune removes
        with suppress(OSError):  # then git makes it
            draft.mkdir()
            try:
                draft.chmod(stat.S_IMODE(self._sharing.mode(draft.stat().st_mode)))
                draft.rename(directory)
            except OSError:
                draft.rmdir()

    def swap_ref(
        self, ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None
    ) -> None:
        self._writer.swap_ref(ref, old, new, reason, lease=lease)

    def close(self) -> None:
        self._writer.close()
        super().close()


def _oid_of(kind: ObjectKind, content: bytes) -> str:
    from hashlib import sha1  # loads OpenSSL, which is for who shares

    return sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
