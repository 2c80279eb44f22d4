"""Messages that were sent with a key of their sender's own: sent again, none is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitchat.model import codec
from gitchat.model.errors import ConflictError
from gitchat.model.names import EMPTY_TREES, Oid, uid_from_key
from gitchat.model.record import Entry, Record
from gitchat.rooms.ending import Cold, Known
from gitchat.storage.store import Store

if TYPE_CHECKING:
    from gitchat.rooms.log import Log

_UNSEEN = 64
"""Of how many records that came meanwhile the uids are read under the lock."""


class AlreadySent(Exception):
    """The same author stored this key before."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry


class Keyed:
    """What was stored with keys in one room."""

    def __init__(self, store: Store, log: Callable[[], Log]) -> None:
        self._store = store
        self._log = log

    def refuse_second(self, record: Record, key: str, tree: Oid | None) -> None:
        """Raise AlreadySent when the same author stored this key before, ConflictError when it says otherwise."""
        for entry in self._with_key(record, key):
            commit = self._store.read(entry.oid)  # as it was said, also where somebody has redacted it
            stored = codec.record_of(entry.oid, commit)
            is_same = (stored.body, stored.to) == (record.body, record.to)
            if not is_same or commit.tree not in ((tree,) if tree else EMPTY_TREES):
                other = (
                    "carries other files, or lines of code"
                    if is_same
                    else "says something else or goes to somebody else"
                )
                raise ConflictError(
                    f"{entry.label} was sent with the same key, and {other}",
                    hint=f"see it: git chat show '{entry.label}'; or send with another key",
                    code="key-conflict",
                )
            raise AlreadySent(entry)

    def refuse_known(self, record: Record, key: str, tree: Oid | None, tip: Oid | None, known: Known | None) -> None:
        """As :meth:`refuse_second`, with the write lock held; Cold where what came since may have it, or is much."""
        wanted, here = {record.uid, uid_from_key(key)}, tip
        for _ in range(_UNSEEN if known is not None else 0):
            if known is not None and here == known.tip:
                return
            commit = self._store.read(here) if here is not None else None
            if commit is None or len(commit.parents) != 1 or commit.value("Chat-Uid") in wanted:
                break
            here = commit.parents[0]
        if known is not None:
            raise Cold
        self.refuse_second(record, key, tree)

    def _with_key(self, record: Record, key: str) -> list[Entry]:
        """What the author of ``record`` stored with this key; before it had a seat, too, as version 0.1.0 wrote it."""
        found = self._log().with_uid(record.uid)
        if record.clone is not None:
            plain = self._log().with_uid(uid_from_key(key))
            found += [one for one in plain if one.record.clone is None and one.record.address == record.address]
        return [entry for entry in found if entry.record.author == record.author]
