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

VERSION = 2
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
CREATE TABLE chain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tip BLOB, count INTEGER NOT NULL);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, chain INTEGER NOT NULL, number INTEGER, upto INTEGER, oid BLOB NOT NULL,
    uid TEXT, author TEXT, kind TEXT, type TEXT, recipients TEXT, reply TEXT, commit_oid TEXT,
    seconds INTEGER, committed INTEGER, urgent INTEGER
);
CREATE UNIQUE INDEX entry_oid ON entry (chain, oid);
CREATE UNIQUE INDEX entry_number ON entry (chain, number) WHERE number IS NOT NULL;
CREATE INDEX entry_upto ON entry (chain, upto) WHERE upto IS NOT NULL;
CREATE INDEX entry_uid ON entry (chain, uid) WHERE uid IS NOT NULL;
CREATE INDEX entry_author ON entry (chain, author, number) WHERE number IS NOT NULL;
CREATE INDEX entry_reply ON entry (chain, reply) WHERE reply IS NOT NULL;
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
    oid: Oid


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


def statuses_for_nobody() -> Condition:
    """Status records that are addressed to nobody, and so reach nobody."""
    return Condition("kind = ? AND recipients = ''", (STATUS,))


def of_type(slug: str) -> Condition:
    """Records of a type."""
    return Condition("type = ?", (slug,))


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

    def chain(self, name: str, tip: Oid | None, rule: Rule) -> Chain:
        """The chain ``name`` as it is at ``tip``, brought up to date.

        ``rule`` tells what the order rule has to know of a commit.

        Raises:
            FormatError: a commit is missing or damaged.
        """
        return Chain(self, name, tip, rule)

    def rows(self, name: str, tip: Oid | None, rule: Rule, ask: Callable[[sqlite3.Connection, int, int], _T]) -> _T:
        """What ``ask`` gives for the chain's row id and its number of records at ``tip``.

        Asked again of a new index when this one is damaged, and of one in memory when it
        cannot be written.
        """
        for _ in range(_ATTEMPTS):
            try:
                database = self._opened()
                return ask(database, *self._extended(database, name, tip, rule))
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

    def _extended(self, database: sqlite3.Connection, name: str, tip: Oid | None, rule: Rule) -> tuple[int, int]:
        """Take in what is new up to ``tip``; the chain's row id, and how many records ``tip`` reaches."""
        known = _known(database, name, tip)
        if known is not None:
            return known
        database.execute("BEGIN IMMEDIATE")
        try:
            known = _known(database, name, tip)  # somebody else may have been quicker
            if known is None:
                database.execute("INSERT OR IGNORE INTO chain (name, count) VALUES (?, 0)", (name,))
                known = _CatchUp(database, name, self._read, rule, self._progress).run(tip)
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


