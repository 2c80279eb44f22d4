"""The few commits that came since an index was last asked, taken in at once where they are a plain line.

That is what nearly every reading begins with. The rows are those of :mod:`gitchat.index.bulk`; what is no such line is
for :mod:`gitchat.index.catchup`. What was read for it stays at hand for who asked, and would read it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from gitchat.index import bulk
from gitchat.index.view import Extent, Rule, View
from gitchat.model import codec
from gitchat.model.names import Oid

MOST = 64
"""How many commits are few."""

KEPT_BYTES = 16 * 1024
"""How long a commit may be that stays at hand."""

Chain = tuple[int, bytes | None, int, bytes | None]


class Few:
    """The commits between the end of a chain and ``view``, read: before anything is locked."""

    def __init__(self, database: sqlite3.Connection, view: View, read_raw: Callable[[Oid], bytes]) -> None:
        """Raises FormatError: one of them is damaged or missing."""
        self._view = view
        self._oids: list[bytes] = []
        self._contents: list[bytes] = []
        self.commits: dict[Oid, codec.Commit] = {}
        """What may be shown next."""
        self.told: dict[Oid, tuple[Oid, str | None]] = {}
        """The parent of each, and what kind of record it is."""
        self._before = _chain(database, view.name)
        self.is_plain = self._before is not None and self._reaches(self._before, read_raw)
        """Whether they are few, a plain line, and all that is new."""

    def _reaches(self, chain: Chain, read_raw: Callable[[Oid], bytes]) -> bool:
        _, end, _, pending = chain
        here = self._view.tip
        if here is None or end is None or pending is not None or self._view.local is not None:
            return False
        last = end.hex()
        while here != last:
            if len(self._oids) == MOST:
                return False
            raw = read_raw(here)
            commit = codec.parse_commit(here, raw)
            if len(commit.parents) != 1:
                return False
            self._oids.append(bytes.fromhex(here))
            self._contents.append(raw)
            if len(raw) <= KEPT_BYTES:
                self.commits[here] = commit
            self.told[here] = commit.parents[0], commit.kind
            here = commit.parents[0]
        return True

    def take(self, database: sqlite3.Connection, rule: Rule) -> Extent | None:
        """Insert their rows; None where somebody else has, or goes on from elsewhere by now. Inside a transaction."""
        now = _chain(database, self._view.name)
        if now is None or now != self._before or not self._oids:
            return None
        chain, end, count, _ = now
        oids, contents = self._oids[::-1], self._contents[::-1]
        total = bulk.take(database, bulk.Stage(chain, end, count), oids, contents, rule, lambda done: None)
        database.execute("UPDATE chain SET tip = ?, count = ?, total = ? WHERE id = ?", (oids[-1], total, total, chain))
        return Extent(chain, total, total)


def _chain(database: sqlite3.Connection, name: str) -> Chain | None:
    """A chain's id, where it ends, how many records it has, and up to where something is pending behind them."""
    found: Chain | None = database.execute("SELECT id, tip, count, local FROM chain WHERE name = ?", (name,)).fetchone()
    return found
