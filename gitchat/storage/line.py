"""The first-parent line of a long log, read by git in one stream: half of what reading commit by commit costs.

Nothing is healed and nothing explained here: for whatever is not as it should be there is the reading one by one.
Source: git-rev-list(1), git-cat-file(1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import overload

from gitchat.model.errors import StorageError
from gitchat.model.names import Oid
from gitchat.storage import git


class Broken(Exception):
    """git could not give it all, or what it gave is not what its name says."""


class Oids(Sequence[bytes]):
    """Ids of commits, oldest first, each as its bytes; a third of the memory that a list takes."""

    def __init__(self, packed: bytes, size: int) -> None:
        """``packed`` has them behind one another, newest first, of ``size`` bytes each."""
        self._packed = packed
        self._size = size

    def __len__(self) -> int:
        return len(self._packed) // self._size

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            ends = range(len(self._packed), 0, -self._size)[place]
            return [self._packed[end - self._size : end] for end in ends]
        end = range(len(self._packed), 0, -self._size)[place]
        return self._packed[end - self._size : end]

    def behind(self, oid: bytes) -> int:
        """The place behind that of ``oid``; 0 where that is not among them."""
        at = self._packed.find(oid)
        while at > 0 and at % self._size:
            at = self._packed.find(oid, at + 1)
        return len(self) - at // self._size if at >= 0 else 0


class Line:
    """Reads lines of first parents in the repository of ``common_dir``, by git, with these variables."""

    def __init__(self, common_dir: Path, variables: Mapping[str, str]) -> None:
        self._common_dir = str(common_dir)
        self._variables = variables

    def oids(self, tip: Oid, after: Oid | None) -> Oids:
        """The commits from behind ``after`` (None: from the root) to ``tip``, oldest first, each as bytes of its id.

        A shallow clone's line ends where its history does. Raises Broken.
        """
        with self._git(_listing(tip, after)) as process:
            assert process.stdout is not None
            packed = bytearray()
            while lines := process.stdout.readlines(_READ_BYTES):
                packed += bytes.fromhex(b"".join(lines).decode("ascii"))  # which passes over the ends of lines
        return Oids(bytes(packed), len(tip) // 2)

    def is_longer(self, tip: Oid, after: Oid | None, limit: int) -> bool:
        """Whether there are more than ``limit`` of them. Raises Broken."""
        with self._git([*_listing(tip, after), "--count", f"--max-count={limit + 1}"]) as process:
            assert process.stdout is not None
            return int(process.stdout.read()) > limit

    def contents(self, oids: Sequence[bytes]) -> Iterator[bytes]:
        """The bytes of these commits, one after the other. Raises Broken."""
        sha = hashlib.sha1 if oids and len(oids[0]) == 20 else hashlib.sha256
        given = b"".join(b"%s\n" % oid.hex().encode() for oid in oids)
        with self._git(["cat-file", "--batch", "--buffer"], given) as process:
            assert process.stdout is not None
            for oid in oids:
                header = process.stdout.readline().split(b" ")
                if len(header) != 3 or header[1] != b"commit":
                    raise Broken
                content = process.stdout.read(int(header[2]) + 1)[:-1]
                # git does not compare them when it only prints.
                if sha(b"commit %d\0%s" % (len(content), content)).digest() != oid:
                    raise Broken
                yield content

    @contextmanager
    def _git(self, command: Sequence[str], given: bytes = b"") -> Iterator[git.Process]:
        """``git <command>``, running, with its standard input. Raises Broken when it fails."""
        arguments = [*_SMALL, f"--git-dir={self._common_dir}", *command]
        try:
            with TemporaryFile() as asked:  # a pipe would fill while nobody reads what comes
                asked.write(given)
                asked.seek(0)
                process = git.start(arguments, self._common_dir, self._variables, stdin=asked.fileno())
        except StorageError as error:
            raise Broken from error
        try:
            yield process
            assert process.stdout is not None
            process.stdout.close()
            if process.wait() != 0:
                raise Broken
        finally:
            process.kill()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


_READ_BYTES = 1024 * 1024
_SMALL = ("-c", "core.packedGitWindowSize=8m", "-c", "core.packedGitLimit=32m")
"""git would look at a whole pack at once, which counts as its memory: 400 MB of a million commits in place of 130."""


def _listing(tip: Oid, after: Oid | None) -> list[str]:
    return ["rev-list", "--first-parent", tip, *([f"^{after}"] if after is not None else [])]
