"""The journal: what this clone wrote lately, kept outside git's object database.

``git prune`` first lists what is reachable and later deletes the rest, so a commit that
was written in between is deleted although a ref points to it by then; ``git gc
--prune=now`` does the same. No check at writing helps. What helps is to have the bytes
elsewhere, and to write them again when they are missing: an object's name is its
content, so that is harmless however often it happens.

The file is only ever appended to under the write lock, an entry in one write:
``<oid> <kind> <size> <crc32>`` and a line feed, the content, a line feed. The quick way
(:mod:`gitchat.quick.append`) syncs what it appends, and nothing else: after a power cut
objects and refs are made again from here (:mod:`gitchat.rooms.aftermath`). The long way syncs
objects and refs, and the journal before a ref moves: an object that a prune took may be here
alone. A reader passes over what does not check and goes on at the next whole entry; as a torn
one may run into the next, what is found behind damage must also have the id that its header
tells. Source: docs/format.md section 7.
"""

from __future__ import annotations

import errno
import os
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gitchat.model.names import Oid
from gitchat.quick import noted
from gitchat.storage.backend import ObjectKind
from gitchat.storage.ownfiles import OwnFile

_HEADER = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob) ([0-9]{1,9}) ([0-9a-f]{8})\n")


@dataclass(frozen=True, slots=True)
class Saved:
    """One object of the journal. ``content`` is without git's header."""

    oid: Oid
    kind: ObjectKind
    content: bytes


class Journal:
    """The journal in the file ``path``, which is ``journal`` in ``chatroom/`` and need not exist."""

    def __init__(self, path: Path) -> None:
        self._file = OwnFile(path.parent, path.name)
        self._read = _NOTHING

    def add(self, saved: Saved) -> None:
        """Append one object. Under the write lock. Raises OSError; what was written by then is passed over."""
        entry = _encode(saved)
        descriptor = self._file.open(os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            is_new = os.fstat(descriptor).st_size == 0
            if os.write(descriptor, entry) != len(entry):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._file.path))
        finally:
            os.close(descriptor)
        if is_new:
            self._file.sync_name()  # what is synced later by its content alone has a name then

    def sync(self) -> None:
        """Return when what was appended is on the disk. Raises OSError."""
        descriptor = self._file.open(os.O_WRONLY)
        try:
            noted.sync(descriptor)
        finally:
            os.close(descriptor)

    def entries(self) -> list[Saved]:
        """All whole entries, oldest first, each object once; none when the file cannot be read."""
        try:
            data = self._file.read()
        except OSError:
            return []
        return list({saved.oid: saved for saved in _decode(data)}.values())

    def oids(self) -> list[Oid]:
        """The ids of :meth:`entries`, oldest first. Reads only what was added since it was asked last."""
        try:
            descriptor = self._file.open(os.O_RDONLY)
        except OSError:
            self._read = _NOTHING
            return []
        try:
            inode, known = os.fstat(descriptor).st_ino, self._read
            data = _from(descriptor, known.upto - len(known.last))
            if inode != known.inode or not data.startswith(known.last):  # it was replaced
                known, data = _Read(inode, 0, b"", {}), _from(descriptor, 0)
        except OSError:
            return []
        finally:
            os.close(descriptor)
        place = len(known.last)
        for saved, end in _placed(data, place):
            known.oids[saved.oid] = None
            known = known._replace(last=data[max(place, end - _LAST_BYTES) : end], upto=known.upto + end - place)
            place = end
        self._read = known
        return list(known.oids)

    def drop(self, oids: Collection[Oid]) -> None:
        """Forget these objects, because git keeps them safely. Under the write lock. Raises OSError.

        The new file replaces the old one at once: a kill leaves one or the other.
        """
        try:
            data = self._file.read()
        except FileNotFoundError:
            return
        kept = {saved.oid: _encode(saved) for saved in _decode(data) if saved.oid not in oids}
        self._file.replace(b"".join(kept.values()), is_synced=True)

    def unreadable_bytes(self) -> int:
        """How many bytes belong to no whole entry; 0 when the file is not there, or not ours to read."""
        try:
            data = self._file.read()
        except OSError:
            return 0
        return len(data) - sum(len(_encode(saved)) for saved in _decode(data))

    def size_bytes(self) -> int:
        """How large the file is; 0 when there is none."""
        try:
            return os.lstat(self._file.path).st_size
        except OSError:
            return 0


class _Read(NamedTuple):
    """What was read of a file: up to which byte, and what stands right before that."""

    inode: int
    upto: int
    last: bytes
    oids: dict[Oid, None]


_NOTHING = _Read(0, 0, b"", {})

_LAST_BYTES = 256
"""Enough of the end of an entry to know it again: another file may have the inode of the one that was replaced."""


def _from(descriptor: int, place: int) -> bytes:
    """What an open file holds from ``place`` on. Raises OSError."""
    parts = []
    while part := os.pread(descriptor, 1 << 20, place):
        parts.append(part)
        place += len(part)
    return b"".join(parts)


def _encode(saved: Saved) -> bytes:
    header = f"{saved.oid} {saved.kind} {len(saved.content)} {zlib.crc32(saved.content):08x}\n"
    return header.encode() + saved.content + b"\n"


def _decode(data: bytes) -> Iterator[Saved]:
    return (saved for saved, _ in _placed(data, 0))


def _placed(data: bytes, place: int) -> Iterator[tuple[Saved, int]]:
    """The whole entries from ``place`` on, where one begins or damage does; each with where it ends."""
    while (header := _HEADER.search(data, place)) is not None:
        end = header.end() + int(header[3])
        content = data[header.end() : end]
        kind: ObjectKind = "commit" if header[2] == b"commit" else "tree" if header[2] == b"tree" else "blob"
        saved = Saved(Oid(header[1].decode()), kind, content)
        is_whole = data[end : end + 1] == b"\n" and zlib.crc32(content) == int(header[4], 16)
        # Only 40 digits where an entry must begin are certain; 64 may be 24 of a torn entry and 40 of the next.
        is_certain = header.start() == place and len(saved.oid) == 40
        if is_whole and (is_certain or _has_its_id(saved)):
            yield saved, end + 1
            place = end + 1
        else:
            place = header.start() + 1


def _has_its_id(saved: Saved) -> bool:
    """Whether git, too, would give this content this id."""
    import hashlib  # loads OpenSSL, which an undamaged journal can do without

    named = hashlib.new("sha1" if len(saved.oid) == 40 else "sha256", usedforsecurity=False)
    named.update(f"{saved.kind} {len(saved.content)}\0".encode() + saved.content)
    return named.hexdigest() == saved.oid
