"""The files of the work tree, as git lists them. Nothing is changed, the index included."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gitchat.workspace.repository import Repository


def changed(repository: Repository) -> list[str]:
    """The paths that were changed here and are not committed, from the top of the work tree; ignored ones never.

    A file that was renamed is both. Raises git.GitFailed.
    """
    told = repository.git(
        "--no-optional-locks", "status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--ignore-submodules=all"
    )
    return sorted(line[3:] for line in _lines(told))


def tracked(repository: Repository) -> list[str]:
    """The paths that git tracks in the whole work tree. Raises git.GitFailed."""
    return list(_lines(repository.git("ls-files", "-z", "--full-name", ":/")))


def _lines(told: bytes) -> Iterator[str]:
    return (os.fsdecode(line) for line in told.split(b"\0") if line)
