"""A disposable index of the logs of a clone: SQLite in ``chatroom/``, never the truth.

It answers what following parents cannot answer quickly: which commit has number 4711,
how many of 100,000 records are for me, where a word stands. It follows from the log
alone, is brought up to date when it is asked, and is built anew when it is missing, of
another version, damaged, or about a log whose order was changed. Where no file can be
written it is built in memory for one use: slower, and the same answers.

A chain is what the order rule numbers: the records of a room, or its summaries. Rows
stand in the order of the rule before repeated records are dropped; a commit without a
number is a row without one. ``upto`` is set on the first-parent chain only: such a
commit reaches exactly the records 1 to ``upto`` (docs/format.md section 5.5).

A damaged file is never written over: its successor gets a name of its own, so that no
journal and no open connection of the old one can reach it. Source: docs/format.md
section 7.11; sqlite.org/fts5.html, sqlite.org/wal.html.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gitchat import codec, gate, order
from gitchat.errors import ChatError
from gitchat.names import Number, Oid, Uid
from gitchat.record import MESSAGE, STATUS, SUMMARY, UNLISTED_KINDS

VERSION = 5
"""Of the tables, of the order rule that they follow and of what counts as a word. Another one in a file: built anew."""

BUSY_SECONDS = 30.0
"""How long to wait for another process that brings the index up to date."""

KEPT_COMMITS = 10_000
"""How many commits a catch-up keeps parsed; the others are read a second time."""

STEP = 1000
"""After how many commits the progress of a catch-up is told."""

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""Words in any alphabet, without accents, and English ones by their stem."""

UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")
"""Letters of scripts that put no blank between words, where the tokenizer would take a sentence for one word."""

GAP = "\u200b"
"""What is put around them, so that each is a word: a blank without a width."""

_TABLES = f"""
CREATE TABLE chain (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tip BLOB, count INTEGER NOT NULL, local BLOB,
    total INTEGER NOT NULL
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, along INTEGER, is_pending INTEGER NOT NULL,
    chain INTEGER NOT NULL, number INTEGER, upto INTEGER, oid BLOB NOT NULL,
    uid TEXT, author TEXT, kind TEXT, type TEXT, recipients TEXT, reply TEXT, commit_oid TEXT,
    seconds INTEGER, committed INTEGER, urgent INTEGER
);
CREATE UNIQUE INDEX entry_oid ON entry (chain, oid);
CREATE UNIQUE INDEX entry_number ON entry (chain, number) WHERE number IS NOT NULL;
CREATE INDEX entry_upto ON entry (chain, upto) WHERE upto IS NOT NULL;
CREATE INDEX entry_uid ON entry (chain, uid) WHERE uid IS NOT NULL;
CREATE INDEX entry_author ON entry (chain, author, number) WHERE number IS NOT NULL;
CREATE INDEX entry_type ON entry (chain, type, number) WHERE number IS NOT NULL;
CREATE INDEX entry_other ON entry (chain, kind, number) WHERE kind != 'message' AND number IS NOT NULL;
CREATE INDEX entry_reply ON entry (chain, reply) WHERE reply IS NOT NULL;
CREATE INDEX entry_pending ON entry (chain) WHERE is_pending = 1;
CREATE INDEX entry_side ON entry (chain) WHERE number IS NOT NULL AND upto IS NULL;
CREATE INDEX entry_repeated ON entry (chain) WHERE number IS NULL AND uid IS NOT NULL;
CREATE INDEX entry_commit ON entry (chain, commit_oid) WHERE commit_oid IS NOT NULL;
CREATE VIRTUAL TABLE text USING fts5 (body, content = '', tokenize = '{TOKENIZER}');
"""

Rule = Callable[[Oid, codec.Commit], order.Node]
"""What the order rule has to know of a commit of some chain."""

_T = TypeVar("_T")

Progress = Callable[[int | None], None]
"""Told how many commits were taken in, every thousand; None when it is over."""


class Place(NamedTuple):
    """Where a record stands."""

    number: Number
    """Its place in the view: its number, unless it is pending."""
    oid: Oid
    is_pending: bool = False
    """Whether it stands behind all numbered ones, because the room's authority has not accepted it yet."""


class Hit(NamedTuple):
    """A record that a search found."""

    rank: float
    """The smaller, the better; comparable between the chains of one index."""
    place: Place


class Row(NamedTuple):
    """A commit of a chain."""

    place: int
    """Grows along the order rule, before repeated records are dropped."""
    number: Number | None
    """None for a commit that is no record, and for a repeated one."""
    is_record: bool


