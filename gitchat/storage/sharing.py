"""Who besides the writer may use what is written: git's rule, ``core.sharedRepository``. Pure.

git applies it to objects, refs and packs by itself; here it is for what we write beside them.
Source: git-config(1), core.sharedRepository; path.c of git, calc_shared_perm and adjust_shared_perm.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass

_GROUP, _EVERYBODY = 0o660, 0o664


@dataclass(frozen=True, slots=True)
class Sharing:
    """What the umask has left is widened by ``bits``; with ``is_exact``, for 0xxx, it is replaced by them."""

    bits: int = 0
    is_exact: bool = False

    def mode(self, mode: int) -> int:
        """The mode that a file or a directory gets, which has ``mode`` now: as ``st_mode`` gives it, and so given."""
        if not self.bits:
            return mode
        bits = self.bits if mode & stat.S_IWUSR else self.bits & ~0o222
        if mode & stat.S_IXUSR:
            bits |= (bits & 0o444) >> 2
        wanted = (mode & ~0o777) | bits if self.is_exact else mode | bits
        if stat.S_ISDIR(mode):
            wanted |= (wanted & 0o444) >> 2
            if wanted & 0o060:
                wanted |= stat.S_ISGID  # so that what is made in it is the group's, too
        return wanted


UNSHARED = Sharing()
"""As the umask says."""


def sharing_of(value: str | None) -> Sharing:
    """What a value of ``core.sharedRepository`` means; None for one that is not set. Raises ValueError."""
    named = {None: UNSHARED, "umask": UNSHARED, "group": Sharing(_GROUP)}
    if value in named:
        return named[value]
    if value in ("all", "world", "everybody"):
        return Sharing(_EVERYBODY)
    assert value is not None
    try:
        number = int(value or "0", 8)
    except ValueError:
        return Sharing(_GROUP) if _is_true(value) else UNSHARED
    if number in (0, 1, 2):
        return (UNSHARED, Sharing(_GROUP), Sharing(_EVERYBODY))[number]
    if number < 0 or number & 0o600 != 0o600:
        raise ValueError("the owner of files must always have read and write permissions")
    return Sharing(number & 0o666, is_exact=True)


def _is_true(value: str) -> bool:
    """A boolean as git reads it. Raises ValueError."""
    if value.lower() in ("true", "yes", "on"):
        return True
    if value.lower() in ("false", "no", "off"):
        return False
    raise ValueError(f"{value!r} is no way to share a repository")


def implied_sharing(directory_mode: int) -> Sharing:
    """For who writes into somebody else's git directory that is not declared as shared: what its mode lets others do.

    Without it the owner could not write what such a guest makes.
    """
    if directory_mode & stat.S_IWOTH:
        return Sharing(0o666)
    return Sharing(_GROUP) if directory_mode & stat.S_IWGRP else UNSHARED
