"""Root in another user's git directory: what it makes there becomes the owner's.

A container that runs as root over a mounted repository, and ``sudo``, are the ordinary cases. One directory of root's
among those of the objects, or of our files, and the owner's git fails there. So what root makes is given away: our own
files where they are opened, and what git and libgit2 made when the lock is let go under which they made it.

The owner may have put anything there, also what was made by root elsewhere and is closed to them. So a file is only
given away when it was written meanwhile and has no other name; a directory holds no secret.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_TOPS = ("objects", "refs", "logs", "reftable", "chatroom")


def is_guest(common_dir: Path) -> bool:
    """Whether this process is root, and the git directory is not. Raises OSError."""
    return os.geteuid() == 0 and os.stat(common_dir).st_uid != 0


def give(descriptor: int, common_dir: Path) -> None:
    """Give an open file or directory to the owner of the git directory. Raises OSError."""
    owner = os.stat(common_dir)
    os.fchown(descriptor, owner.st_uid, owner.st_gid)


def give_away(common_dir: Path, since: float) -> None:
    """Give to the owner all directories of root's, and its files that were changed at ``since`` or later.

    ``since`` is in seconds since the epoch, by the file system's clock. Never fails.
    """
    with suppress(OSError):
        place = os.open(common_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _give_files(common_dir, os.listdir(place), place, since)
        finally:
            os.close(place)
        for top in _TOPS:
            for _, _, names, place in os.fwalk(common_dir / top):
                if os.fstat(place).st_uid == 0:
                    give(place, common_dir)
                _give_files(common_dir, names, place, since)


def _give_files(common_dir: Path, names: list[str], place: int, since: float) -> None:
    for name in names:
        with suppress(OSError):
            if not _is_to_give(os.stat(name, dir_fd=place, follow_symlinks=False), since):
                continue
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place)
            try:
                if _is_to_give(os.fstat(descriptor), since):
                    give(descriptor, common_dir)
            finally:
                os.close(descriptor)


def _is_to_give(status: os.stat_result, since: float) -> bool:
    is_roots = status.st_uid == 0 and status.st_nlink == 1 and stat.S_ISREG(status.st_mode)
    return is_roots and status.st_mtime >= since
