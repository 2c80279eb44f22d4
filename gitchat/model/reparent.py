"""A commit's bytes after other parents, or under another address: the same record, elsewhere in the log. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gitchat.model.names import Oid
from gitchat.model.signature import Signature, encode_signature

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


def with_signatures(raw: bytes, author: Signature, committer: Signature) -> bytes:
    """The commit ``raw`` by ``author`` and ``committer``, and otherwise byte for byte."""
    head, separator, message = raw.partition(b"\n\n")
    lines = {b"author ": author, b"committer ": committer}
    signed = (
        next((key + encode_signature(one).encode() for key, one in lines.items() if line.startswith(key)), line)
        for line in head.split(b"\n")
    )
    return b"\n".join(signed) + separator + message
