"""Whether a log takes longer to count than a moment. Asked before it is counted, by who would rather not wait."""

from __future__ import annotations

from collections.abc import Callable

from gitchat.model.names import Oid
from gitchat.storage.store import Store

MOST_COUNTED = 5_000
"""Commits that are counted in a moment: a sixth of a second."""

INDEXED_APART = "indexing.db"
"""The file in ``chatroom/`` that is there while a process takes a long log in: gitchat.index.files.BUILT, with which
comes SQLite."""


def is_long(store: Store, tip: Oid | None, is_known: Callable[[Oid], bool] = lambda oid: False) -> bool:
    """Whether more than MOST_COUNTED commits are on the way to one that ``is_known``, or the root.

    Raises FormatError.
    """
    here, count = tip, 0
    while here is not None and not is_known(here):
        if count == MOST_COUNTED:
            return True
        here, count = next(iter(store.step(here).parents), None), count + 1
    return False


def is_taken_in(store: Store) -> bool:
    """Whether a process is taking a long log into the index, or was killed when it did."""
    return (store.directory / INDEXED_APART).exists()
