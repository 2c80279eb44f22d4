"""How an index gets as far as a log: by the one process that has the turn, while the others wait for it.

A few new commits everybody takes in by itself, in one transaction. A long log is taken in by stages under a lock of
its own (``indexing.lock``), so that eight who come at once to a fresh clone do not each do it, and each stage stays;
the first one of a clone apart (:mod:`gitchat.index.anew`).
Who cannot wait is told that it is going on; nobody builds one in memory because another is at work.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gitchat.index import anew, bulk
from gitchat.index.behind import Behind, end_of
from gitchat.index.catchup import Progress
from gitchat.index.extent import has_commit, known_extent
from gitchat.index.few import Few
from gitchat.index.files import Renewed
from gitchat.index.filling import Filling, transaction
from gitchat.index.stages import COMMITS, Stages
from gitchat.index.view import Extent, Rule, View
from gitchat.model import codec
from gitchat.model.errors import ConflictError, FormatError, StorageError
from gitchat.model.names import Oid
from gitchat.storage import gate
from gitchat.storage.line import Broken

TURN = "indexing.lock"
"""The file in ``chatroom/`` whose lock is the turn to take in a long log."""

SHORT = 1_000
"""How many commits anybody takes in by itself."""

MINUTES = 20_000
"""From how many commits on one who does not wait for the end leaves it to a process of its own."""

AGAIN_SECONDS = 2.0
"""For how long who has waited in vain does not wait again: one answer asks many times."""

_LOOK_SECONDS = 0.1
_EVER = 1e6
"""Seconds: what a thread can wait has an end."""

Aside = Callable[[str, int], None]
"""Starts a process that takes in the chain of this name, and has the turn by this descriptor from then on."""


class Builder:
    """Takes in what is new of the chains of one index."""

    def __init__(
        self,
        directory: Path,
        read: Callable[[Oid], codec.Commit],
        progress: Progress,
        line: bulk.Bytes | None,
        is_current: Callable[[], bool],
        read_raw: Callable[[Oid], bytes] | None,
    ) -> None:
        """``line`` reads a long log by its bytes; without one it is parsed commit by commit. So does ``read_raw`` a
        commit, where few are new.

        ``is_current`` tells whether the file that is being asked still counts.
        """
        self._directory = directory
        self._read = read
        self._read_raw = read_raw
        self.fresh: dict[Oid, codec.Commit] = {}
        """Of what was taken in last, what was read for that and nobody asked for since."""
        self.told: dict[Oid, tuple[Oid, str | None]] = {}
        """Of the same commits the parent, and the kind."""
        self._progress = progress
        self._line = line
        self._is_current = is_current
        self.patience_seconds = math.inf
        """How long to wait for who takes in a long log; then it goes on without us, and we are told so."""
        self.aside: Aside | None = None
        self._gave_up_at = -math.inf
        self.has_turn = False
        """Whether this process has the turn already, and does all the work itself."""

    def extended(self, database: sqlite3.Connection, view: View, rule: Rule) -> Extent:
        """Take in what is new, if anything is.

        Raises:
            ConflictError: ``still-counting`` when that is going on for longer than one waits.
            FormatError: a commit is missing or damaged.
            Renewed: it is in another file now.
            Behind: more was taken in than the view has.
        """
        known = known_extent(database, view)
        if known is not None:
            return known
        end = end_of(database, view)
        if end is not None:
            raise Behind(end)
        if time.monotonic() - self._gave_up_at < AGAIN_SECONDS:
            raise self._still(database, view)
        known = self._few(database, view, rule)
        if known is not None:
            return known
        way = Stages(view.tip, self._read, lambda oid: has_commit(database, view.name, oid))
        # While it is built apart, each who comes would walk a part of the log beside that, to be told the same.
        if not self._is_being_built(database, view) and way.is_one(COMMITS if self._line is None else SHORT):
            return Filling(database, self._read, rule, self._progress).take(view, way.kept)
        until = time.monotonic() + self.patience_seconds
        try:
            with self._turn() as held:
                known = self._known(database, view)  # whoever had the turn before has taken in the most of it
                if known is not None:
                    return known
                if held is None or self.aside is None or not self._is_for_another(database, view):
                    return self._in_stages(database, view, rule, way)
                self.aside(view.name, held.hand_on())
        except ConflictError:
            pass  # another has it, for longer than we wait
        while known is None and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            known = self._known(database, view)
        if known is None:
            self._gave_up_at = time.monotonic()
            raise self._still(database, view)
        return known

    def _is_being_built(self, database: sqlite3.Connection, view: View) -> bool:
        """Whether a process takes the log in apart, or was killed when it did."""
        return self._line is not None and not _tip(database, view.name) and anew.so_far(self._directory, view.name) > 0

    def _known(self, database: sqlite3.Connection, view: View) -> Extent | None:
        """As known_extent. Raises Renewed when another file counts meanwhile."""
        if not self._is_current():
            raise Renewed
        return known_extent(database, view)

    def _few(self, database: sqlite3.Connection, view: View, rule: Rule) -> Extent | None:
        """Take in what is new, where that is little and plain; None where it is not."""
        if self._read_raw is None:
            return None
        few = Few(database, view, self._read_raw)
        if not few.is_plain:
            return None
        try:
            with transaction(database):
                known = few.take(database, rule)
        except bulk.Unfit:
            return None
        self.fresh, self.told = few.commits, few.told
        return known if known is not None else known_extent(database, view)

    @contextmanager
    def _turn(self) -> Iterator[gate.Gate | None]:
        """The only process that takes in a long log, where that can be had; the others wait, and find it done.

        Raises ConflictError when that takes longer than one waits.
        """
        with ExitStack() as stack:
            held: gate.Gate | None = None
            if not self.has_turn:
                with suppress(StorageError):
                    held = stack.enter_context(gate.hold(self._directory, min(self.patience_seconds, _EVER), TURN))
            yield held

    def _is_for_another(self, database: sqlite3.Connection, view: View) -> bool:
        """Whether it takes longer than we wait."""
        if self.patience_seconds == math.inf or self._line is None or view.tip is None or "/" in view.name:
            return False
        try:
            return self._line.is_longer(view.tip, _tip(database, view.name), MINUTES)
        except Broken:
            return False

    def _still(self, database: sqlite3.Connection, view: View) -> ConflictError:
        row = database.execute("SELECT count FROM chain WHERE name = ?", (view.name,)).fetchone()
        done = anew.so_far(self._directory, view.name) or (row[0] if row is not None else 0)
        so_far = f", {done:,} so far" if done else ""
        return ConflictError(
            f"the messages of room '{view.name.partition('/')[0]}' are being counted for the first time here{so_far}",
            hint="its newest ones are there at once: git chat log; for the rest try again in a moment",
            code="still-counting",
        )

    # --- the work --------------------------------------------------------------

    def _in_stages(self, database: sqlite3.Connection, view: View, rule: Rule, way: Stages) -> Extent:
        filling = Filling(database, self._read, rule, self._progress)
        if self._line is not None and view.tip is not None and "/" not in view.name:
            with suppress(Broken, bulk.Unfit, FormatError):  # who reads one by one heals it, or says what is wrong
                self._by_line(database, filling, self._line, view.name, view.tip, rule)
            way = Stages(view.tip, self._read, lambda oid: has_commit(database, view.name, oid))
        if not way.is_one(COMMITS):
            for done, stop in enumerate(way.stops()[:-1]):
                filling.take(View(view.name, stop, None), {}, done * COMMITS)
        return filling.take(view, way.kept)

    def _by_line(
        self, database: sqlite3.Connection, filling: Filling, line: bulk.Bytes, name: str, tip: Oid, rule: Rule
    ) -> None:
        """Take in the log by its bytes. Raises Renewed when it is in another file then."""
        known = _tip(database, name)
        oids = line.oids(tip, known)
        if known is None and len(oids) > MINUTES and anew.fits(database):
            with suppress(sqlite3.Error, OSError, ConflictError):  # where there can be none, this one has to do
                with anew.built(self._directory) as apart:
                    other = Filling(apart, self._read, rule, self._progress)
                    done = _tip(apart, name)
                    start = oids.behind(bytes.fromhex(done)) if done is not None else 0
                    if done is not None and not start:
                        raise sqlite3.DatabaseError("it is of another log")
                    other.take_line(name, line, oids, start)
                raise Renewed
        else:
            anew.discard(self._directory)
        filling.take_line(name, line, oids)
        _truncate(database)


def _truncate(database: sqlite3.Connection) -> None:
    """Give back what SQLite's log takes on the disk, unless somebody reads in it for longer than a moment."""
    before = database.execute("PRAGMA busy_timeout").fetchone()[0]
    database.execute("PRAGMA busy_timeout = 200")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    database.execute(f"PRAGMA busy_timeout = {before}")


def _tip(database: sqlite3.Connection, name: str) -> Oid | None:
    """How far the chain goes already."""
    row = database.execute("SELECT tip FROM chain WHERE name = ?", (name,)).fetchone()
    return Oid(row[0].hex()) if row is not None and row[0] is not None else None
