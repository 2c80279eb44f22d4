"""The text of files, as it stands in the work tree or at a commit. Whoever named them: nothing else is ever opened."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from gitchat.model.errors import StorageError
from gitchat.storage.git import GitFailed
from gitchat.workspace.repository import Repository

MOST_BYTES = 32 * 1024 * 1024
"""The longest file that is looked at: in a longer one no line is anything that people talk about."""

_LOOKED_BYTES = 8000
"""In how much of a file git looks for a NUL byte, which makes it binary. Source: git, xdiff-interface.c."""


def quiet(repository: Repository) -> Repository:
    """The same, for a git that writes no index and fetches nothing."""
    variables = {**repository.variables, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    return Repository(repository.cwd, variables)


def is_binary(content: bytes) -> bool:
    """Whether git takes it for no text."""
    return b"\0" in content[:_LOOKED_BYTES]


def within(top: Path, path: str) -> str | None:
    """Where ``path``, which is taken from ``top``, lies below it, every link on the way followed but for the last.

    None outside of it.
    """
    parent, name = os.path.split(os.path.join(top, path))
    real = os.path.relpath(os.path.join(os.path.realpath(parent), name), os.path.realpath(top))
    return None if real == os.pardir or real.startswith(os.pardir + os.sep) else real


def read(top: Path, path: str) -> bytes | None:
    """A regular file of the work tree; None for none, or a longer one. Follows no link, waits for nothing."""
    if within(top, path) != path:
        return None
    with suppress(OSError, ValueError):
        descriptor = os.open(top / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                content = file.read(MOST_BYTES + 1)
                return content if len(content) <= MOST_BYTES else None
    return None


def entry_at(repository: Repository, commit: str, path: str) -> tuple[str, str] | None:
    """What a commit has at a path: ``blob``, ``link``, ``tree`` or ``commit``, and its id; None for nothing.

    None, too, where the commit is not here.
    """
    try:
        told = repository.git("ls-tree", "-z", "--full-tree", commit, "--", path)
    except (GitFailed, StorageError):
        return None
    head, _, name = os.fsdecode(told).partition("\0")[0].partition("\t")
    if name != path:
        return None
    mode, kind, oid = head.split(" ")
    return ("link" if mode == "120000" else kind), oid


def blob_at(repository: Repository, commit: str, path: str) -> bytes | None:
    """As :func:`read`, at a commit."""
    found = entry_at(repository, commit, path)
    if found is None or found[0] != "blob":
        return None
    with suppress(GitFailed, StorageError):
        content = repository.git("cat-file", "blob", found[1])
        return content if len(content) <= MOST_BYTES else None
    return None
