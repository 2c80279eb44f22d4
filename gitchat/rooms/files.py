"""Files on a disk: read to be attached, and written where attachments are extracted to.

What is read is a person's own choice and only has to end; what is written comes from
strangers. So :class:`Directory` creates files and does nothing else: names without a slash,
below one open directory, each a new file that nobody can run.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from gitchat.model.attachment import File, is_safe_name, too_large
from gitchat.model.errors import StorageError, UserError

MAX_COPIES = 1000
"""How many files of one name a directory can hold before something is wrong with who asks for more."""


def read_file(path: str, *, limit_bytes: int) -> File:
    """The regular file at ``path``, as far as it goes at this moment. Never waits for a writer.

    Raises:
        UserError: ``no-such-file``, ``not-a-file``, ``unreadable-file``, ``attachment-too-large``.
    """
    try:
        kind = os.stat(path).st_mode  # before opening: to open a device may start something
        if not stat.S_ISREG(kind):
            raise _not_a_file(path, kind)
        # Should a FIFO have taken the file's place meanwhile: without O_NONBLOCK this would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _not_a_file(path, status.st_mode)
            # The size decides nothing: the file may grow while it is read, and those in /proc say 0.
            content = file.read(limit_bytes + 1)
    except UserError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(path, error) from error
    if len(content) > limit_bytes:
        raise too_large(repr(path), max(status.st_size, len(content)), limit_bytes)
    return File(Path(path).name, content)


def _not_a_file(path: str, mode: int) -> UserError:
    quoted = shlex.quote(path)
    if stat.S_ISDIR(mode):
        name = f"{Path(os.path.abspath(path)).name or 'files'}.tar.gz"
        # An archive must not lie in what it is made of.
        name = shlex.quote(os.path.join("..", name) if os.path.abspath(path) == os.path.abspath(os.curdir) else name)
        return UserError(
            f"{path!r} is a directory",
            hint=f"attach its files, or make one of them: tar -czf {name} {quoted}",
            code="not-a-file",
        )
    return UserError(
        f"{path!r} is no regular file", hint="save what it gives to a file, and attach that", code="not-a-file"
    )


def _unreadable(path: str, error: OSError | ValueError) -> UserError:
    quoted = shlex.quote(path)
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        there = next((str(above) for above in Path(path).parents if above.is_dir()), ".")
        return UserError(
            f"there is no file {path!r}", hint=f"see what is there: ls -l {shlex.quote(there)}", code="no-such-file"
        )
    return UserError(
        f"{path!r} cannot be read: {error.strerror}", hint=f"see who may: ls -l {quoted}", code="unreadable-file"
    )


class Directory:
    """A directory to extract to, made when it is missing. Use it in a ``with`` statement.

    Raises:
        UserError: ``not-a-directory``.
        StorageError: it cannot be made or written to.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            os.makedirs(path, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileExistsError, NotADirectoryError) as error:
            raise UserError(
                f"{path!r} is no directory",
                hint="name another one; it is made when it is missing",
                code="not-a-directory",
            ) from error
        except OSError as error:
            raise _unwritable(path, error) from error

    def __enter__(self) -> Directory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def add(self, name: str, content: bytes) -> str:
        """Write a new file and return its path; a name that is taken gets a number, as wget gives it.

        Nothing that is there is overwritten or followed, be it a file or a symbolic link, and
        nothing is left of a file that could not be written whole.

        Raises:
            UserError: ``too-many-copies``.
            StorageError: the disk refuses.
        """
        if not is_safe_name(name):
            raise ValueError(f"not a safe name: {name!r}")
        try:
            taken = self._create(name)
            try:
                with open(taken[1], "wb") as file:
                    file.write(content)
            except OSError:
                with suppress(OSError):
                    os.unlink(taken[0], dir_fd=self._descriptor)
                raise
        except OSError as error:
            raise _unwritable(os.path.join(self._path, name), error) from error
        return os.path.join(self._path, taken[0])

    def _create(self, name: str) -> tuple[str, int]:
        """A new file's name and descriptor."""
        for copy in range(MAX_COPIES):
            free = f"{name}.{copy}" if copy else name
            try:
                # Mode 0644 less the umask. O_EXCL refuses a symbolic link, too, also one that leads nowhere.
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                return free, os.open(free, flags, 0o644, dir_fd=self._descriptor)
            except OSError as error:
                if error.errno != errno.EEXIST:
                    raise
        raise UserError(
            f"{self._path!r} has {MAX_COPIES:,} files called {name!r}",
            hint="name an empty directory",
            code="too-many-copies",
        )


def _unwritable(path: str, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path!r}: {error.strerror}",
        hint="name another directory; what was written so far is whole",
        code="cannot-extract",
    )
