"""A ref that moves by the quick way: under git's own lock, compared there, with an intent on file.

Source: docs/format.md sections 6.1, 7.1 and 7.2; git's refs/files-backend.c.
"""

import errno
import os

from gitchat.quick import booted, loose
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_TYPE_BITS, _DIRECTORY = 0o170000, 0o040000
_HAS_NOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a system or a file system says that cannot exchange two names."""


class Clone:
    """What an append has to know of a repository. It is whose process this is, shared with no other user, and SHA-1."""

    __slots__ = ("_directories", "common_dir", "exchange", "is_synced", "last", "read_packed", "syncs_refs")

    def __init__(
        self,
        common_dir: str,
        *,
        is_synced: bool,
        is_settled: bool = False,
        read_packed: "Callable[[str], bytes]",
        exchange: "Callable[[str, str], None] | None" = None,
        syncs_refs: bool = False,
    ) -> None:
        """``read_packed`` gives a commit that is not loose, or raises Unusual. ``exchange`` swaps the names of two
        files at once, or raises OSError; it spares ext4 a flush that nobody asked for where nothing ``is_synced``.
        With ``syncs_refs`` what is synced is each ref that moves, for which no journal stands in.

        Raises Unusual: another user owns it, it keeps logs of these refs, or, unless it ``is_settled``, nobody has
        looked after what a power cut may have taken of it.
        """
        if is_synced and not is_settled and not booted.is_settled(common_dir + "/chatroom"):
            raise Unusual
        self.common_dir = common_dir
        self.is_synced = is_synced
        self.syncs_refs = is_synced and syncs_refs
        self.read_packed = read_packed
        self.exchange = None if is_synced else exchange
        self.last = ("", 0)
        """The last commit of a record that was read or written here, and its committer date."""
        try:
            if os.stat(common_dir).st_uid != os.geteuid():
                raise Unusual
        except OSError as refused:
            raise Unusual from refused
        self._directories: set[str] = set()
        self.refuse_link("")
        try:
            os.stat(common_dir + "/logs/refs/chatroom")
        except FileNotFoundError:
            return
        except OSError as refused:
            raise Unusual from refused
        raise Unusual

    def refuse_link(self, directory: str) -> None:
        """Raise Unusual where ``directory`` of ``chatroom/`` is none: no link below the git directory is followed.

        Nobody but us can put one there, so it is looked at once.
        """
        if directory in self._directories:
            return
        try:
            if os.lstat(f"{self.common_dir}/chatroom/{directory}".rstrip("/")).st_mode & _TYPE_BITS != _DIRECTORY:
                raise Unusual
        except OSError as refused:
            raise Unusual from refused
        self._directories.add(directory)

    def read(self, oid: str) -> bytes:
        """The content of a commit. Raises Unusual: there is none, or it is damaged."""
        try:
            return loose.read(self.common_dir + "/objects", oid)
        except FileNotFoundError:
            return self.read_packed(oid)


def opened(path: str, flags: int) -> int:
    """A descriptor of a file. Raises Unusual: it is not there, or not ours."""
    try:
        return os.open(path, flags)
    except OSError as refused:
        raise Unusual from refused


def tip(path: str) -> str:
    """The commit in the file of a ref. Raises Unusual: it is packed, or no plain ref."""
    descriptor = opened(path, _READ)
    try:
        data = os.read(descriptor, 64)
    finally:
        os.close(descriptor)
    if len(data) != 41 or data[40] != 10 or data[:40].strip(b"0123456789abcdef"):
        raise Unusual
    return data[:40].decode()


def move(clone: Clone, ref: str, old: str, new: str, lock: int) -> None:
    """Move a ref, with an intent on file for as long as git's lock of it may be ours. Raises Unusual: it stands."""
    path = f"{clone.common_dir}/{ref}"
    os.pwrite(lock, f"{ref} {new} {os.getpid()}\n".encode(), 0)
    try:
        has_moved = _swap(clone, path, old, new)
    except OSError as refused:
        if tip(path) != new:
            raise Unusual from refused
        return  # what could not be removed is left with the intent, by which the next writer knows it for ours
    try:
        os.ftruncate(lock, 0)
    except OSError as refused:
        if not has_moved:
            raise Unusual from refused
    if not has_moved:
        raise Unusual


def _swap(clone: Clone, path: str, old: str, new: str) -> bool:
    """Move the ref whose file is at ``path`` under git's own lock; False when it is locked, or has moved."""
    lock = path + ".lock"
    try:
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    is_there = True
    try:
        try:
            is_whole = os.write(descriptor, new.encode() + b"\n") == 41
            if clone.syncs_refs:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not is_whole or tip(path) != old:
            return False
        is_there = _exchanged(clone, lock, path)
        if not is_there:
            os.rename(lock, path)
    except Unusual:
        return False
    finally:
        if is_there:
            os.unlink(lock)
    return True


def _exchanged(clone: Clone, lock: str, path: str) -> bool:
    """Let the lock's file be the ref, and the ref's the lock; False where that cannot be."""
    if clone.exchange is None:
        return False
    try:
        clone.exchange(lock, path)
    except OSError as refused:
        if refused.errno not in _HAS_NOT:
            raise
        clone.exchange = None
        return False
    return True
