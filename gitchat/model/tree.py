"""Tree objects, as git stores them. Pure. Source: git-mktree(1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from gitchat.model.errors import FormatError
from gitchat.model.names import Oid

DIRECTORY_MODE = 0o040000

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0")


class TreeEntry(NamedTuple):
    """One entry of a tree object."""

    mode: int
    name: bytes
    oid: Oid


def encode_tree(entries: Iterable[TreeEntry]) -> bytes:
    """The content of a tree object, its entries in the order that git demands."""
    return b"".join(
        b"%o %s\0%s" % (entry.mode, entry.name, bytes.fromhex(entry.oid)) for entry in sorted(entries, key=_sort_key)
    )


def _sort_key(entry: TreeEntry) -> bytes:
    """git compares the name of a directory as if it ended in a slash."""
    return entry.name + (b"/" if entry.mode == DIRECTORY_MODE else b"")


def oid_of(kind: str, content: bytes, like: Oid) -> Oid:
    """The id of an object, by the hash of the repository that has the id ``like``."""
    import hashlib  # loads OpenSSL, which a message without files does without

    digest = hashlib.new("sha1" if len(like) == 40 else "sha256", usedforsecurity=False)
    digest.update(f"{kind} {len(content)}\0".encode())
    digest.update(content)
    return Oid(digest.hexdigest())


def parse_tree(oid: Oid, raw: bytes) -> tuple[TreeEntry, ...]:
    """The entries of the tree ``oid`` in their order; its length tells that of the ids in it.

    Raises:
        FormatError: ``damaged-object``.
    """
    width, place = len(oid) // 2, 0
    entries: list[TreeEntry] = []
    while place < len(raw):
        match = _ENTRY.match(raw, place)
        if match is None or match.end() + width > len(raw):
            raise FormatError(
                f"tree {oid} is damaged: it cannot be read", hint="git chat verify", code="damaged-object", oid=oid
            )
        place = match.end() + width
        entries.append(TreeEntry(int(match[1], 8), match[2], Oid(raw[match.end() : place].hex())))
    return tuple(entries)
