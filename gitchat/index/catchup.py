"""How the index follows a log: the commits of one chain that are new, taken in as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from gitchat.index import asked, texts
from gitchat.index.arrivals import take_pending
from gitchat.index.condition import blob_of
from gitchat.index.fields import of_commit
from gitchat.index.tallies import Tallies, forget_after
from gitchat.index.view import Extent, Rule, View
from gitchat.model import codec, order
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.record import SUMMARY

KEPT_COMMITS = 10_000
"""How many commits a catch-up keeps parsed; the others are read a second time."""

STEP = 1000
"""After how many commits the progress of a catch-up is told."""

Progress = Callable[[int | None], None]
"""Told how many commits were taken in, every thousand; None when it is over."""


class CatchUp:
    """Takes the commits of one chain in that are new. Inside a transaction."""

    def __init__(
        self,
        database: sqlite3.Connection,
        view: View,
        read: Callable[[Oid], codec.Commit],
        rule: Rule,
        progress: Progress,
        kept: dict[Oid, codec.Commit] | None = None,
    ) -> None:
        """``kept`` are commits that were read already."""
        self._database = database
        self._view = view
        self._read = read
        self._rule = rule
        self._progress = progress
        self._commits = kept if kept is not None else {}
        self._nodes: dict[Oid, order.Node] = {}
        self._keys: set[order.Key] = set()
        self._voices: set[tuple[str, str, str]] = set()
        row = database.execute("SELECT id, tip, count, local, total FROM chain WHERE name = ?", (view.name,)).fetchone()
        self._chain, self._old_tip, self._old_count, self._old_local, self._old_total = row
        self._arrivals: dict[order.Key, int] = {}
        self._tallies = Tallies(database, self._chain)
        self._first_row = asked.next_row(database)
        self._open_again: list[int] = []
        self._texts: list[tuple[int, str]] = []

    def run(self) -> Extent:
        """Take in what the view reaches.

        Raises:
            sqlite3.DatabaseError: the rows are not of a log that the tip continues.
        """
        count, local = self._old_count, self._view.local
        is_longer = self._old_tip == blob_of(self._view.tip) and local is not None and self._continues(local)
        if not is_longer:
            # Their numbers may be others now. What FTS knows of them, and which files
            # they are about, finds no row any more: row ids are not used twice.
            self._arrivals = self._take_back()
            main = self._main(self._view.tip, self._old_tip)
            count = self._take(self._view.tip, main, count, is_pending=False)
        total = self._old_total if is_longer else count
        if local is not None:
            total = self._take(local, self._local_main(local), total, is_pending=True)
        elif self._old_local is not None:
            local, total = self._retake(Oid(self._old_local.hex()), count)
        self._take_down()
        self._tallies.write()
        asked.close(self._database, self._chain, self._first_row, self._open_again)
        values = (blob_of(self._view.tip), count, blob_of(local), total, self._chain)
        self._database.execute("UPDATE chain SET tip = ?, count = ?, local = ?, total = ? WHERE id = ?", values)
        self._progress(None)
        return Extent(self._chain, count, count if self._view.local is None else total)

    def _retake(self, local: Oid, count: int) -> tuple[Oid | None, int]:
        """Insert what was pending before and still is, for a view that does not ask for it: where it ends, and stands.

        Without their rows these records would arrive again, or, for who asks meanwhile what came, not at all.
        """
        try:
            total = self._take(local, self._local_main(local), count, is_pending=True)
        except FormatError:  # taken back, and its objects are gone by now
            self._take_back()
            return None, count
        return (local, total) if total > count else (None, count)

    def _take(self, tip: Oid | None, main: set[Oid], count: int, *, is_pending: bool) -> int:
        """Insert what ``tip`` reaches and is no row yet, after the first ``count`` records; how many it then are."""
        local = self._first_parents(tip) if is_pending else set()
        for done, oid in enumerate(order.commits(tip, self._node_of, _Rows(self._database, self._chain)), 1):
            key = self._nodes[oid].key
            is_new = key is not None and key not in self._keys and not self._has(self._chain, key)
            if is_new and key is not None:
                self._keys.add(key)
                count += 1
            self._insert(
                oid,
                number=count if is_new else None,
                upto=count if oid in main else None,
                along=count if oid in local else None,
                is_pending=is_pending,
            )
            if done % STEP == 0:
                self._take_down()
                self._progress(done)
        return count

    def _take_back(self) -> dict[order.Key, int]:
        """Delete the rows of what was pending; what its records arrived as."""
        if self._old_total > self._old_count:
            forget_after(self._database, self._chain, self._old_count)
            self._open_again += asked.open_again(self._database, self._chain)
        self._tallies = Tallies(self._database, self._chain)
        return take_pending(self._database, self._chain)

    def _continues(self, local: Oid) -> bool:
        """Whether the pending rows that are there stand at the beginning of the new ones."""
        here: Oid | None = local
        while here is not None and blob_of(here) != self._old_local and here not in _Rows(self._database, self._chain):
            here = next(iter(self._node_of(here).parents), None)
        return here is not None and self._old_local is not None and blob_of(here) == self._old_local

    def _first_parents(self, tip: Oid | None) -> set[Oid]:
        """The first-parent chain down to the first row that is there."""
        rows = _Rows(self._database, self._chain)
        chain: set[Oid] = set()
        here = tip
        while here is not None and here not in rows:
            chain.add(here)
            here = next(iter(self._node_of(here).parents), None)
        return chain

    def _local_main(self, local: Oid) -> set[Oid]:
        """Pending commits that reach everything before them: where the local log continues the authority's."""
        chain = self._first_parents(local)
        below = {parent for oid in chain for parent in self._node_of(oid).parents[:1]} - chain
        ends = [oid for oid in below if self._reaches_all_before(oid)]
        return chain if ends or (not below and self._view.tip is None) else set()

    def _reaches_all_before(self, oid: Oid) -> bool:
        if oid == self._view.tip:
            return True
        sql = "SELECT upto FROM entry WHERE chain = ? AND oid = ? AND is_pending = 1 AND upto IS NOT NULL"
        return self._database.execute(sql, (self._chain, blob_of(oid))).fetchone() is not None

    def _main(self, tip: Oid | None, old_tip: bytes | None) -> set[Oid]:
        """The new part of the first-parent chain, which must end where the old one does."""
        main = self._first_parents(tip)
        here = tip
        while here is not None and here in main:
            here = next(iter(self._node_of(here).parents), None)
        if blob_of(here) != old_tip:
            raise sqlite3.DatabaseError("the log was put into another order")
        return main

    def _node_of(self, oid: Oid) -> order.Node:
        if oid not in self._nodes:
            self._nodes[oid] = self._rule(oid, self._commit(oid))
        return self._nodes[oid]

    def _commit(self, oid: Oid) -> codec.Commit:
        commit = self._commits.get(oid) or self._read(oid)
        if len(self._commits) < KEPT_COMMITS:
            self._commits[oid] = commit
        return commit

    def _has(self, chain: int, key: order.Key) -> bool:
        sql = "SELECT 1 FROM entry WHERE chain = ? AND uid = ? AND author = ? LIMIT 1"
        return self._database.execute(sql, (chain, *key)).fetchone() is not None

    def _insert(self, oid: Oid, *, number: int | None, upto: int | None, along: int | None, is_pending: bool) -> None:
        fields = of_commit(oid, self._commit(oid), self._nodes[oid])
        arrival = self._arrivals.get(fields.key) if number is not None and fields.key is not None else None
        values = [along, int(is_pending), self._chain, number, upto, blob_of(oid), *fields.columns, arrival]
        values.append(asked.is_open(fields.columns, number))
        marks = ", ".join("?" * len(values))
        cursor = self._database.execute(f"INSERT INTO entry VALUES (NULL, {marks})", values)
        if number is not None:
            self._tallies.add(number, fields)
            if fields.kind != SUMMARY:
                self._hear((fields.author, fields.clone, fields.address))
            assert cursor.lastrowid is not None
            self._texts.append((cursor.lastrowid, fields.body))
            for path in fields.paths:
                self._database.execute("INSERT INTO anchor VALUES (?, ?)", (path, cursor.lastrowid))

    def _take_down(self) -> None:
        """Note the texts of the rows that were inserted."""
        texts.take_down(self._database, self._texts)
        self._texts.clear()

    def _hear(self, voice: tuple[str, str, str]) -> None:
        """Note who spoke from where; a name has few voices, and many records."""
        if voice not in self._voices:
            self._voices.add(voice)
            self._database.execute("INSERT OR IGNORE INTO voice VALUES (?, ?, ?, ?)", (self._chain, *voice))


class _Rows:
    """The commits that are rows of a chain already."""

    def __init__(self, database: sqlite3.Connection, chain: int) -> None:
        self._database = database
        self._chain = chain

    def __contains__(self, oid: object) -> bool:
        sql = "SELECT 1 FROM entry WHERE chain = ? AND oid = ?"
        return self._database.execute(sql, (self._chain, bytes.fromhex(str(oid)))).fetchone() is not None