class View(NamedTuple):
    """What of a chain is looked at: all that ``tip`` reaches, numbered, then what only ``local`` does."""

    name: str
    tip: Oid | None
    local: Oid | None


class Extent(NamedTuple):
    """How far a view goes."""

    chain: int
    """The chain's row id."""
    numbered: int
    total: int


class Condition(NamedTuple):
    """A part of a WHERE clause over ``entry``, with its values."""

    sql: str
    values: tuple[object, ...] = ()

    @classmethod
    def all_of(cls, parts: Iterable[Condition]) -> Condition:
        """A condition that holds when every part does."""
        chosen = [part for part in parts if part.sql]
        return cls(" AND ".join(f"({part.sql})" for part in chosen), tuple(v for part in chosen for v in part.values))


ANY = Condition("")

LISTED = Condition(f"kind NOT IN ({', '.join('?' * len(UNLISTED_KINDS))})", tuple(sorted(UNLISTED_KINDS)))
"""Records that a listing shows. Source: docs/format.md section 4.1."""


def of_kinds(kinds: Collection[str]) -> Condition:
    """Records of these kinds, none of which is ``message``."""
    # That it is no message is said in so many words: SQLite then takes the index of the few others.
    return Condition(f"kind != 'message' AND kind IN ({', '.join('?' * len(kinds))})", tuple(sorted(kinds)))


def statuses_for_nobody() -> Condition:
    """Status records that are addressed to nobody, and so reach nobody."""
    return Condition.all_of([of_kinds([STATUS]), Condition("recipients = ''")])


def of_type(slug: str) -> Condition:
    """Records of a type."""
    return Condition("type = ?", (slug,))


def with_oid(oid: Oid) -> Condition:
    """The record of this commit."""
    return Condition("oid = ?", (_blob(oid),))


def authored_by(name: str) -> Condition:
    """Records that ``name`` wrote."""
    return Condition("author = ?", (name,))


def narrowed(author: str | None = None, type_: str | None = None) -> Condition:
    """Records that ``author`` wrote, of this type; None stands for any."""
    parts = [("author = ?", author), ("type = ?", type_)]
    return Condition.all_of(Condition(sql, (value,)) for sql, value in parts if value is not None)


def unanswered() -> Condition:
    """Questions that nobody but their author replied to."""
    return Condition(
        "type = ? AND kind = ? AND NOT EXISTS (SELECT 1 FROM entry AS answer WHERE answer.chain = entry.chain "
        "AND answer.reply = entry.uid AND answer.number IS NOT NULL AND answer.author != entry.author)",
        ("question", MESSAGE),
    )


def visible_to(names: Iterable[str], own: str | None = None, *, with_status: bool = False) -> Condition:
    """Records that reach one of ``names`` (a name, ``role:...``), without those that ``own`` wrote.

    A status reaches somebody only when it is addressed to him, unless ``with_status``.
    Source: docs/format.md section 10.
    """
    wanted = list(names)
    addressed = " OR ".join(["instr(recipients, ?)"] * len(wanted)) or "0"
    to_all = "recipients = ''" if with_status else f"(recipients = '' AND kind != '{STATUS}')"
    reached = Condition(f"{to_all} OR {addressed}", tuple(f",{name}," for name in wanted))
    return Condition.all_of([LISTED, reached, Condition("author != ?", (own,)) if own else ANY])


