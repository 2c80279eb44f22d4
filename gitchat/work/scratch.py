"""git's objects that nobody will need later: written into a directory of ours, which reads the repository's beside it.

Nothing of the user's is changed: not the index, of which there is a copy, not a ref, not one loose object. One process
at a time has the directory; what a killed one left in it is removed by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from gitchat.storage import gate, git
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.workspace.process import read_clock
from gitchat.workspace.repository import Repository

LOCK = "conflicts.lock"
"""The file in ``chatroom/`` whose lock is the turn to look at people's work."""

_PLACE = "ahead"

_NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "gitchat"), ("EMAIL", "gitchat@gitchat.invalid"), ("DATE", "@0 +0000"))
}
"""Who writes a commit that nobody keeps; one tree makes one commit, whenever it is looked at."""


class Git(Protocol):
    """Whoever runs git in the repository."""

    def git(self, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> bytes:
        """The output of a git command. Raises git.GitFailed."""


class Reading:
    """git in the worktree of ``repository``, for what writes no object."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def git(self, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> bytes:
        """The output of a git command. Raises git.GitFailed."""
        variables = {**self._repository.variables, "GIT_OPTIONAL_LOCKS": "0"}
        return git.run(arguments, cwd=cwd or self._repository.cwd, variables=variables, stdin=stdin).stdout


class Scratch:
    """git, in any worktree of the repository, with objects and an index of its own."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._place = repository.directory / _PLACE
        self._variables = {
            **repository.variables,
            **_NOBODY,
            "GIT_OBJECT_DIRECTORY": str(self._place / "objects"),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
        }

    def git(self, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> bytes:
        """The output of a git command; with ``has_index`` it uses our copy of the index. Raises git.GitFailed."""
        variables = self._variables | ({"GIT_INDEX_FILE": str(self._place / "index")} if has_index else {})
        return git.run(arguments, cwd=cwd or self._repository.cwd, variables=variables, stdin=stdin).stdout

    def copy_index(self, git_dir: Path) -> None:
        """Begin with the index of the worktree whose git directory this is; with none where it has none."""
        self.drop_index()
        with suppress(FileNotFoundError):
            shutil.copyfile(git_dir / "index", self._place / "index", follow_symlinks=False)
            # As old as it is: git reads again what was written in the second of its index, and by that alone knows it.
            status = os.stat(git_dir / "index")
            os.utime(self._place / "index", ns=(status.st_atime_ns, status.st_mtime_ns))

    def drop_index(self) -> None:
        """Begin with no index at all."""
        with suppress(FileNotFoundError):
            (self._place / "index").unlink()

    @property
    def objects(self) -> str:
        """The directory of what was made here."""
        return str(self._place / "objects")

    def _begin(self) -> None:
        self._end()
        # By a file and not by a variable, in which a colon of a path would end it.
        beside = OwnFile(self._repository.directory, f"{_PLACE}/objects/info/alternates")
        beside.replace(os.fsencode(self._repository.location.common_dir / "objects") + b"\n")

    def _end(self) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._place)


def seconds_since(repository: Repository) -> float | None:
    """How long ago a look began here; None where there was none, or the clock was set back."""
    with suppress(OSError):
        past = read_clock().seconds - os.stat(repository.directory / LOCK).st_mtime
        return max(past, 0.0) if past > -1 else None  # our clock tells whole seconds
    return None


def entries_of_index(git_dir: Path) -> int:
    """How many paths the index of a worktree has; 0 where it has none. Source: gitformat-index(5)."""
    with suppress(OSError), open(git_dir / "index", "rb") as file:
        head = file.read(12)
        if head[:4] == b"DIRC" and len(head) == 12:
            return int.from_bytes(head[8:], "big")
    return 0


@contextmanager
def scratch(repository: Repository, wait_seconds: float) -> Iterator[Scratch]:
    """The one scratch of this repository, whatever is in it gone afterwards.

    Raises:
        ConflictError: ``write-lock-held``: another looks for longer than ``wait_seconds``.
        StorageError: the disk refuses.
    """
    with gate.hold(repository.directory, wait_seconds, LOCK):
        made = Scratch(repository)
        try:
            os.utime(repository.directory / LOCK)
            made._begin()
            yield made
        except OSError as error:
            raise storage_error(error, repository.directory) from error
        finally:
            with suppress(OSError):
                made._end()
