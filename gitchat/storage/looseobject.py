"""A loose object, read with one inflation: whether its file is whole is seen by what comes out of it.

libgit2 up to 1.9.7 would read a file for ever that ends early. What is deflated there is the type, a blank, the
size, a NUL and the content; the SHA-1 of all that is its name. Source: Pro Git, 10.2, "Object Storage".
"""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import NamedTuple

from gitchat.model.names import Oid


class Loose(NamedTuple):
    """An object as its file has it."""

    kind: str
    content: bytes


_FIRST_BYTES, _MORE_BYTES = 16 * 1024, 1024 * 1024
"""Of a file at once: more than most records take, and what comes behind that. A large buffer is mapped anew each time.
"""


class CutOff(Exception):
    """The file ends early."""


def read_loose(directory: str, oid: Oid) -> Loose | None:
    """The object ``oid`` below ``objects/`` of this name; None where none is, or none that its name is right for.

    Whoever asks then lets git say what is wrong with it. Only SHA-1: another name is right for nothing.

    Raises:
        CutOff: there is one, and its end is missing.
    """
    try:
        descriptor = os.open(f"{directory}/{oid[:2]}/{oid[2:]}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    inflater, parts = zlib.decompressobj(), list[bytes]()
    try:
        while not inflater.eof and (part := os.read(descriptor, _MORE_BYTES if parts else _FIRST_BYTES)):
            parts.append(inflater.decompress(part))
    except (zlib.error, OSError):
        return None
    finally:
        os.close(descriptor)
    if not inflater.eof:
        raise CutOff
    whole = b"".join(parts)
    if hashlib.sha1(whole, usedforsecurity=False).hexdigest() != oid:
        return None
    head, _, content = whole.partition(b"\0")
    kind, _, size = head.partition(b" ")
    return Loose(kind.decode("ascii", "replace"), content) if size == b"%d" % len(content) else None
