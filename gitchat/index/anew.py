"""A long log that a clone has nothing of yet is taken in apart: into a file that nobody asks before it is whole.

Nobody looks for a row in there meanwhile, so that rows are written once, in the order in which they come, and all that
looks them up is made at the end, sorted: for a million records in half of the time. Others go on with the file that
counts, which has their other rooms; then the new one counts, and those few are taken in again. Who is killed goes on
after its last stage.

Source: docs/format.md section 7.11.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from gitchat.index import files, schema
from gitchat.index.opening import opened
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile

MOST_ROWS = 2_000
"""Of an index whose place another one takes: they are taken in again in a moment."""

_BUSY_SECONDS = 30.0
_ADDED = ("", "-journal", "-wal", "-shm")


def fits(database: sqlite3.Connection) -> bool:
    """Whether an index has so little in it that another one may take its place."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
    return row is None or row[0] <= MOST_ROWS


@contextmanager
def built(directory: Path) -> Iterator[sqlite3.Connection]:
    """A database in ``directory``, ``chatroom/``, to be filled, which counts from the end on; by who has the turn.

    It is what a process left that was killed, or new; what fails leaves nothing of it.

    Raises:
        sqlite3.Error, OSError: there is no such file to be had, or it cannot be written.
        ConflictError: somebody else keeps another index from taking the place.
    """
    try:
        with closing(_begun(directory)) as database:
            inode = _inode(directory)
            yield database
            schema.make_lookups(database)
            database.execute("PRAGMA journal_mode = WAL").fetchall()  # as it is asked
        _let_count(directory, inode)
    except Exception:
        discard(directory)
        raise


def discard(directory: Path) -> None:
    """Remove what is left of one that was not finished."""
    for suffix in _ADDED:
        with suppress(OSError):
            OwnFile(directory, files.BUILT + suffix).remove()


def so_far(directory: Path, name: str) -> int:
    """How many records of a chain are in the one that is being built; 0 where nobody can tell."""
    if not (directory / files.BUILT).exists():
        return 0
    try:
        with closing(opened(directory, files.BUILT, 0)) as database:
            row = database.execute("SELECT count FROM chain WHERE name = ?", (name,)).fetchone()
            return row[0] if row is not None else 0
    except sqlite3.Error:  # it is written just now, or gone
        return 0


def _begun(directory: Path) -> sqlite3.Connection:
    try:
        return schema.begun(opened(directory, files.BUILT, _BUSY_SECONDS))
    except sqlite3.DatabaseError:  # of another version, or damaged
        discard(directory)
        return schema.begun(opened(directory, files.BUILT, _BUSY_SECONDS))


def _inode(directory: Path) -> int:
    return os.lstat(directory / files.BUILT).st_ino


def _let_count(directory: Path, inode: int) -> None:
    """Give the file the next name, unless it was retired meanwhile: then it holds what was to go."""
    with gate.hold(directory, _BUSY_SECONDS, files.LOCK):
        if _inode(directory) != inode:
            raise FileNotFoundError(directory / files.BUILT)
        name = files.after(files.newest(directory))
        OwnFile(directory, files.BUILT).rename(name)
        files.remove_others(directory / name)
