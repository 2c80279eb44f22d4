"""The backend of a repository that several users share: read by libgit2, written by git.

libgit2 makes objects, refs and their directories as the umask says, and knows nothing of
``core.sharedRepository``: whoever wrote first to one of the 256 directories of objects closed it to all others, and to
their git. git itself knows the rule in all its forms, so it writes; a record costs two processes, some milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitchat.model.names import Oid, RefName
from gitchat.storage.backend import ObjectKind
from gitchat.storage.libgit2 import Libgit2Backend
from gitchat.storage.plumbing import PlumbingBackend


class SharedBackend(Libgit2Backend):
    """As Libgit2Backend, and what is written has git's modes. Raises CannotOpen."""

    def __init__(self, common_dir: Path, *, variables: Mapping[str, str], fsync: bool) -> None:
        super().__init__(common_dir, fsync=fsync)
        self._writer = PlumbingBackend(common_dir, variables=variables, has_reftable=False, fsync=fsync)

    def write_object(self, kind: ObjectKind, content: bytes) -> Oid:
        return self._writer.write_object(kind, content)

    def swap_ref(
        self, ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None
    ) -> None:
        self._writer.swap_ref(ref, old, new, reason, lease=lease)

    def close(self) -> None:
        self._writer.close()
        super().close()
