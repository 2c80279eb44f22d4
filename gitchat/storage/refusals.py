"""What it means for a person that the operating system refuses a file."""

from __future__ import annotations

import errno
import os
import shlex
from pathlib import Path

from gitchat.model.errors import FormatError, MountError, StorageError
from gitchat.model.names import Oid
from gitchat.storage.ownfiles import Misplaced


def storage_error(error: OSError, path: Path) -> StorageError:
    """The error for a refused write of ``path``: ``disk-full``, ``read-only``, ``misplaced`` or ``storage``."""
    if isinstance(error, Misplaced):
        return StorageError(
            f"{error.path} is in the way of what gitchat keeps there: {error.strerror}",
            hint=f"move it away: mv '{error.path}' '{_free_name(error.common_dir, error.path.name)}'"
            if error.may_be_precious
            else f"remove it, which touches nothing else: rm '{error.path}'",
            code="misplaced",
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"no space left for {path}",
            hint="free some space and send again; nothing was written",
            code="disk-full",
        )
    refused = Path(error.filename) if error.filename else path
    if error.errno == errno.EROFS:
        return MountError(
            f"cannot write to {refused}: {error.strerror}",
            hint=f"mount it for writing, or work in a copy; this tells which it is: df '{_there(refused)}'",
            code="read-only",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return StorageError(
            f"cannot write to {refused}: {error.strerror}",
            hint=f"ask its owner for write access: ls -ld '{_there(refused)}'",
            code="read-only",
        )
    return StorageError(f"cannot use {path}: {error.strerror or error}", hint="git chat doctor", code="storage")


def _there(path: Path) -> Path:
    return path if path.exists() else path.parent


def _free_name(directory: Path, name: str) -> Path:
    """Where in ``directory`` something called ``name`` can be moved out of the way."""
    names = (f"{name}.moved{count or ''}" for count in range(1000))
    return next(free for moved in names if not os.path.lexists(free := directory / moved))


def is_kept_from_us(path: Path) -> bool:
    """Whether there is such a file, and it is not ours to read."""
    return path.exists() and not os.access(path, os.R_OK)


def blocked_ref(ref: str, other: str, file: Path | None = None) -> StorageError:
    """The error for a ref that cannot be, because ``other``, which is none of a room's, is in its place.

    ``file`` is where that one stands if it names no commit: then git deletes none of that name.
    """
    command = f"git update-ref --no-deref -d {shlex.quote(other)}" if file is None else f"rm {shlex.quote(str(file))}"
    return StorageError(
        f"{ref} cannot be written: {other} is in its place",
        hint=f"delete that one, which no chat makes: {command}",
        code="ref-in-the-way",
    )


def unreadable(what: str, path: Path, code: str, oid: Oid | None = None) -> FormatError:
    """The error for a file that :func:`is_kept_from_us`; ``what`` says in a sentence what follows from it."""
    return FormatError(
        f"{what}: {os.strerror(errno.EACCES)}",
        hint=f"let its owner share it: chmod ug+r '{path}'",
        code=code,
        oid=oid,
    )
