"""A disposable index of the logs of a clone: SQLite in ``chatroom/``, never the truth.

It answers what following parents cannot answer quickly: which commit has number 4711,
how many of 100,000 records are for me, where a word stands. It follows from the log
alone, is brought up to date when it is asked, and is built anew when it is missing, of
another version, damaged, or about a log whose order was changed. Where no file can be
written it is built in memory for one use: slower, and the same answers.

Here is the file; :mod:`gitchat.index.building` fills it, :mod:`gitchat.index.chain` asks it.

A damaged file is never written over: its successor gets a name of its own, so that no
journal and no open connection of the old one can reach it. Source: docs/format.md
section 7.11; sqlite.org/fts5.html, sqlite.org/wal.html.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gitchat.index import arrivals, asked, tallies
from gitchat.index.arrivals import Arrived
from gitchat.index.building import Builder
from gitchat.index.bulk import Bytes
from gitchat.index.catchup import Progress
from gitchat.index.chain import Chain
from gitchat.index.extent import has_commit
from gitchat.index.opening import opened
from gitchat.index.view import Extent, Rule, View
from gitchat.index.words import TOKENIZER
from gitchat.model import codec
from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.names import Oid
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile

VERSION = 10
"""Of the tables, of the order rule that they follow and of what counts as a word. Another one in a file: built anew."""

BUSY_SECONDS = 30.0
"""How long to wait for another process that brings the index up to date."""

_TABLES = f"""
CREATE TABLE chain (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tip BLOB, count INTEGER NOT NULL, local BLOB,
    total INTEGER NOT NULL
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, along INTEGER, is_pending INTEGER NOT NULL,
    chain INTEGER NOT NULL, number INTEGER, upto INTEGER, oid BLOB NOT NULL,
    uid TEXT, author TEXT, kind TEXT, type TEXT, recipients TEXT, reply TEXT, commit_oid TEXT,
    seconds INTEGER, committed INTEGER, urgent INTEGER, clone TEXT, email TEXT, choice TEXT,
    arrival INTEGER, is_open INTEGER
);
{arrivals.TABLES}{tallies.TABLES}CREATE TABLE voice (
    chain INTEGER NOT NULL, author TEXT NOT NULL, clone TEXT NOT NULL, email TEXT NOT NULL,
    UNIQUE (chain, author, clone, email)
);
CREATE UNIQUE INDEX entry_oid ON entry (chain, oid);
CREATE UNIQUE INDEX entry_number ON entry (chain, number) WHERE number IS NOT NULL;
CREATE INDEX entry_upto ON entry (chain, upto) WHERE upto IS NOT NULL;
CREATE INDEX entry_uid ON entry (chain, uid) WHERE uid IS NOT NULL;
CREATE INDEX entry_author ON entry (chain, author, number) WHERE number IS NOT NULL;
CREATE INDEX entry_type ON entry (chain, type, number) WHERE number IS NOT NULL;
CREATE INDEX entry_other ON entry (chain, kind, number) WHERE kind != 'message' AND number IS NOT NULL;
CREATE INDEX entry_urgent ON entry (chain, number) WHERE urgent = 1 AND number IS NOT NULL;
CREATE INDEX entry_claim ON entry (chain, number) WHERE kind IN ('claim', 'release') AND number IS NOT NULL;
CREATE INDEX entry_reply ON entry (chain, reply) WHERE reply IS NOT NULL;
CREATE INDEX entry_redact ON entry (chain, reply) WHERE kind = 'redact';
CREATE INDEX entry_pending ON entry (chain) WHERE is_pending = 1;
CREATE INDEX entry_side ON entry (chain) WHERE number IS NOT NULL AND upto IS NULL;
CREATE INDEX entry_repeated ON entry (chain) WHERE number IS NULL AND uid IS NOT NULL;
CREATE INDEX entry_commit ON entry (chain, commit_oid) WHERE commit_oid IS NOT NULL;
{asked.INDEX}
CREATE TABLE anchor (path TEXT NOT NULL, entry INTEGER NOT NULL);
CREATE INDEX anchor_path ON anchor (path, entry);
CREATE VIRTUAL TABLE text USING fts5 (body, content = '', tokenize = '{TOKENIZER}');
"""

_T = TypeVar("_T")


class Index:
    """The index of one clone. Opened on first use; one thread at a time; a forked child opens its own."""

    def __init__(
        self,
        directory: Path,
        read: Callable[[Oid], codec.Commit],
        progress: Progress,
        line: Bytes | None = None,
        read_raw: Callable[[Oid], bytes] | None = None,
    ) -> None:
        """``line`` reads a long log at once; without one its commits are read one by one. ``read_raw`` gives the bytes
        of one; without it what is new is always parsed.
        """
        self._directory = directory
        self.builder = Builder(directory, read, progress, line, read_raw)
        self._database: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._pid = 0
        self._known: tuple[sqlite3.Connection, tuple[int, int], View, Extent] | None = None
        """The view that was asked about last, and how far it goes, as long as nobody writes in the file."""

    def chain(self, name: str, tip: Oid | None, rule: Rule, local: Oid | None = None) -> Chain:
        """The chain ``name`` as it is at ``tip``, brought up to date.

        With ``local``, what that reaches and ``tip`` does not follows as pending: together they are the order
        of a merge of both (docs/format.md section 5.6), which nobody has to write. ``rule`` tells what the order
        rule has to know of a commit.

        Raises:
            FormatError: a commit is missing or damaged.
            ConflictError: ``still-counting``, ``index-locked``.
        """
        return Chain(self, name, tip, rule, None if local == tip else local)

    def rows(self, view: View, rule: Rule, ask: Callable[[sqlite3.Connection, Extent], _T]) -> _T:
        """What ``ask`` gives for the chain's extent.

        Asked again of a new index when this one is damaged, and of one in memory when it
        cannot be written.
        """
        return self._asked(lambda database: ask(database, self._extent(database, view, rule)))

    def _extent(self, database: sqlite3.Connection, view: View, rule: Rule) -> Extent:
        """How far the view goes, which is brought up to date. One answer asks many times."""
        known, stamp = self._known, _stamp(database)
        if known is not None and known[0] is database and known[1:3] == (stamp, view):
            return known[3]
        extent = self.builder.extended(database, view, rule)
        self._known = (database, _stamp(database), view, extent)
        return extent

    def taken(self, oid: Oid) -> codec.Commit | None:
        """The commit ``oid`` where it was just read to be taken in; once: who looks again sees what is there then."""
        return self.builder.fresh.pop(oid, None)

    def told(self, oid: Oid) -> tuple[Oid, str | None] | None:
        """The parent of a commit, and the kind of its record, where it was taken in last; None of any other."""
        return self.builder.told.get(oid)

    def _asked(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                return ask(self._opened())
            except sqlite3.Error as error:
                last = error
                if not _is_locked(error):
                    self._give_up(error)
        if _is_locked(last):
            raise self._locked() from last
        raise last

    def _locked(self) -> ConflictError:
        """Somebody writes in the file and does not end. To build another one would only be more to wait for."""
        return ConflictError(
            f"another process has held the index for over {BUSY_SECONDS * _ATTEMPTS:.0f} s",
            hint=f"see what it does, or end it: fuser -v '{self._path}'",
            public_message="another process indexes here, and does not end",
            public_hint="try again; if that lasts, tell who runs this server",
            code="index-locked",
        )

    def arrived(self, after: int = 0, epoch: str | None = None, limit: int | None = None) -> Arrived:
        """The oldest ``limit`` records of all rooms that came after an arrival number, as far as logs were taken in.

        None of them where ``epoch`` is another than the index's own, which numbers anew when it is built anew.
        """
        return self._asked(lambda database: arrivals.arrived(database, after, epoch, limit))

    def has(self, name: str, oid: Oid) -> bool:
        """Whether the chain ``name`` has taken in the commit ``oid``. Nothing is made, or taken in, for that."""
        if self._newest() is None:
            return False
        try:
            return has_commit(self._opened(), name, oid)
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        if self._database is not None and self._pid == os.getpid():
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = self._known = None

    # --- the file --------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        if self._path is not None and self._database is not None and not os.path.exists(self._path):
            self.close()  # it was retired, or somebody deleted it: what is written there is for nobody else
        if self._database is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._path = self._newest() or self._directory / "index.1.db"
            self._database = _settled(opened(self._directory, self._path.name, BUSY_SECONDS))
        return self._database

    def _newest(self) -> Path | None:
        paths = [(int(match[1]), path) for path in self._files() if (match := _FILE.fullmatch(path.name))]
        return max(paths)[1] if paths else None

    def _files(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from self._directory.glob("index.*.db*")

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on with a new file, or, where that would not help (disk full, read-only), in memory."""
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
        self._database = _settled(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    def _replace(self, damaged: Path) -> None:
        """Leave ``damaged`` behind for a file of the next name, unless somebody did so already."""
        with gate.hold(self._directory, BUSY_SECONDS, "index.lock"):
            newest = self._newest()
            if newest is None or newest == damaged:
                match = _FILE.fullmatch(damaged.name)
                newest = self._directory / f"index.{int(match[1]) + 1 if match else 1}.db"
                self._database = _settled(opened(self._directory, newest.name, BUSY_SECONDS))
                self._path = newest
                for path in list(self._files()):
                    if not path.name.startswith(newest.name):
                        OwnFile(self._directory, path.name).remove()


_ATTEMPTS = 4
_LOG_BYTES = 4 * 1024 * 1024
"""What stays of SQLite's log of a large transaction."""
_CACHE_KB = 16 * 1024
"""Uids and commits come in no order: with less, a long log is read and written over and over."""
_DAMAGE = re.compile("malformed|no such (table|column)")
_FILE = re.compile(r"index\.([0-9]{1,9})\.db")


def _stamp(database: sqlite3.Connection) -> tuple[int, int]:
    """What is another one whenever somebody wrote in the file, we or others. Source: sqlite.org/pragma.html."""
    return database.total_changes, database.execute("PRAGMA data_version").fetchone()[0]


def _is_locked(error: sqlite3.Error) -> bool:
    """Whether another process is in the way. Source: sqlite.org/rescode.html, SQLITE_BUSY, SQLITE_LOCKED."""
    return isinstance(error, sqlite3.OperationalError) and "is locked" in str(error)


def _settled(database: sqlite3.Connection) -> sqlite3.Connection:
    """``database`` with our settings and tables. Raises sqlite3.Error, and closes it."""
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            _create(database)
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"version {version}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _create(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    if database.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _TABLES.strip().removesuffix(";").split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")
