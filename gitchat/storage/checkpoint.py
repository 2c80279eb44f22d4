"""How many records stand at or before a commit, remembered so that appending costs O(1).

A position is a pure function of its commit, so a checkpoint can be out of date but
never wrong; a missing or damaged file only costs one walk of the log. A writer notes
the position it is about to create *before* it moves the ref, so that a kill in
between leaves a file that already knows the new tip.

The file is overwritten in place under the write lock, which is 200 times cheaper than
a rename over an existing file on ext4; a reader that meets a half-written one sees a
wrong checksum and reads again. Source: docs/format.md section 7.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from gitchat.model.names import Oid
from gitchat.storage.ownfiles import OwnFile

RULE = 1
"""The version of the order rule that the counts follow."""

KEPT_POSITIONS = 8
"""A reader may hold a tip that writers have left behind; it still finds it among these."""

_LINE = re.compile(r"([0-9a-f]{40,64}) ([0-9]+) ([01]) ([01]) ([0-9a-f]{40,64}|-)")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a room's log goes at one commit."""

    tip: Oid | None
    """None for a room without records."""
    count: int
    """Records at or before ``tip``: its own number, when it has one."""
    is_plain: bool
    """Whether no merge and no repeated record stands in the log, so that a record's
    number follows from counting back along first parents."""
    is_closed: bool = False
    """Whether the last ``meta`` record with a state closed the room."""
    title: Oid | None = None
    """The last ``meta`` record with a title."""


EMPTY = Position(None, 0, True)


def load(file: OwnFile) -> list[Position]:
    """The positions in ``file``, oldest first; none when it cannot be used."""
    for _ in range(3):
        try:
            data = file.read(4096)
        except OSError:
            return []
        positions = _decode(data)
        if positions is not None:
            return positions
    return []


def save(file: OwnFile, positions: Sequence[Position]) -> None:
    """Write the newest of ``positions``, oldest first. Under the write lock; fails in silence."""
    data = _encode(positions[-KEPT_POSITIONS:])
    try:
        descriptor = file.open(os.O_WRONLY | os.O_CREAT)
        try:
            os.pwrite(descriptor, data, 0)
            os.ftruncate(descriptor, len(data))
        finally:
            os.close(descriptor)
    except OSError:
        pass  # disposable: without it the next command counts again


def _encode(positions: Sequence[Position]) -> bytes:
    lines = [
        f"{at.tip} {at.count} {int(at.is_plain)} {int(at.is_closed)} {at.title or '-'}\n"
        for at in positions
        if at.tip is not None
    ]
    body = f"gitchat checkpoint {RULE}\n{''.join(lines)}".encode()
    return body + f"{zlib.crc32(body):08x}\n".encode()


def _decode(data: bytes) -> list[Position] | None:
    """The positions, or None when ``data`` is not a whole checkpoint of this rule."""
    body, checksum = data[:-9], data[-9:]
    if checksum != f"{zlib.crc32(body):08x}\n".encode():
        return None
    header, *lines = body.decode("ascii", "replace").splitlines()
    if header != f"gitchat checkpoint {RULE}":
        return []
    matches = [_LINE.fullmatch(line) for line in lines]
    return [
        Position(
            Oid(match[1]), int(match[2]), match[3] == "1", match[4] == "1", None if match[5] == "-" else Oid(match[5])
        )
        for match in matches
        if match
    ]