class Index:
    """The index of one clone. Opened on first use; one thread at a time; a forked child opens its own."""

    def __init__(self, directory: Path, read: Callable[[Oid], codec.Commit], progress: Progress) -> None:
        self._directory = directory
        self._read = read
        self._progress = progress
        self._database: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._pid = 0

    def chain(self, name: str, tip: Oid | None, rule: Rule, local: Oid | None = None) -> Chain:
        """The chain ``name`` as it is at ``tip``, brought up to date.

        With ``local``, what that reaches and ``tip`` does not follows as pending: together they are the order
        of a merge of both (docs/format.md section 5.6), which nobody has to write. ``rule`` tells what the order
        rule has to know of a commit.

        Raises:
            FormatError: a commit is missing or damaged.
        """
        return Chain(self, name, tip, rule, None if local == tip else local)

    def rows(self, view: View, rule: Rule, ask: Callable[[sqlite3.Connection, Extent], _T]) -> _T:
        """What ``ask`` gives for the chain's extent.

        Asked again of a new index when this one is damaged, and of one in memory when it
        cannot be written.
        """
        for _ in range(_ATTEMPTS):
            try:
                database = self._opened()
                return ask(database, self._extended(database, view, rule))
            except sqlite3.Error as error:
                last = error
                self._give_up(error)
        raise last

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        if self._database is not None and self._pid == os.getpid():
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    # --- taking in -------------------------------------------------------------

    def _extended(self, database: sqlite3.Connection, view: View, rule: Rule) -> Extent:
        """Take in what is new, if anything is."""
        known = _known(database, view)
        if known is not None:
            return known
        database.execute("BEGIN IMMEDIATE")
        try:
            known = _known(database, view)  # somebody else may have been quicker
            if known is None:
                database.execute("INSERT OR IGNORE INTO chain (name, count, total) VALUES (?, 0, 0)", (view.name,))
                known = _CatchUp(database, view, self._read, rule, self._progress).run()
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        return known

    # --- the file --------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        if self._database is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._path = self._newest() or self._directory / "index.1.db"
            self._database = self._open(str(self._path))
        return self._database

    def _open(self, path: str) -> sqlite3.Connection:
        if path != ":memory:":
            with suppress(OSError):
                self._directory.mkdir(exist_ok=True)
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                _create(database)
            elif version != VERSION:
                raise sqlite3.DatabaseError(f"version {version}")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _newest(self) -> Path | None:
        paths = [(int(match[1]), path) for path in self._files() if (match := _FILE.fullmatch(path.name))]
        return max(paths)[1] if paths else None

    def _files(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from self._directory.glob("index.*.db*")

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on with a new file, or, where that would not help (disk full, read-only, locked), in memory."""
        self.close()
        self._pid = os.getpid()
        damaged, self._path = self._path, None
        is_damaged = not isinstance(error, sqlite3.OperationalError) or _DAMAGE.search(str(error))
        if is_damaged and damaged is not None:
            try:
                self._replace(damaged)
                return
            except (OSError, ChatError, sqlite3.Error):
                pass
        self._database = self._open(":memory:")

    def _replace(self, damaged: Path) -> None:
        """Leave ``damaged`` behind for a file of the next name, unless somebody did so already."""
        with gate.hold(self._directory, BUSY_SECONDS, "index.lock"):
            newest = self._newest()
            if newest is None or newest == damaged:
                match = _FILE.fullmatch(damaged.name)
                newest = self._directory / f"index.{int(match[1]) + 1 if match else 1}.db"
                self._database = self._open(str(newest))
                self._path = newest
                for path in list(self._files()):
                    if not path.name.startswith(newest.name):
                        path.unlink(missing_ok=True)


_ATTEMPTS = 4
_DAMAGE = re.compile("malformed|no such (table|column)")
_FILE = re.compile(r"index\.([0-9]{1,9})\.db")


def _create(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    if database.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _TABLES.strip().removesuffix(";").split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


def _known(database: sqlite3.Connection, view: View) -> Extent | None:
    """How far the view goes, when the index goes that far already."""
    row = database.execute("SELECT id, tip, count, local, total FROM chain WHERE name = ?", (view.name,)).fetchone()
    if row is None:
        return None
    chain, tip, count, local, total = row
    if view.local is None:
        if view.tip is None:
            return Extent(chain, 0, 0)
        if tip == _blob(view.tip):
            return Extent(chain, count, count)
        # A writer may have gone on since the caller looked.
        upto = _column(database, "upto", chain, view.tip)
        return Extent(chain, upto, upto) if upto is not None else None
    if tip != _blob(view.tip):
        return None
    if local == _blob(view.local):
        return Extent(chain, count, total)
    along = _column(database, "along", chain, view.local)
    return Extent(chain, count, along) if along is not None else None


def _column(database: sqlite3.Connection, column: str, chain: int, oid: Oid) -> int | None:
    row = database.execute(f"SELECT {column} FROM entry WHERE chain = ? AND oid = ?", (chain, _blob(oid))).fetchone()
    return row[0] if row else None


class Chain:
    """One chain at one tip, of which it says nothing beyond. Made by :meth:`Index.chain`."""

    def __init__(self, index: Index, name: str, tip: Oid | None, rule: Rule, local: Oid | None) -> None:
        self.name = name
        self.tip = tip
        self.local = local
        """What else is seen; None when nothing is pending."""
        self._index = index
        self._rule = rule
        self._view = View(name, tip, local)
        extent = index.rows(self._view, rule, lambda database, extent: extent)
        self.count: int = extent.numbered
        """How many records have a number: the newest number."""
        self.total: int = extent.total
        """How many records there are, with the pending ones."""

    @property
    def tips(self) -> list[Oid]:
        """The commits that reach everything here."""
        return [oid for oid in (self.tip, self.local) if oid is not None]

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
        """How many records with a place greater than ``after`` there are."""
        found: int = self._ask("SELECT count(*) FROM entry WHERE {}", condition, after=after)[0][0]
        return found

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
        rows = self._rows("SELECT upto FROM entry WHERE chain = :chain AND oid = ?", _blob(oid))
        return rows[0][0] if rows and rows[0][0] is not None and rows[0][0] <= self.total else None

    def commit_upto(self, number: int) -> Oid | None:
        """The oldest commit that reaches exactly the records 1 to ``number``, if one does."""
        sql = "SELECT oid FROM entry WHERE chain = :chain AND upto = ? ORDER BY id LIMIT 1"
        rows = self._rows(sql, number) if number <= self.total else []
        return Oid(rows[0][0].hex()) if rows else None

    def is_plain(self) -> bool:
        """Whether no merge and no repeated record stands among what is numbered."""
        # A merge brings in what is on no first-parent chain; a repeated record, and a merge itself, have no number.
        sql = (
            "SELECT EXISTS (SELECT 1 FROM entry WHERE chain = :chain AND is_pending = 0 AND number IS NOT NULL "
            "AND upto IS NULL), EXISTS (SELECT 1 FROM entry WHERE chain = :chain AND is_pending = 0 "
            "AND number IS NULL AND uid IS NOT NULL)"
        )
        return not any(self._rows(sql)[0])

    def rows_of(self, oids: Collection[Oid]) -> dict[Oid, Row]:
        """Where each of the commits stands, as far as it belongs to the chain."""
        found: dict[Oid, Row] = {}
        wanted = list(oids)
        for start in range(0, len(wanted), _CHUNK):
            part = [_blob(oid) for oid in wanted[start : start + _CHUNK]]
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
            part = [_blob(oid) for oid in wanted[start : start + _CHUNK]]
            marks = ", ".join("?" * len(part))
            sql = (
                "SELECT one.oid, other.oid FROM entry AS one JOIN entry AS other ON other.chain = one.chain "
                "AND other.uid = one.uid AND other.author = one.author AND other.id != one.id "
                "AND other.id <= (SELECT max(id) FROM entry WHERE chain = :chain AND oid IN (?, ?)) "
                f"WHERE one.chain = :chain AND one.oid IN ({marks})"
            )
            for one, other in self._rows(sql, _blob(self.tip), _blob(self.local), *part):
                found.setdefault(Oid(one.hex()), []).append(Oid(other.hex()))
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

    def numbers_of(self, uids: Collection[str]) -> dict[Uid, Number]:
        """The number of each of these uids that stands here with one."""
        uids_here = f"uid IN ({', '.join('?' * len(uids))})"
        sql = f"SELECT uid, number FROM entry WHERE {uids_here} AND is_pending = 0 AND {_HERE}"
        return {Uid(uid): Number(number) for uid, number in self._rows(sql, *uids, self.count)}

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

    def search(self, match: str, condition: Condition, limit: int | None) -> list[Hit]:
        """The records whose text fits the FTS5 query ``match``, the best first, of equal ones the newest."""
        sql = (
            "SELECT rank, number, oid FROM text JOIN entry ON entry.id = text.rowid "
            "WHERE text MATCH ? AND {} ORDER BY rank, number DESC LIMIT ?"
        )
        rows = self._ask(sql, condition, -1 if limit is None else limit, before=(match,))
        return [Hit(rank, *self._places([(number, oid)])) for rank, number, oid in rows]

    def _ask(
        self, sql: str, condition: Condition, *values: object, after: int = 0, before: tuple[object, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of this chain up to its tip that fulfil ``condition``, which ``{}`` stands for in ``sql``."""
        where = Condition.all_of(
            [Condition("chain = :chain AND number > ? AND number <= ?", (after, self.total)), condition]
        )
        return self._rows(sql.format(where.sql), *before, *where.values, *values)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        def ask(database: sqlite3.Connection, extent: Extent) -> list[tuple[Any, ...]]:
            return database.execute(sql.replace(":chain", str(extent.chain)), values).fetchall()

        return self._index.rows(self._view, self._rule, ask)


_HERE = "chain = :chain AND +number <= ?"
"""Rows of this chain up to a number, where something else finds them. Without the plus SQLite, which has no
statistics of this file, would rather look at all numbers. Source: sqlite.org/optoverview.html, section 2.1.1."""

_CHUNK = 500
"""Values of one statement; SQLite takes at least 999."""


class _CatchUp:
    """Takes the commits of one chain in that are new. Inside a transaction."""

    def __init__(
        self,
        database: sqlite3.Connection,
        view: View,
        read: Callable[[Oid], codec.Commit],
        rule: Rule,
        progress: Progress,
    ) -> None:
        self._database = database
        self._view = view
        self._read = read
        self._rule = rule
        self._progress = progress
        self._commits: dict[Oid, codec.Commit] = {}
        self._nodes: dict[Oid, order.Node] = {}
        self._keys: set[order.Key] = set()
        row = database.execute("SELECT id, tip, count, local, total FROM chain WHERE name = ?", (view.name,)).fetchone()
        self._chain, self._old_tip, self._old_count, self._old_local, self._old_total = row

    def run(self) -> Extent:
        """Take in what the view reaches.

        Raises:
            sqlite3.DatabaseError: the rows are not of a log that the tip continues.
        """
        count, local = self._old_count, self._view.local
        is_longer = self._old_tip == _blob(self._view.tip) and local is not None and self._continues(local)
        if not is_longer:
            # Their numbers may be others now. What FTS knows of them finds
            # no row any more: row ids are not used twice.
            self._database.execute("DELETE FROM entry WHERE chain = ? AND is_pending = 1", (self._chain,))
            main = self._main(self._view.tip, self._old_tip)
            count = self._take(self._view.tip, main, count, is_pending=False)
        total = self._old_total if is_longer else count
        if local is not None:
            total = self._take(local, self._local_main(local), total, is_pending=True)
        values = (_blob(self._view.tip), count, _blob(local), total, self._chain)
        self._database.execute("UPDATE chain SET tip = ?, count = ?, local = ?, total = ? WHERE id = ?", values)
        self._progress(None)
        return Extent(self._chain, count, total)

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
                self._progress(done)
        return count

    def _continues(self, local: Oid) -> bool:
        """Whether the pending rows that are there stand at the beginning of the new ones."""
        here: Oid | None = local
        while here is not None and _blob(here) != self._old_local and here not in _Rows(self._database, self._chain):
            here = next(iter(self._node_of(here).parents), None)
        return here is not None and self._old_local is not None and _blob(here) == self._old_local

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
        return self._database.execute(sql, (self._chain, _blob(oid))).fetchone() is not None

    def _main(self, tip: Oid | None, old_tip: bytes | None) -> set[Oid]:
        """The new part of the first-parent chain, which must end where the old one does."""
        main = self._first_parents(tip)
        here = tip
        while here is not None and here in main:
            here = next(iter(self._node_of(here).parents), None)
        if _blob(here) != old_tip:
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
        commit = self._commit(oid)
        committed = commit.committer.moment.seconds
        values: list[object] = [along, int(is_pending), self._chain, number, upto, _blob(oid)]
        if self._nodes[oid].key is None:
            values += [None] * 8 + [committed, None]
        else:
            record = codec.record_of(oid, commit)
            recipients = f",{','.join(record.to)}," if record.to else ""
            scope = dict(record.extra).get(codec.SCOPE) if record.kind == SUMMARY else record.type
            values += [record.uid, record.author, record.kind, scope, recipients]
            values += [record.reply_to, record.commit, record.written.seconds, committed, int(record.urgent)]
        marks = ", ".join("?" * len(values))
        cursor = self._database.execute(f"INSERT INTO entry VALUES (NULL, {marks})", values)
        if number is not None:
            text = searchable(commit.body)
            self._database.execute("INSERT INTO text (rowid, body) VALUES (?, ?)", (cursor.lastrowid, text))


class _Rows:
    """The commits that are rows of a chain already."""

    def __init__(self, database: sqlite3.Connection, chain: int) -> None:
        self._database = database
        self._chain = chain

    def __contains__(self, oid: object) -> bool:
        sql = "SELECT 1 FROM entry WHERE chain = ? AND oid = ?"
        return self._database.execute(sql, (self._chain, bytes.fromhex(str(oid)))).fetchone() is not None


def searchable(text: str) -> str:
    """``text`` as the tokenizer can take it: storable, and with a gap around letters that stand without blanks."""
    return UNSPACED.sub(f"{GAP}\\g<0>{GAP}", text.encode("utf-8", "replace").decode())


def _blob(oid: Oid | None) -> bytes | None:
    return bytes.fromhex(oid) if oid is not None else None
