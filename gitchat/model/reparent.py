"""A commit's bytes after other parents: the same record, at another place of the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gitchat.model.names import Oid

_SIGNATURES = (b"gpgsig ", b"gpgsig-sha256 ")
"""Headers that vouch for the bytes as they were. Their further lines begin with a space."""


def with_parents(raw: bytes, parents: Iterable[Oid]) -> bytes:
    """The commit ``raw`` with ``parents``, and otherwise byte for byte, but for a signature, which would not fit."""
    head, separator, message = raw.partition(b"\n\n")
    tree, *others = head.split(b"\n")
    kept: list[bytes] = []
    is_signature = False
    for line in others:
        is_signature = line.startswith(_SIGNATURES) or (is_signature and line.startswith(b" "))
        if not is_signature and not line.startswith(b"parent "):
            kept.append(line)
    return b"\n".join([tree, *(f"parent {parent}".encode() for parent in parents), *kept]) + separator + message