def _known(database: sqlite3.Connection, name: str, tip: Oid | None) -> tuple[int, int] | None:
    """The chain's row id and the place of ``tip``, when the index goes that far already."""
    row = database.execute("SELECT id, tip, count FROM chain WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    if tip is None:
        return row[0], 0
    if row[1] == bytes.fromhex(tip):
        return row[0], row[2]
    # A writer may have gone on since the caller looked.
    found = database.execute(
        "SELECT upto FROM entry WHERE chain = ? AND oid = ? AND upto IS NOT NULL", (row[0], bytes.fromhex(tip))
    ).fetchone()
    return (row[0], found[0]) if found else None


class Chain:
    """One chain at one tip, of which it says nothing beyond. Made by :meth:`Index.chain`."""

    def __init__(self, index: Index, name: str, tip: Oid | None, rule: Rule) -> None:
        self.name = name
        self.tip = tip
        self._index = index
        self._rule = rule
        self.count: int = index.rows(name, tip, rule, lambda database, chain, count: count)
        """How many records there are: the newest number."""

    def select(
        self, condition: Condition = ANY, *, limit: int | None = None, newest: bool = False, after: int = 0
    ) -> list[Place]:
        """The oldest (or newest) ``limit`` records with a number greater than ``after``, oldest first."""
        direction = "DESC" if newest else "ASC"
        sql = f"SELECT number, oid FROM entry WHERE {{}} ORDER BY number {direction} LIMIT ?"
        rows = self._ask(sql, condition, -1 if limit is None else limit, after=after)
        places = [Place(Number(number), Oid(oid.hex())) for number, oid in rows]
        return places[::-1] if newest else places

    def count_of(self, condition: Condition = ANY, *, after: int = 0) -> int:
        """How many records with a number greater than ``after`` there are."""
        found: int = self._ask("SELECT count(*) FROM entry WHERE {}", condition, after=after)[0][0]
        return found

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
        return rows[0][0] if rows and rows[0][0] is not None and rows[0][0] <= self.count else None

    def commit_upto(self, number: int) -> Oid | None:
        """The oldest commit that reaches exactly the records 1 to ``number``, if one does."""
        sql = "SELECT oid FROM entry WHERE chain = :chain AND upto = ? ORDER BY id LIMIT 1"
        rows = self._rows(sql, number) if number <= self.count else []
        return Oid(rows[0][0].hex()) if rows else None

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

        As far as the tip reaches them: the rows up to its own, since the order of an older tip is a prefix.
        """
        found: dict[Oid, list[Oid]] = {}
        wanted = list(oids)
        for start in range(0, len(wanted), _CHUNK):
            part = [_blob(oid) for oid in wanted[start : start + _CHUNK]]
            marks = ", ".join("?" * len(part))
            sql = (
                "SELECT one.oid, other.oid FROM entry AS one JOIN entry AS other ON other.chain = one.chain "
                "AND other.uid = one.uid AND other.author = one.author AND other.id != one.id "
                "AND other.id <= (SELECT id FROM entry WHERE chain = :chain AND oid = ?) "
                f"WHERE one.chain = :chain AND one.oid IN ({marks})"
            )
            for one, other in self._rows(sql, _blob(self.tip), *part):
                found.setdefault(Oid(one.hex()), []).append(Oid(other.hex()))
        return found

    def with_uid(self, prefix: str) -> list[Place]:
        """The records whose uid begins with ``prefix``, the oldest first."""
        return self.select(Condition("uid >= ? AND uid < ?", (prefix, prefix + "~")))

    def thread(self, uid: Uid) -> list[Place]:
        """The record with this uid, what it answers, what that answers ..., and every answer to any, oldest first."""
        sql = (
            "WITH RECURSIVE above (uid, reply) AS ("
            " SELECT uid, reply FROM entry WHERE chain = :chain AND uid = ? AND number IS NOT NULL"
            " UNION SELECT entry.uid, entry.reply FROM above JOIN entry ON entry.chain = :chain"
            " AND entry.uid = above.reply AND entry.number IS NOT NULL"
            "), thread (uid) AS ("
            " SELECT uid FROM above"
            " UNION SELECT entry.uid FROM thread JOIN entry ON entry.chain = :chain"
            " AND entry.reply = thread.uid AND entry.number IS NOT NULL"
            ") SELECT number, oid FROM entry WHERE chain = :chain AND number <= ? AND uid IN (SELECT uid FROM thread)"
            " ORDER BY number"
        )
        return [Place(Number(number), Oid(oid.hex())) for number, oid in self._rows(sql, uid, self.count)]

    def numbers_of(self, uids: Collection[str]) -> dict[Uid, Number]:
        """The number of each of these uids that stands here."""
        condition = Condition(f"uid IN ({', '.join('?' * len(uids))})", tuple(uids))
        return {
            Uid(uid): Number(number) for uid, number in self._ask("SELECT uid, number FROM entry WHERE {}", condition)
        }

    def newest_by_author(self) -> dict[str, tuple[Number, int]]:
        """For everybody who wrote here: the newest number, and its date in seconds since the epoch."""
        sql = "SELECT author, max(number), seconds FROM entry WHERE {} GROUP BY author"
        return {author: (Number(number), seconds) for author, number, seconds in self._ask(sql, ANY)}

    def search(self, match: str, condition: Condition, limit: int | None) -> list[Hit]:
        """The records whose text fits the FTS5 query ``match``, the best first, of equal ones the newest."""
        sql = (
            "SELECT rank, number, oid FROM text JOIN entry ON entry.id = text.rowid "
            "WHERE text MATCH ? AND {} ORDER BY rank, number DESC LIMIT ?"
        )
        rows = self._ask(sql, condition, -1 if limit is None else limit, before=(match,))
        return [Hit(rank, Place(Number(number), Oid(oid.hex()))) for rank, number, oid in rows]

    def _ask(
        self, sql: str, condition: Condition, *values: object, after: int = 0, before: tuple[object, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of this chain up to its tip that fulfil ``condition``, which ``{}`` stands for in ``sql``."""
        where = Condition.all_of(
            [Condition("chain = :chain AND number > ? AND number <= ?", (after, self.count)), condition]
        )
        return self._rows(sql.format(where.sql), *before, *where.values, *values)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        def ask(database: sqlite3.Connection, chain: int, count: int) -> list[tuple[Any, ...]]:
            return database.execute(sql.replace(":chain", str(chain)), values).fetchall()

        return self._index.rows(self.name, self.tip, self._rule, ask)


_CHUNK = 500
"""Values of one statement; SQLite takes at least 999."""


class _CatchUp:
    """Takes the commits of one chain in that are new. Inside a transaction."""

    def __init__(
        self,
        database: sqlite3.Connection,
        name: str,
        read: Callable[[Oid], codec.Commit],
        rule: Rule,
        progress: Progress,
    ) -> None:
        self._database = database
        self._name = name
        self._read = read
        self._rule = rule
        self._progress = progress
        self._commits: dict[Oid, codec.Commit] = {}
        self._nodes: dict[Oid, order.Node] = {}

    def run(self, tip: Oid | None) -> tuple[int, int]:
        """Take in what ``tip`` reaches; the chain's row id, and how many records that are.

        Raises:
            sqlite3.DatabaseError: the rows are not of a log that ``tip`` continues.
        """
        row = self._database.execute("SELECT id, tip, count FROM chain WHERE name = ?", (self._name,)).fetchone()
        chain, old_tip, count = row[0], row[1], row[2]
        ordered = order.commits(tip, self._node_of, _Rows(self._database, chain))
        main = self._main(tip, old_tip)
        keys: set[order.Key] = set()
        for done, oid in enumerate(ordered, 1):
            key = self._nodes[oid].key
            is_new = key is not None and key not in keys and not self._has(chain, key)
            if is_new and key is not None:
                keys.add(key)
                count += 1
            self._insert(chain, oid, count if is_new else None, count if oid in main else None)
            if done % STEP == 0:
                self._progress(done)
        self._database.execute("UPDATE chain SET tip = ?, count = ? WHERE id = ?", (_blob(tip), count, chain))
        self._progress(None)
        return chain, count

    def _main(self, tip: Oid | None, old_tip: bytes | None) -> set[Oid]:
        """The new part of the first-parent chain, which must end where the old one does."""
        main: set[Oid] = set()
        here = tip
        while here is not None and here in self._nodes:
            main.add(here)
            here = next(iter(self._nodes[here].parents), None)
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

    def _insert(self, chain: int, oid: Oid, number: int | None, upto: int | None) -> None:
        commit = self._commit(oid)
        committed = commit.committer.moment.seconds
        values: list[object] = [chain, number, upto, _blob(oid)]
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
