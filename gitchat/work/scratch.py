"""git's objects that nobody will need later: written into a directory of ours, which reads the repository's beside it.

Nothing of the user's is changed: not the index, of which there is a copy, not a ref, not one loose object. One process
at a time has the directory; what a killed one left in it is removed by the next.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from gitchat.model.errors import StorageError
from gitchat.model.names import Oid
from gitchat.storage import gate, git
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.work.known import Known
from gitchat.workspace.process import read_clock
from gitchat.workspace.repository import Repository

LOCK = "conflicts.lock"
"""The file in ``chatroom/`` whose lock is the turn to look at people's work."""

_PLACE = "ahead"

LOOKING = (_PLACE, LOCK)

HANDING = ("handing", "handing.lock")
"""The place, and the lock, of who hands over work or takes some, for whom nobody who only looks is in the way."""

USAGE = 129
"""git's status for an option that it does not know, because it is too old for it."""

_NO_HOOK = ("-c", "core.hooksPath=/dev/null")
"""git tells a hook of each index that it writes, of ours, too; and the hooks may be files of the work tree."""

_NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "gitchat"), ("EMAIL", "gitchat@gitchat.invalid"), ("DATE", "@0 +0000"))
}
"""Who writes a commit that nobody keeps; one tree makes one commit, whenever it is looked at."""


class TimeUp(Exception):
    """The time of this look is over, and the git that took it was ended."""


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

    def __init__(self, repository: Repository, place: str = _PLACE, limit_seconds: float | None = None) -> None:
        """All that git does here ends after ``limit_seconds``: what is begun later raises TimeUp."""
        self.known = Known()
        """What needs not be found out again; of this process alone, until somebody gives another one."""
        self.began_ns = 0
        """When it began, by the clock of the file system."""
        self._promised: dict[str, Callable[[], str]] = {}
        self._broken: set[str] = set()
        self._end_seconds = time.monotonic() + limit_seconds if limit_seconds is not None else None
        self._repository = repository
        self._place = repository.directory / place
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
        given, where = (*_NO_HOOK, *arguments), cwd or self._repository.cwd
        if self._end_seconds is None:
            return git.run(given, cwd=where, variables=variables, stdin=stdin).stdout
        left = self._end_seconds - time.monotonic()
        if left <= 0:
            raise TimeUp
        try:
            return git.run(
                given, cwd=where, variables=variables, stdin=stdin, timeout_seconds=left, is_apart=True
            ).stdout
        except StorageError as error:
            if error.code == "git-hangs":
                raise TimeUp from error
            raise

    def promise(self, oid: str, make: Callable[[], str]) -> None:
        """An object that is known and not here: ``make`` makes it, where somebody needs it."""
        self._promised[oid] = make

    def redeem(self, *oids: str) -> bool:
        """Make what was promised of these objects; whether they came out as they were known.

        Where they did not, what they were made of changed meanwhile. Raises git.GitFailed.
        """
        for oid in oids:
            if oid in self._promised and self._promised.pop(oid)() != oid:
                self._broken.add(oid)
        return self._broken.isdisjoint(oids)

    def outside(self, *arguments: str, cwd: str | None = None, stdin: bytes = b"") -> bytes:
        """As :meth:`git`, in the repository as it is: what it writes stays."""
        variables = {**self._repository.variables, "GIT_OPTIONAL_LOCKS": "0"}
        given = (*_NO_HOOK, *arguments)
        return git.run(given, cwd=cwd or self._repository.cwd, variables=variables, stdin=stdin).stdout

    def line(self, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> str:
        """As :meth:`git`, of a command that prints one line."""
        return os.fsdecode(self.git(*arguments, cwd=cwd, stdin=stdin, has_index=has_index)).strip("\n")

    def blobs(self, oids: Iterable[Oid]) -> dict[Oid, bytes]:
        """The contents of these objects, ours and the repository's. Raises git.GitFailed where one is not here."""
        wanted = sorted(set(oids))
        told = self.git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in wanted).encode())
        found: dict[Oid, bytes] = {}
        at = 0
        for oid in wanted:
            end = told.index(b"\n", at)
            words = told[at:end].split()
            if len(words) != 3:
                raise git.GitFailed(1, f"fatal: {oid} is not here")
            at = end + 1 + int(words[2])
            found[oid] = told[end + 1 : at]
            at += 1
        return found

    def sizes(self, oids: Iterable[Oid]) -> dict[Oid, int]:
        """How many bytes these objects have. Raises as :meth:`blobs`."""
        wanted = sorted(set(oids))
        told = self.git("cat-file", "--batch-check=%(objectsize)", stdin="".join(f"{oid}\n" for oid in wanted).encode())
        sizes = told.decode().split("\n")
        try:
            return {oid: int(size) for oid, size in zip(wanted, sizes, strict=False)}
        except ValueError as error:
            raise git.GitFailed(1, "fatal: an object of HEAD is not here") from error

    @property
    def place(self) -> Path:
        """Where it is, for files that nobody needs later."""
        return self._place

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
        beside = OwnFile(self._repository.directory, f"{self._place.name}/objects/info/alternates")
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
def scratch(
    repository: Repository,
    wait_seconds: float,
    place: str = _PLACE,
    lock: str = LOCK,
    limit_seconds: float | None = None,
) -> Iterator[Scratch]:
    """The one scratch of this repository at ``place``, whatever is in it gone afterwards.

    Its git ends after ``limit_seconds``, when somebody says so: TimeUp.

    Raises:
        ConflictError: ``write-lock-held``: another has it for longer than ``wait_seconds``.
        StorageError: the disk refuses.
    """
    with gate.hold(repository.directory, wait_seconds, lock):
        made = Scratch(repository, place, limit_seconds)
        try:
            os.utime(repository.directory / lock)
            made.began_ns = os.stat(repository.directory / lock).st_mtime_ns
            made._begin()
            yield made
        except OSError as error:
            raise storage_error(error, repository.directory) from error
        finally:
            with suppress(OSError):
                made._end()
