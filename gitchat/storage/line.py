"""The first-parent line of a long log, read by git in one stream: a third of what reading commit by commit costs.

git finds the line from its end on, and has each commit unpacked for that: so it prints them at once, into a file
without a name that is read from its end on. What it does not print as it is stored, it is asked for again.

Nothing is healed and nothing explained here: for whatever is not as it should be there is the reading one by one.
Source: git-rev-list(1), git-cat-file(1).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, overload

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

    @contextmanager
    def commits(self, tip: Oid, after: Oid | None, directory: Path) -> Iterator[Commits]:
        """The commits from behind ``after`` (None: from the root) to ``tip``. What they are is kept in ``directory``.

        A shallow clone's line ends where its history does. Raises Broken.
        """
        size = len(tip) // 2
        with ExitStack() as stack:
            spool = _spool_in(directory, stack)
            if spool is not None:
                try:
                    with self._git([*_listing(tip, after), "--header"], printed=spool.fileno()):
                        pass
                except Broken:  # no room, perhaps
                    spool.close()
                    spool = None
            if spool is None:
                with self._git(_listing(tip, after)) as process:
                    assert process.stdout is not None
                    oids = _ids(process.stdout.read, b"\n", size)
            else:
                spool.seek(0)
                oids = _ids(spool.read, b"\0", size)
            yield Commits(oids, self, spool)

    def is_longer(self, tip: Oid, after: Oid | None, limit: int) -> bool:
        """Whether there are more than ``limit`` of them. Raises Broken."""
        with self._git([*_listing(tip, after), "--count", f"--max-count={limit + 1}"]) as process:
            assert process.stdout is not None
            return int(process.stdout.read()) > limit

    def contents(self, oids: Sequence[bytes]) -> Iterator[bytes]:
        """The bytes of these commits, one after the other. Raises Broken."""
        given = b"".join(b"%s\n" % oid.hex().encode() for oid in oids)
        with self._git(["cat-file", "--batch", "--buffer"], given) as process:
            assert process.stdout is not None
            for oid in oids:
                header = process.stdout.readline().split(b" ")
                if len(header) != 3 or header[1] != b"commit":
                    raise Broken
                content = process.stdout.read(int(header[2]) + 1)[:-1]
                if not _is_called(content, oid):  # git does not compare them when it only prints
                    raise Broken
                yield content

    @contextmanager
    def _git(self, command: Sequence[str], given: bytes = b"", printed: int | None = None) -> Iterator[git.Process]:
        """``git <command>``, running, with its standard input; its output goes to a pipe, or to the file ``printed``.

        Raises Broken when it fails.
        """
        arguments = [*_SMALL, f"--git-dir={self._common_dir}", *command]
        try:
            with TemporaryFile() as asked:  # a pipe would fill while nobody reads what comes
                asked.write(given)
                asked.seek(0)
                process = git.start(arguments, self._common_dir, self._variables, stdin=asked.fileno(), stdout=printed)
        except (StorageError, OSError) as error:
            raise Broken from error
        try:
            yield process
            if process.stdout is not None:
                process.stdout.close()
            if process.wait() != 0:
                raise Broken
        finally:
            process.kill()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


class Commits:
    """The commits of a line, oldest first; to be read in this order, or again from an earlier one on."""

    def __init__(self, oids: Oids, line: Line, spool: IO[bytes] | None) -> None:
        self.oids = oids
        self._line = line
        self._spool = spool
        self._printed: Iterator[bytes] = iter(())
        self._at = len(oids)

    def contents(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes of those from ``start`` to before ``end``. Raises Broken."""
        if self._spool is None:
            yield from self._line.contents(self.oids[start:end])
            return
        if start < self._at:
            self._printed, self._at = _backwards(self._spool), 0
        for _ in islice(self._printed, start - self._at):
            pass
        for first in range(start, end, _PART):
            oids = self.oids[first : min(first + _PART, end)]
            told = [_stored(printed, oid) for printed, oid in zip(islice(self._printed, len(oids)), oids, strict=True)]
            self._at = first + len(oids)
            others = [oid for oid, one in zip(oids, told, strict=True) if one is None]
            asked = iter(list(self._line.contents(others)) if others else ())
            yield from (next(asked) if one is None else one for one in told)


def _spool_in(directory: Path, stack: ExitStack) -> IO[bytes] | None:
    """A file without a name, as long as ``stack`` lasts; None where there can be none, or too little room for it."""
    try:
        room = os.statvfs(directory)
        if room.f_bavail * room.f_frsize < SPARE_BYTES:
            return None
        return stack.enter_context(TemporaryFile(buffering=0, dir=directory))
    except OSError:
        return None


def _ids(read: Callable[[int], bytes], end: bytes, size: int) -> Oids:
    """The ids, of ``size`` bytes, that git printed at the beginning of each part that ends so. Raises Broken."""
    packed, begun = bytearray(), b""
    while more := read(_READ_BYTES):
        *whole, begun = (begun + more).split(end)
        try:
            packed += bytes.fromhex(b"".join([one[: 2 * size] for one in whole]).decode("ascii"))
        except ValueError as error:
            raise Broken from error
    return Oids(bytes(packed), size)


def _backwards(file: IO[bytes]) -> Iterator[bytes]:
    """What git printed of each commit, the last one first. Raises Broken."""
    end, begun = os.fstat(file.fileno()).st_size, b""
    while end > 0:
        start = max(0, end - _READ_BYTES)
        read = os.pread(file.fileno(), end - start, start)
        if len(read) != end - start:
            raise Broken
        end = start
        begun, *whole = (read + begun).split(b"\0")
        yield from (one for one in reversed(whole) if one)
    yield begun


def _stored(printed: bytes, oid: bytes) -> bytes | None:
    """A commit as it is stored, of what git printed of it; None where that does not tell."""
    head, _, message = printed[len(oid) * 2 + 1 :].partition(b"\n\n")
    content = b"%s\n\n%s" % (head, message[len(_INDENT) :].replace(b"\n" + _INDENT, b"\n"))
    return content if _is_called(content, oid) else None


def _is_called(content: bytes, oid: bytes) -> bool:
    """Whether a commit has this id."""
    sha = hashlib.sha1 if len(oid) == 20 else hashlib.sha256
    return sha(b"commit %d\0%s" % (len(content), content)).digest() == oid


SPARE_BYTES = 2 << 30
"""What has to be free on the disk: three million messages. Where that is not, git reads them twice."""

_INDENT = b"    "
"""What git prints before each line of a message."""

_PART = 1_000
"""How many commits are at hand at once."""

_READ_BYTES = 1024 * 1024
_SMALL = ("-c", "core.packedGitWindowSize=8m", "-c", "core.packedGitLimit=32m")
"""git would look at a whole pack at once, which counts as its memory: 400 MB of a million commits in place of 130."""


def _listing(tip: Oid, after: Oid | None) -> list[str]:
    return ["rev-list", "--first-parent", tip, *([f"^{after}"] if after is not None else [])]
