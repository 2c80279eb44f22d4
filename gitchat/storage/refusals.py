"""What it means for a person that the operating system refuses a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from gitchat.model.errors import FormatError, StorageError
from gitchat.model.names import Oid


def storage_error(error: OSError, path: Path) -> StorageError:
    """The error for a refused write of ``path``: ``disk-full``, ``read-only`` or ``storage``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"no space left for {path}",
            hint="free some space and send again; nothing was written",
            code="disk-full",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        refused = Path(error.filename) if error.filename else path
        return StorageError(
            f"cannot write to {refused}: {error.strerror}",
            hint=f"ask its owner for write access: ls -ld '{refused if refused.exists() else refused.parent}'",
            code="read-only",
        )
    return StorageError(f"cannot use {path}: {error.strerror or error}", hint="git chat doctor", code="storage")


def is_kept_from_us(path: Path) -> bool:
    """Whether there is such a file, and it is not ours to read."""
    return path.exists() and not os.access(path, os.R_OK)


def unreadable(what: str, path: Path, code: str, oid: Oid | None = None) -> FormatError:
    """The error for a file that :func:`is_kept_from_us`; ``what`` says in a sentence what follows from it."""
    return FormatError(
        f"{what}: {os.strerror(errno.EACCES)}",
        hint=f"let its owner share it: chmod ug+r '{path}'",
        code=code,
        oid=oid,
    )
