"""Takes the commits of a chain into the tables of an index, in transactions each of which is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from gitchat.index import bulk, schema
from gitchat.index.catchup import CatchUp, Progress
from gitchat.index.extent import known_extent
from gitchat.index.stages import counted_on
from gitchat.index.view import Extent, Rule, View
from gitchat.model import codec
from gitchat.model.names import Oid
from gitchat.storage.line import Oids


class Filling:
    """Fills one index, which is open."""

    def __init__(
        self,
        database: sqlite3.Connection,
        read: Callable[[Oid], codec.Commit],
        rule: Rule,
        progress: Progress,
    ) -> None:
        self._database = database
        self._read = read
        self._rule = rule
        self._progress = progress

    def take(self, view: View, kept: dict[Oid, codec.Commit], done: int = 0) -> Extent:
        """Take in all that the view reaches, or nothing, commit by commit. ``kept`` are commits that were read already.

        ``done`` commits were told as progress before.
        """
        with transaction(self._database):
            known = known_extent(self._database, view)  # somebody else may have been quicker
            if known is None:
                self._begin(view.name)
                progress = counted_on(self._progress, done)
                known = CatchUp(self._database, view, self._read, self._rule, progress, kept).run()
        return known

    def take_line(self, name: str, line: bulk.Bytes, oids: Oids, start: int = 0) -> None:
        """Take in ``oids`` by their bytes, from ``start``, where the chain ends; a stage with a merge commit by commit.

        Raises:
            Broken, FormatError: a commit is missing or damaged.
        """
        marks = None if schema.has_lookups(self._database) else bulk.Marks(self._database, name)
        for done in range(start, len(oids), bulk.COMMITS):
            part = oids[done : done + bulk.COMMITS]
            try:
                with transaction(self._database):
                    self._take_part(name, line, part, marks, done)
            except bulk.Unfit:
                schema.make_lookups(self._database)
                marks = None
                self.take(View(name, Oid(part[-1].hex()), None), {}, done)
            # What was written goes into the file, or SQLite's log of it grows to the size of the whole.
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _take_part(
        self, name: str, line: bulk.Bytes, part: Sequence[bytes], marks: bulk.Marks | None, done: int
    ) -> None:
        self._begin(name)
        row = self._database.execute("SELECT id, tip, count, local FROM chain WHERE name = ?", (name,)).fetchone()
        chain, tip, count, local = row
        if local is not None:
            raise bulk.Unfit  # what is pending there stands behind, and would have to be moved
        stage = bulk.Stage(chain, tip, count, marks)
        tell = counted_on(self._progress, done)
        total = bulk.take(self._database, stage, part, line.contents(part), self._rule, tell)
        values = (part[-1], total, total, chain)
        self._database.execute("UPDATE chain SET tip = ?, count = ?, total = ? WHERE id = ?", values)

    def _begin(self, name: str) -> None:
        """Let there be a chain of this name."""
        self._database.execute("INSERT OR IGNORE INTO chain (name, count, total) VALUES (?, 0, 0)", (name,))


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All that is written in it, or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


@contextmanager
def seen(database: sqlite3.Connection) -> Iterator[None]:
    """All that is asked in it, of one state of the file. Writes nothing."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
