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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gitchat.index import arrivals, behind, files, texts
from gitchat.index.arrivals import Arrived
from gitchat.index.building import Builder
from gitchat.index.bulk import Bytes
from gitchat.index.catchup import Progress
from gitchat.index.chain import Chain
from gitchat.index.extent import has_commit, known_extent
from gitchat.index.opening import opened
from gitchat.index.schema import settled
from gitchat.index.view import Extent, Rule, View
from gitchat.index.writing import seen
from gitchat.model import codec
from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.names import Oid
from gitchat.storage import gate

BUSY_SECONDS = 30.0
"""How long to wait for another process that brings the index up to date."""

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
        self._read = read
        self.builder = Builder(directory, read, progress, line, self._is_current, read_raw)
        self._database: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._inode = 0
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
        return self._asked(lambda database: self._answered(database, view, rule, ask))

    def file_texts(self) -> None:
        """Let all that was taken in be found by its words."""
        self._asked(texts.file_all)

    def _answered(
        self, database: sqlite3.Connection, view: View, rule: Rule, ask: Callable[[sqlite3.Connection, Extent], _T]
    ) -> _T:
        """What ``ask`` gives in one look at the file: what another process takes in meanwhile moves what is pending."""
        for _ in range(_OVERTAKEN):
            with seen(database):
                extent = self._extent(database, view)
                if extent is not None:
                    return ask(database, extent)
            try:
                self.builder.extended(database, view, rule)
            except behind.Behind as late:
                with behind.shown(database, late.end, view, self._read, rule) as extent:
                    return ask(database, extent)
        raise self._locked()

    def _extent(self, database: sqlite3.Connection, view: View) -> Extent | None:
        """How far the view goes, where that is taken in. One answer asks many times."""
        known, stamp = self._known, _stamp(database)
        if known is not None and known[0] is database and known[1:3] == (stamp, view):
            return known[3]
        extent = known_extent(database, view)
        self._known = (database, stamp, view, extent) if extent is not None else None
        return extent

    def taken(self, oid: Oid) -> codec.Commit | None:
        """The commit ``oid`` where it was just read to be taken in; once: who looks again sees what is there then."""
        return self.builder.fresh.pop(oid, None)

    def told(self, oid: Oid) -> tuple[Oid, str | None] | None:
        """The parent of a commit, and the kind of its record, where it was taken in last; None of any other."""
        return self.builder.told.get(oid)

    def _asked(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        last: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                return ask(self._opened())
            except files.Renewed as error:
                last = error
            except sqlite3.Error as error:
                last = error
                if not _is_locked(error):
                    self._give_up(error)
        assert last is not None
        if isinstance(last, sqlite3.Error) and not _is_locked(last):
            raise last
        raise self._locked() from last

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
        if files.newest(self._directory) is None:
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
        if self._database is not None and not self._is_current():
            self.close()  # it was retired, or somebody deleted the repository: what is written there is for nobody else
        if self._database is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._path = files.newest(self._directory) or self._directory / files.after(None)
            self._database = settled(opened(self._directory, self._path.name, BUSY_SECONDS))
            self._inode = _inode_of(self._path)
            files.remove_unused(self._path)
        return self._database

    def _is_current(self) -> bool:
        """Whether the file that is open still is there; True of one in memory."""
        return self._path is None or _inode_of(self._path) == self._inode

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
        self._database = settled(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    def _replace(self, damaged: Path) -> None:
        """Leave ``damaged`` behind for a file of the next name, unless somebody did so already."""
        with gate.hold(self._directory, BUSY_SECONDS, files.LOCK):
            newest = files.newest(self._directory)
            if newest is None or newest == damaged:
                newest = self._directory / files.after(damaged)
                self._database = settled(opened(self._directory, newest.name, BUSY_SECONDS))
                self._path, self._inode = newest, _inode_of(newest)
                files.remove_others(newest)


_ATTEMPTS = 4
_OVERTAKEN = 100
"""How often what was taken in for a view is gone when it is asked, because others look at others."""
_DAMAGE = re.compile("malformed|no such (table|column)")


def _inode_of(path: Path) -> int:
    """Which file has that name; 0 where none has."""
    try:
        return os.lstat(path).st_ino
    except OSError:
        return 0


def _stamp(database: sqlite3.Connection) -> tuple[int, int]:
    """What is another one whenever somebody wrote in the file, we or others. Source: sqlite.org/pragma.html."""
    return database.total_changes, database.execute("PRAGMA data_version").fetchone()[0]


def _is_locked(error: sqlite3.Error) -> bool:
    """Whether another process is in the way. Source: sqlite.org/rescode.html, SQLITE_BUSY, SQLITE_LOCKED."""
    return isinstance(error, sqlite3.OperationalError) and "is locked" in str(error)
