"""A disposable index of the logs of a clone: SQLite in ``chatroom/``, never the truth.

It answers what following parents cannot answer quickly: which commit has number 4711,
how many of 100,000 records are for me, where a word stands. It follows from the log
alone, is brought up to date when it is asked, and is built anew when it is missing, of
another version, damaged, or about a log whose order was changed. Where no file can be
written it is built in memory for one use: slower, and the same answers.

Here is the file; :mod:`gitchat.index.catchup` fills it, :mod:`gitchat.index.chain` asks it.

A damaged file is never written over: its successor gets a name of its own, so that no
journal and no open connection of the old one can reach it. Source: docs/format.md
section 7.11; sqlite.org/fts5.html, sqlite.org/wal.html.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from gitchat.index import arrivals
from gitchat.index.arrivals import Arrived
from gitchat.index.catchup import CatchUp, Progress
from gitchat.index.chain import Chain, Extent, Rule, View
from gitchat.index.extent import has_commit, known_extent
from gitchat.index.stages import Stages, counted_on
from gitchat.index.words import TOKENIZER
from gitchat.model import codec
from gitchat.model.errors import ChatError, ConflictError, StorageError
from gitchat.model.names import Oid
from gitchat.storage import gate
from gitchat.storage.ownfiles import Misplaced, OwnFile

VERSION = 7
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
    seconds INTEGER, committed INTEGER, urgent INTEGER, clone TEXT, email TEXT, arrival INTEGER
);
{arrivals.TABLES}CREATE TABLE voice (
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
CREATE INDEX entry_reply ON entry (chain, reply) WHERE reply IS NOT NULL;
CREATE INDEX entry_pending ON entry (chain) WHERE is_pending = 1;
CREATE INDEX entry_side ON entry (chain) WHERE number IS NOT NULL AND upto IS NULL;
CREATE INDEX entry_repeated ON entry (chain) WHERE number IS NULL AND uid IS NOT NULL;
CREATE INDEX entry_commit ON entry (chain, commit_oid) WHERE commit_oid IS NOT NULL;
CREATE VIRTUAL TABLE text USING fts5 (body, content = '', tokenize = '{TOKENIZER}');
"""

_T = TypeVar("_T")


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
        return self._asked(lambda database: ask(database, self._extended(database, view, rule)))

    def _asked(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        for _ in range(_ATTEMPTS):
            try:
                return ask(self._opened())
            except sqlite3.Error as error:
                last = error
                self._give_up(error)
        raise last

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
        self._database = None

    # --- taking in -------------------------------------------------------------

    def _extended(self, database: sqlite3.Connection, view: View, rule: Rule) -> Extent:
        """Take in what is new, if anything is."""
        known = known_extent(database, view)
        if known is not None:
            return known
        way = Stages(view.tip, self._read, lambda oid: has_commit(database, view.name, oid))
        if way.is_one():
            return self._taken_in(database, view, rule, way.kept, self._progress)
        with self._turn():
            # Whoever had the turn before has taken in the most of it.
            for done, stop in enumerate(way.stops()[:-1]):
                self._taken_in(database, View(view.name, stop, None), rule, {}, counted_on(self._progress, done))
            return self._taken_in(database, view, rule, way.kept, self._progress)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The only process that takes in a long log, where that can be had; the others wait, and find it done."""
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(gate.hold(self._directory, BUSY_SECONDS, "indexing.lock"))
                except ConflictError:
                    continue  # somebody is at it, and ends one day
                except StorageError:
                    pass
                break
            yield

    def _taken_in(
        self,
        database: sqlite3.Connection,
        view: View,
        rule: Rule,
        kept: dict[Oid, codec.Commit],
        progress: Progress,
    ) -> Extent:
        """Take in all that the view reaches, or nothing. ``kept`` are commits that were read already."""
        database.execute("BEGIN IMMEDIATE")
        try:
            known = known_extent(database, view)  # somebody else may have been quicker
            if known is None:
                database.execute("INSERT OR IGNORE INTO chain (name, count, total) VALUES (?, 0, 0)", (view.name,))
                known = CatchUp(database, view, self._read, rule, progress, kept).run()
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
            self._database = self._open_file(self._path)
        return self._database

    def _open(self, path: str) -> sqlite3.Connection:
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

    def _open_file(self, path: Path) -> sqlite3.Connection:
        """The database at ``path``, which is made here: SQLite would follow a link, wait at a pipe, and know no group.

        It gives its -wal and -shm the mode and, for root, the owner of the database. Raises sqlite3.Error.
        """
        try:
            for file in (OwnFile(self._directory, path.name + suffix) for suffix in ("", "-wal", "-shm")):
                with suppress(FileNotFoundError):
                    os.close(file.open(os.O_RDWR if file.name != path.name else os.O_RDWR | os.O_CREAT))
        except Misplaced as error:
            raise sqlite3.DatabaseError(str(error)) from error
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open database file: {error}") from error
        return self._open(str(path))

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
                self._database = self._open_file(newest)
                self._path = newest
                for path in list(self._files()):
                    if not path.name.startswith(newest.name):
                        OwnFile(self._directory, path.name).remove()


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
