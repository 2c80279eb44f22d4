"""A client's files on disk: read without trusting what stands there, replaced in one step, kept a copy of.

In a repository a file may be a link that a stranger committed, so there it must not lead
out of the work tree. Of every file that is changed the old bytes are kept, and also what
the file would be without us: as long as nobody else changes it, taking us out again is
exact to the byte. With us the copies go, too.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.errors import StorageError, UserError
from gitchat.storage import gate
from gitchat.storage.refusals import storage_error

MAX_BYTES = 64 * 1024 * 1024
"""Configurations have kilobytes; a client that keeps its conversations in one reaches megabytes."""


def resolve(path: Path, top: Path | None) -> Path:
    """Where ``path`` leads. With ``top``, not out of it, and not into its git directory.

    Raises:
        UserError: ``link-out`` when it does.
    """
    real = Path(os.path.realpath(path))
    if top is None:
        return real
    inside = Path(os.path.realpath(top))
    if not real.is_relative_to(inside) or ".git" in str(real.relative_to(inside)).lower().split("/"):
        raise UserError(
            f"{path} is a link that leads out of the work tree, to {real}",
            hint="make it a file of its own; nothing was written",
            code="link-out",
        )
    return real


def read(path: Path) -> bytes | None:
    """The file's bytes, or None when there is none. Never waits for a writer.

    Raises:
        UserError: ``not-a-file``, ``too-large``.
        StorageError: it may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UserError(f"{path} is no file", hint=f"see what it is: ls -ld '{path}'", code="not-a-file")
    with open(descriptor, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UserError(f"{path} has more than {MAX_BYTES:,} bytes", hint="edit it by hand", code="too-large")
    return content


def _unreadable(path: Path, error: OSError) -> StorageError | UserError:
    if error.errno == errno.ENOTDIR:
        return _no_directory(path)
    return StorageError(
        f"cannot read {path}: {error.strerror}", hint=f"see who may: ls -ld '{path}'", code="unreadable-file"
    )


def _no_directory(path: Path) -> UserError:
    """For a path that leads through a file."""
    in_the_way = next(parent for parent in path.parents if parent.exists())
    return UserError(f"{in_the_way} is no directory", hint=f"see what it is: ls -ld '{in_the_way}'", code="not-a-file")


def replace(path: Path, before: bytes | None, after: bytes | None, *, new_mode: int = 0o666) -> bool:
    """Make ``after`` of the file that reads ``before``; None is no file. It keeps its mode and its owner.

    A file that is new has ``new_mode``, less the umask.

    Returns False, and changes nothing, when it reads something else by now. A client that
    writes in the instant between that look and the exchange loses what it wrote: no client
    takes a lock that we could wait for.

    Raises:
        StorageError: ``read-only``, ``disk-full``, ``storage``; the file is as it was.
    """
    try:
        if before is not None and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        if after is None:
            return _remove(path, before)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _exchange(path, before, after, new_mode)
    except OSError as error:
        raise storage_error(error, path) from error


def _exchange(path: Path, before: bytes | None, after: bytes, new_mode: int) -> bool:
    new = path.with_name(f".{path.name}.gitchat-{os.getpid()}")
    try:
        _write_like(new, path, after, new_mode)
        if read(path) != before:
            return False
        os.replace(new, path)
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
    return True


def _write_like(new: Path, model: Path, content: bytes, new_mode: int) -> None:
    """A new file with the mode and the owner of ``model`` if there is one; on the disk when this returns."""
    with suppress(FileNotFoundError):
        new.unlink()
    status = model.stat() if model.exists() else None
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(new, flags, new_mode if status is None else 0o600), "wb") as file:
        file.write(content)
        file.flush()
        if status is not None:
            with suppress(OSError):  # only root gives files away
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
        os.fsync(file.fileno())


def _remove(path: Path, before: bytes | None) -> bool:
    if read(path) != before:
        return False
    path.unlink()
    with suppress(OSError):  # the client has more in there
        for directory in path.parents[:2]:
            directory.rmdir()
    return True


@dataclass(frozen=True, slots=True)
class Copies:
    """Old bytes of the files that were changed, below a directory of ours; for their owner alone."""

    directory: Path

    def turn(self) -> AbstractContextManager[gate.Gate]:
        """The right to change the files. Raises what gate.hold raises, and UserError ``not-a-file``."""
        directory = self.directory / "setup"
        if not next(one for one in (directory, *directory.parents) if one.exists()).is_dir():
            raise _no_directory(directory / "copy")
        with suppress(OSError):  # if it cannot be made, taking the lock says so
            self.directory.parent.mkdir(parents=True, exist_ok=True)
        return gate.hold(self.directory, name="setup.lock")

    def without_us(self, path: Path, current: bytes | None) -> tuple[bytes | None] | None:
        """In a tuple, what the file was without us, if it still is what we made of it; else None."""
        place = self._place(path)
        with suppress(OSError):
            if current is not None and (place / "with").read_bytes() == current:
                return ((place / "without").read_bytes() if (place / "without").exists() else None,)
        return None

    def keep(self, path: Path, current: bytes | None, without: bytes | None, with_us: bytes | None) -> Path | None:
        """Note a change that is about to happen, and return the copy of the file as it is; None when there is none.

        Raises:
            StorageError: ``read-only``, ``disk-full``.
        """
        place = self._place(path)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._put(place / "backup", current)
            # "with" comes last and goes first: what a kill leaves can only make us forget, not restore the wrong bytes.
            self._put(place / "with", None)
            self._put(place / "without", without)
            self._put(place / "with", with_us)
        except OSError as error:
            raise storage_error(error, place) from error
        return place / "backup" if current is not None else None

    def has(self, path: Path) -> bool:
        """Whether anything is kept of a file."""
        return self._place(path).is_dir()

    def forget(self, path: Path) -> None:
        """Drop what is kept of a file: it may have keys that are to be nowhere else."""
        shutil.rmtree(self._place(path), ignore_errors=True)
        with suppress(OSError):  # there are others
            (self.directory / "setup").rmdir()

    def _put(self, path: Path, content: bytes | None) -> None:
        if content is None:
            path.unlink(missing_ok=True)
            return
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content)

    def _place(self, path: Path) -> Path:
        mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        return self.directory / "setup" / f"{path.name.lstrip('.')}-{mark}"
