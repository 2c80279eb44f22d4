"""What can be asked of a chain in the index: which record has a number, how many there are, where a word stands.

A chain is what the order rule numbers: the records of a room, or its summaries. Rows
stand in the order of the rule before repeated records are dropped; a commit without a
number is a row without one. ``upto`` is set on the first-parent chain only: such a
commit reaches exactly the records 1 to ``upto`` (docs/format.md section 5.5).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from typing import Any

from gitchat.index import texts
from gitchat.index.condition import ANCHORED_FILES, ANY, Condition, Tally, blob_of, of_kinds
from gitchat.index.places import Hit, Place, Row, Voice
from gitchat.index.tallies import count
from gitchat.index.view import Extent, Rows, Rule, View
from gitchat.model import codec
from gitchat.model.names import Number, Oid, Uid
from gitchat.model.record import Record

RANKED = 2_000
"""How many records that a search finds are compared with one another."""


class Chain:
    """One chain at one tip, of which it says nothing beyond. Made by :meth:`Index.chain`."""

    def __init__(
        self, index: Rows, name: str, tip: Oid | None, rule: Rule, local: Oid | None, *, count: int | None = None
    ) -> None:
        """``count`` is how many records there are, where that is known and none is pending; else the index is asked."""
        self.name = name
        self.tip = tip
        self.local = local
        """What else is seen; None when nothing is pending."""
        self._index = index
        self._rule = rule
        self._view = View(name, tip, local)
        extent = index.rows(self._view, rule, lambda database, extent: extent) if count is None else None
        self.count: int = extent.numbered if extent is not None else count or 0
        """How many records have a number: the newest number."""
        self.total: int = extent.total if extent is not None else self.count
        """How many records there are, with the pending ones."""

    @property
    def tips(self) -> list[Oid]:
        """The commits that reach everything here."""
        return [oid for oid in (self.tip, self.local) if oid is not None]

    def taken(self, oid: Oid, read: Callable[[Oid], codec.Commit]) -> tuple[codec.Commit, Record]:
        """The commit of a record, and the record: what was read to be taken in, as Index.taken; else it is ``read``."""
        commit = self._index.taken(oid) or read(oid)
        return commit, codec.record_of(oid, commit)

    def _places(self, rows: Iterable[tuple[int, bytes]]) -> list[Place]:
        return [Place(Number(number), Oid(oid.hex()), number > self.count) for number, oid in rows]

    def select(
        self, condition: Condition = ANY, *, limit: int | None = None, newest: bool = False, after: int = 0
    ) -> list[Place]:
        """The oldest (or newest) ``limit`` records with a place greater than ``after``, oldest first."""
        direction = "DESC" if newest else "ASC"
        sql = f"SELECT number, oid FROM entry WHERE {{}} ORDER BY number {direction} LIMIT ?"
        rows = self._ask(sql, condition, -1 if limit is None else limit, after=after)
        places = self._places((number, oid) for number, oid in rows)
        return places[::-1] if newest else places

    def count_of(self, condition: Condition = ANY, *, after: int = 0) -> int:
        """How many records with a place greater than ``after`` there are; what is tallied is not looked at for it."""
        if condition.tally and (told := self._tallied(condition.tally, after)) is not None:
            return told
        found: int = self._ask("SELECT count(*) FROM entry WHERE {}", condition, after=after)[0][0]
        return found

    def _tallied(self, tally: Tally, after: int) -> int | None:
        upto = self.total
        return self._index.rows(self._view, self._rule, lambda file, here: count(file, here.chain, tally, after, upto))

    def count_without(self, kinds: Collection[str]) -> int:
        """How many records are of none of these kinds, none of which is ``message``. Looks only at those that are."""
        return self.total - self.count_of(of_kinds(kinds))

    def oid_of(self, number: int) -> Oid | None:
        """The commit of a number, or None beyond the newest."""
        if number > self.count:
            return None  # also one that SQLite cannot hold
        found = self.select(Condition("number = ?", (number,)), limit=1)
        return found[0].oid if found else None

    def upto(self, oid: Oid) -> int | None:
        """How many records ``oid`` reaches, when it stands on the first-parent chain; None otherwise.

        They are then exactly those with the numbers from 1 to that.
        """
        rows = self._rows("SELECT upto FROM entry WHERE chain = :chain AND oid = ?", blob_of(oid))
        return rows[0][0] if rows and rows[0][0] is not None and rows[0][0] <= self.total else None

    def commit_upto(self, number: int) -> Oid | None:
        """The oldest commit that reaches exactly the records 1 to ``number``, if one does."""
        # A record with a number that stands on the first-parent chain reaches as many as that, and is the oldest.
        sql = (
            "SELECT oid FROM (SELECT id, oid FROM entry WHERE chain = :chain AND number = ?1 AND upto IS NOT NULL"
            " UNION ALL SELECT id, oid FROM entry WHERE chain = :chain AND number IS NULL AND upto = ?1)"
            " ORDER BY id LIMIT 1"
        )
        rows = self._rows(sql, number) if number <= self.total else []
        return Oid(rows[0][0].hex()) if rows else None

    def is_plain(self) -> bool:
        """Whether no merge and no repeated record stands among what is numbered."""
        # A merge brings in what is on no first-parent chain; a repeated record, and a merge itself, have no number.
        # Each is told which index, or SQLite would go through the whole room.
        sql = (
            "SELECT EXISTS (SELECT 1 FROM entry INDEXED BY entry_side WHERE chain = :chain AND number IS NOT NULL "
            "AND upto IS NULL AND +number <= ?), EXISTS (SELECT 1 FROM entry INDEXED BY entry_repeated "
            "WHERE chain = :chain AND number IS NULL AND uid IS NOT NULL)"
        )
        return not any(self._rows(sql, self.count)[0])

    def rows_of(self, oids: Collection[Oid]) -> dict[Oid, Row]:
        """Where each of the commits stands, as far as it belongs to the chain."""
        found: dict[Oid, Row] = {}
        wanted = list(oids)
        for start in range(0, len(wanted), _CHUNK):
            part = [blob_of(oid) for oid in wanted[start : start + _CHUNK]]
            marks = ", ".join("?" * len(part))
            sql = f"SELECT oid, id, number, uid IS NOT NULL FROM entry WHERE chain = :chain AND oid IN ({marks})"
            found |= {Oid(oid.hex()): Row(*row) for oid, *row in self._rows(sql, *part)}
        return found

    def copies(self, oids: Collection[Oid]) -> dict[Oid, list[Oid]]:
        """For each of the commits that has one: the other commits of the same record (uid and author).

        As far as the tips reach them: the rows up to their own, since the order of an older tip is a prefix.
        The local one comes first where it is behind, as it is after a fetch by hand.
        """
        found: dict[Oid, list[Oid]] = {}
        wanted = list(oids)
        for start in range(0, len(wanted), _CHUNK):
            part = [blob_of(oid) for oid in wanted[start : start + _CHUNK]]
            marks = ", ".join("?" * len(part))
            sql = (
                "SELECT one.oid, other.oid FROM entry AS one JOIN entry AS other ON other.chain = one.chain "
                "AND other.uid = one.uid AND other.author = one.author AND other.id != one.id "
                "AND other.id <= (SELECT max(id) FROM entry WHERE chain = :chain AND oid IN (?, ?)) "
                f"WHERE one.chain = :chain AND one.oid IN ({marks})"
            )
            for one, other in self._rows(sql, blob_of(self.tip), blob_of(self.local), *part):
                found.setdefault(Oid(one.hex()), []).append(Oid(other.hex()))
        return found

    def redactions(self, uids: Collection[str], after: int = 0) -> dict[Uid, list[tuple[int, str]]]:
        """The places behind ``after`` at which some of these records were redacted, oldest first, and who did it."""
        found: dict[Uid, list[tuple[int, str]]] = {}
        sql = (
            "SELECT reply, number, author FROM entry INDEXED BY entry_redact "  # the order alone would be a walk
            "WHERE kind = 'redact' AND reply IN (SELECT value FROM json_each(?)) "
            f"AND {_HERE} AND +number > ? ORDER BY number"
        )
        for uid, number, author in self._rows(sql, json.dumps(list(uids)), self.total, after):
            found.setdefault(Uid(uid), []).append((number, author))
        return found

    def with_uid(self, prefix: str) -> list[Place]:
        """The records whose uid begins with ``prefix``, the oldest first."""
        sql = f"SELECT number, oid FROM entry WHERE uid >= ? AND uid < ? AND {_HERE} ORDER BY number"
        return self._places(self._rows(sql, prefix, prefix + "~", self.total))

    def thread(self, uid: Uid) -> list[Place]:
        """The record with this uid, what it answers, what that answers ..., and every answer to any, oldest first."""
        sql = (
            "WITH RECURSIVE above (uid, reply) AS ("
            " SELECT uid, reply FROM entry WHERE chain = :chain AND uid = ? AND +number IS NOT NULL"
            " UNION SELECT entry.uid, entry.reply FROM above JOIN entry ON entry.chain = :chain"
            " AND entry.uid = above.reply AND +entry.number IS NOT NULL"
            "), thread (uid) AS ("
            " SELECT uid FROM above"
            " UNION SELECT entry.uid FROM thread JOIN entry ON entry.chain = :chain"
            " AND entry.reply = thread.uid AND +entry.number IS NOT NULL"
            # Not a plain join: SQLite would go through all records for the sake of their order.
            f") SELECT number, oid FROM thread CROSS JOIN entry USING (uid) WHERE {_HERE} ORDER BY number"
        )
        return self._places(self._rows(sql, uid, self.total))

    def numbered(self, uids: Collection[str]) -> dict[Uid, Place]:
        """The place of each of these uids that stands here with a number."""
        uids_here = f"uid IN ({', '.join('?' * len(uids))})"
        sql = f"SELECT uid, number, oid FROM entry WHERE {uids_here} AND is_pending = 0 AND {_HERE}"
        rows = self._rows(sql, *uids, self.count)
        places = self._places((number, oid) for _, number, oid in rows)
        return {Uid(row[0]): place for row, place in zip(rows, places, strict=True)}

    def anchored(self) -> list[str]:
        """The files that something in this index was said about, sorted."""
        return [path for (path,) in self._rows(ANCHORED_FILES)]

    def newest_by_author(self) -> dict[str, tuple[Number, int]]:
        """For everybody who wrote here: the newest number, and its date in seconds since the epoch."""
        # From author to author, by an index: SQLite's own GROUP BY would look at every record.
        sql = (
            "WITH RECURSIVE writer (author) AS ("
            " SELECT min(author) FROM entry WHERE chain = :chain AND number IS NOT NULL"
            " UNION ALL SELECT (SELECT min(author) FROM entry WHERE chain = :chain AND number IS NOT NULL"
            " AND author > writer.author) FROM writer WHERE author IS NOT NULL"
            ") SELECT entry.author, number, seconds FROM writer JOIN entry ON chain = :chain"
            " AND number = (SELECT max(number) FROM entry WHERE chain = :chain AND number <= ?"
            " AND entry.author = writer.author)"
        )
        return {author: (Number(number), seconds) for author, number, seconds in self._rows(sql, self.total)}

    def voices(self, author: str) -> list[Voice]:
        """In which clones, and from which addresses, ``author`` wrote in this room, ever; in no order."""
        sql = "SELECT nullif(clone, ''), nullif(email, '') FROM voice WHERE chain = :chain AND author = ?"
        return [Voice(*row) for row in self._rows(sql, author)]

    def last_voices(self, author: str, since: int) -> list[Voice]:
        """Those of its last records that were written at ``since`` or later, the last one first.

        ``since`` is in seconds since the epoch. Looks at a few hundred records at the most.
        """
        sql = (
            "SELECT clone, email, seconds FROM entry WHERE chain = :chain AND author = ? AND number <= ?"
            f" ORDER BY number DESC LIMIT {_CHUNK}"
        )
        voices = [Voice(*row[:2]) for row in self._rows(sql, author, self.total) if row[2] >= since]
        return list(dict.fromkeys(voices))

    def search(self, match: str, condition: Condition, limit: int | None) -> list[Hit]:
        """The records whose text fits the FTS5 query ``match``, the best first, of equal ones the newest.

        Where more than :data:`RANKED` of the index fit, the newest first: so common a word tells good from bad no
        more, and SQLite would look at each of them for that.
        """
        self._index.file_texts()
        if limit is not None and self._is_common(match):
            sql = (
                # Not a plain join: SQLite shall go from the newest on, and stop.
                "SELECT 0.0, number, oid FROM text CROSS JOIN entry ON entry.id = text.rowid "
                "WHERE text MATCH ? AND {} ORDER BY text.rowid DESC LIMIT ?"
            )
            rows = self._ask(sql, condition, limit, before=(match,))
            return [Hit(rank, *self._places([(number, oid)])) for rank, number, oid in rows]
        sql = (
            "SELECT rank, number, oid FROM text JOIN entry ON entry.id = text.rowid "
            "WHERE text MATCH ? AND {} ORDER BY rank, number DESC LIMIT ?"
        )
        rows = self._ask(sql, condition, -1 if limit is None else limit, before=(match,))
        return [Hit(rank, *self._places([(number, oid)])) for rank, number, oid in rows]

    def _is_common(self, match: str) -> bool:
        sql = "SELECT count(*) FROM (SELECT 1 FROM text WHERE text MATCH ? LIMIT ?)"
        found: int = self._rows(sql, match, RANKED + 1)[0][0]
        return found > RANKED

    def _ask(
        self, sql: str, condition: Condition, *values: object, after: int = 0, before: tuple[object, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of this chain up to its tip that fulfil ``condition``, which ``{}`` stands for in ``sql``."""
        few = condition.few if _ALL in sql else None
        number = "number" if few is None else "+number"  # no other index is of use then
        here = Condition(f"chain = :chain AND {number} > ? AND {number} <= ?", (after, self.total))
        where = Condition.all_of([here, condition])
        if few is not None:
            sql = sql.replace(_ALL, f"FROM ({few.sql}) AS few CROSS JOIN entry USING (id) WHERE")
            before = (*few.values, *before)
        return self._rows(sql.format(where.sql), *before, *where.values, *values)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        def ask(database: sqlite3.Connection, extent: Extent) -> list[tuple[Any, ...]]:
            if _MATCHES in sql:
                texts.file_seen(database, extent.chain, extent.total)  # of a view that is shown for this question only
            return database.execute(sql.replace(":chain", str(extent.chain)), values).fetchall()

        return self._index.rows(self._view, self._rule, ask)


_HERE = "chain = :chain AND +number <= ?"
"""Rows of this chain up to a number, where something else finds them. Without the plus SQLite, which has no
statistics of this file, would rather look at all numbers. Source: sqlite.org/optoverview.html, section 2.1.1."""

_ALL = "FROM entry WHERE"

_MATCHES = "text MATCH ?"

_CHUNK = 500
"""Values of one statement; SQLite takes at least 999."""
