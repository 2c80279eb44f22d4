"""Our own files, below ``chatroom/`` in the git common directory: the one opener of all of them.

Three things must be true of each, whoever opens it:

- **It is ours.** Whoever may write to the git directory (a team mate, an archive that was unpacked) may have put a
  link, a pipe or a device in its place. No component below the git directory is followed, nothing is waited for, and
  what is no regular file is refused: :class:`Misplaced`.
- **The other users can use it** as far as git's own rule says (:mod:`gitchat.storage.sharing`), with any umask. What
  has the wrong mode and belongs to us is mended when it is opened: of a setting that came later, or of a kill. What
  is private is its owner's alone, whatever that rule says.
- **The owner of the git directory can use it**, also when root made it.

Source: docs/format.md section 7; open(2).
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitchat.storage.ownership import give, is_guest
from gitchat.storage.sharing import UNSHARED, Sharing, implied_sharing

_SAFE = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW

_REFUSALS = (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR, errno.ENOTDIR, errno.EOPNOTSUPP)
"""What open(2) says of a link (EMLINK on FreeBSD), a pipe or socket, a directory, and a file in a directory's place."""

_MODE_SECONDS = 0.2
"""For how long a file may be closed to us that another user has just made: its mode comes in a second step."""

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFREG: "a file",
}


class Misplaced(OSError):
    """Something stands where a file or a directory of ours belongs; nothing was done to it."""

    def __init__(self, path: Path, mode: int, common_dir: Path) -> None:
        """``mode`` is that of what stands there, as ``lstat`` gives it; ``common_dir`` the git common directory."""
        super().__init__(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'no file')}", str(path))
        self.path = path
        self.common_dir = common_dir
        self.may_be_precious = stat.S_ISDIR(mode) or stat.S_ISREG(mode)
        """Whether it may hold what somebody misses, which a link and a pipe do not."""


_asked: dict[Path, Callable[[], Sharing]] = {}


def share(directory: Path, ask: Callable[[], Sharing]) -> None:
    """From now on what is made below ``directory`` is shared as ``ask`` says, who is asked when something is made.

    ``directory`` is ``chatroom/``. The rule is the process's, as the umask is that it stands beside: it is git's
    configuration, which all that opens a repository here has in common.
    """
    _asked[directory] = ask


def _sharing(directory: Path) -> Sharing:
    """How what we make below ``directory`` is shared. Raises OSError, and what ``ask`` raises."""
    sharing = _asked[directory]() if directory in _asked else UNSHARED
    if not sharing.bits and os.geteuid() != 0:
        status = os.stat(directory.parent)
        if status.st_uid != os.geteuid():
            return implied_sharing(status.st_mode)
    return sharing


