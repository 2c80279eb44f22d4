"""The newest records of a log of which nobody has counted yet how many it has: in order, and without numbers.

A number is a place counted from the beginning (docs/format.md section 5.4), and a clone that has just fetched a
million records has to read them all for it. The newest ones can be had from the end: what a merge brought in stands
behind what its first parent has, so that the order holds; a copy of an older record alone cannot be told, and is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitchat.model import codec
from gitchat.model.names import Oid
from gitchat.rooms.lengthy import is_long
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.rebuilding import beyond, pending_keys

if TYPE_CHECKING:
    from gitchat.storage.store import Store


def takes_long(numbering: Numbering) -> bool:
    """Whether to count the log of a room takes longer than a moment: it is long, and nobody noted how long.

    Raises FormatError.
    """
    tip = numbering.tip()
    if tip is None or numbering.noted(tip) is not None:
        return False
    return is_long(numbering.store, tip, numbering.is_indexed)


def newest(numbering: Numbering) -> Iterator[tuple[Oid, codec.Commit]]:
    """The records of the log, newest first, what is pending among them. Raises FormatError."""
    store, tip = numbering.store, numbering.tip()
    if numbering.tracking is not None:
        local = store.tip(numbering.ref)
        for oid in reversed(pending_keys(store, local, tip).values()) if local != tip else ():
            yield oid, store.read(oid)
    seen: set[tuple[str, str]] = set()
    for oid in _commits(store, tip):
        commit = store.read(oid)
        key = codec.identity_key(oid, commit) if commit.takes_number else None
        if key is not None and key not in seen:
            seen.add(key)
            yield oid, commit


def _commits(store: Store, tip: Oid | None) -> Iterator[Oid]:
    """The commits that ``tip`` reaches, in the order of the log turned round."""
    here: Oid | None = tip
    while here is not None:
        yield here
        first, *others = store.step(here).parents or (None,)
        for place in reversed(range(len(others))):
            before = [first, *others[:place]]
            yield from reversed(beyond(store, [others[place]], before))
        here = first