class OwnFile:
    """The file ``name`` in ``directory``, which is ``chatroom/``; of ``name`` each part but the last is a directory.

    Nothing of it need exist: who writes makes it, and who reads does not. All that is here raises OSError, and
    Misplaced where something else stands there.
    """

    __slots__ = ("directory", "is_private", "name")

    def __init__(self, directory: Path, name: str, *, is_private: bool = False) -> None:
        self.directory = directory
        self.name = name
        self.is_private = is_private

    @property
    def path(self) -> Path:
        """Where it is, for a person to read."""
        return self.directory / self.name

    def open(self, flags: int) -> int:
        """A descriptor of it; with ``O_CREAT`` it is made when it is missing, and the directories before it, too."""
        with self._place(make=bool(flags & os.O_CREAT)) as (place, last):
            return self._open(place, last, flags)

    def read(self, max_bytes: int | None = None) -> bytes:
        """What it holds, or its first ``max_bytes``."""
        with open(self.open(os.O_RDONLY), "rb", buffering=0) as file:
            return (file.readall() if max_bytes is None else file.read(max_bytes)) or b""

    def replace(self, content: bytes, *, is_synced: bool = False) -> None:
        """Let it hold ``content``, and nothing between that and what it held before. One writer at a time.

        When it ``is_synced``, also after a power cut.
        """
        with self._place(make=True) as (place, last):
            draft = f"{last}.new"
            # Of somebody who was killed, or not ours at all.
            with suppress(FileNotFoundError), self._refused(self.path.with_name(draft)):
                os.unlink(draft, dir_fd=place)
            with open(self._open(place, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(content)
                if is_synced:
                    file.flush()
                    os.fsync(file.fileno())
            with self._refused(self.path):
                os.replace(draft, last, src_dir_fd=place, dst_dir_fd=place)
            if is_synced:
                os.fsync(place)

    def look(self) -> None:
        """Raise Misplaced where it is no regular file, without opening it: who closes a file gives up its locks."""
        with self._place(make=False) as (place, last), self._refused(self.path):
            mode = os.stat(last, dir_fd=place, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            raise Misplaced(self.path, mode, self.directory.parent)

    def let_run(self) -> None:
        """Let whoever may read it run it, too."""
        descriptor = self.open(os.O_RDONLY)
        try:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            os.fchmod(descriptor, mode | (mode & 0o444) >> 2)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Remove it, or the link that stands in its place; nothing happens where there is none."""
        with suppress(FileNotFoundError), self._place(make=False) as (place, last), self._refused(self.path):
            os.unlink(last, dir_fd=place)

    def rename(self, last: str) -> None:
        """Let it be called ``last`` in its directory, instead of what was called so."""
        with self._place(make=False) as (place, name), self._refused(self.path):
            os.replace(name, last, src_dir_fd=place, dst_dir_fd=place)

    def modified(self) -> float:
        """When it was changed, in seconds since the epoch, by the file system's clock; or the link in its place."""
        with self._place(make=False) as (place, last), self._refused(self.path):
            return os.stat(last, dir_fd=place, follow_symlinks=False).st_mtime

    def stamp(self) -> tuple[int, int, int]:
        """Its inode, size, and when it was changed in nanoseconds: what differs after each change that one can see."""
        with self._place(make=False) as (place, last), self._refused(self.path):
            status = os.stat(last, dir_fd=place, follow_symlinks=False)
            return status.st_ino, status.st_size, status.st_mtime_ns

    def sync_name(self) -> None:
        """Have its name in its directory, and that of ``chatroom/``, survive a power cut."""
        with self._place(make=False) as (place, _):
            os.fsync(place)
            above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
            try:
                os.fsync(above)
            finally:
                os.close(above)

    def make_directory(self) -> None:
        """Make all directories before its last part: what somebody else than this class opens there can be made."""
        with self._place(make=True):
            pass

    # --- opening -------------------------------------------------------------------------

    @contextmanager
    def _place(self, *, make: bool) -> Iterator[tuple[int, str]]:
        """The directory that holds it, open, and the name there."""
        *parts, last = self.name.split("/")
        place = self._enter(self.directory, None, make)
        try:
            path = self.directory
            for part in parts:
                path /= part
                inner = self._enter(path, place, make)
                os.close(place)
                place = inner
            yield place, last
        finally:
            os.close(place)

    def _enter(self, path: Path, outer: int | None, make: bool) -> int:
        name = path.name if outer is not None else str(path)
        is_new = False
        try:
            descriptor = self._tried(path, lambda: os.open(name, _DIRECTORY, dir_fd=outer))
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=outer)
                is_new = True
            descriptor = self._tried(path, lambda: os.open(name, _DIRECTORY, dir_fd=outer))
        self._settle(descriptor, is_new, make)
        return descriptor

    def _open(self, place: int, name: str, flags: int) -> int:
        path = self.path.with_name(name)
        while True:
            is_new = False
            try:
                if flags & os.O_EXCL:
                    raise FileNotFoundError
                descriptor = self._tried(path, lambda: os.open(name, flags & ~os.O_CREAT | _SAFE, dir_fd=place))
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
                try:
                    mode = 0o600 if self.is_private else 0o666
                    descriptor = os.open(name, flags | os.O_EXCL | _SAFE, mode, dir_fd=place)
                except FileExistsError:
                    if flags & os.O_EXCL:
                        raise
                    continue
                is_new = True
            self._settle(descriptor, is_new, bool(flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)), path)
            return descriptor

    def _tried(self, path: Path, attempt: Callable[[], int]) -> int:
        """What ``attempt`` opens; where another user has just made it, in the moment when its mode is right."""
        end = None
        with self._refused(path):
            while True:
                try:
                    return attempt()
                except PermissionError:
                    end = end or time.monotonic() + _MODE_SECONDS
                    if time.monotonic() >= end or not _sharing(self.directory).bits:
                        raise
                time.sleep(0.005)

    @contextmanager
    def _refused(self, path: Path) -> Iterator[None]:
        """What the operating system says of something that stands in the place of ``path`` becomes Misplaced."""
        try:
            yield
        except OSError as error:
            if isinstance(error, Misplaced):
                raise
            if (error.errno in _REFUSALS or (error.errno == errno.EPERM and path.is_dir())) and os.path.lexists(path):
                raise Misplaced(path, os.lstat(path).st_mode, self.directory.parent) from error
            error.filename = str(path)
            raise

    def _settle(self, descriptor: int, is_new: bool, make: bool, path: Path | None = None) -> None:
        """See that it is what it shall be (for a file, ``path``), and whose it shall be; close it where it is not."""
        try:
            status = os.fstat(descriptor)
            if path is not None and not stat.S_ISREG(status.st_mode):
                raise Misplaced(path, status.st_mode, self.directory.parent)
            if make and status.st_uid == os.geteuid():
                is_ours_alone = self.is_private and path is not None
                wanted = stat.S_IFREG | 0o600 if is_ours_alone else _sharing(self.directory).mode(status.st_mode)
                if wanted != status.st_mode:
                    os.fchmod(descriptor, stat.S_IMODE(wanted))
            if is_new and is_guest(self.directory.parent):
                give(descriptor, self.directory.parent)
        except BaseException:
            os.close(descriptor)
            raise


def entries(directory: Path, name: str) -> list[str]:
    """What is in the directory ``name`` of ``directory``, ``chatroom/``; nothing where that is no directory of ours."""
    with suppress(OSError), OwnFile(directory, f"{name}/.")._place(make=False) as (place, _):
        return os.listdir(place)
    return []
