"""A database file that several threads of a process open: what one has locked stays locked."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gitchat.index.opening import opened

NAME = "index.1.db"
BUSY_SECONDS = 10.0

TAKE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    database.execute("BEGIN IMMEDIATE")
    print("taken")
except sqlite3.OperationalError as error:
    print(error)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """``chatroom/`` with a database that has a log of SQLite's."""
    place = tmp_path / "chatroom"
    place.mkdir()
    with closing(opened(place, NAME, BUSY_SECONDS)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE one (word TEXT)")
    return place


def taken_elsewhere(directory: Path) -> str:
    """What another process hears that wants to write at once."""
    asked = [sys.executable, "-c", TAKE, str(directory / NAME)]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("is_a_thread", [True, False])
def test_who_opens_it_beside_takes_no_lock_away(directory: Path, is_a_thread: bool) -> None:
    with closing(opened(directory, NAME, BUSY_SECONDS)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("INSERT INTO one VALUES ('held')")

        def beside() -> None:
            with closing(opened(directory, NAME, BUSY_SECONDS)) as reading:
                assert reading.execute("SELECT count(*) FROM one").fetchone() == (0,)

        if is_a_thread:
            thread = threading.Thread(target=beside)
            thread.start()
            thread.join()
        else:
            beside()
        assert taken_elsewhere(directory) == "database is locked"
        writing.execute("COMMIT")
    assert taken_elsewhere(directory) == "taken"


def test_what_stands_in_its_place_is_refused_though_it_is_open_here(directory: Path) -> None:
    """A link is not followed, a pipe is not waited for; and what is missing is made."""
    with closing(opened(directory, NAME, BUSY_SECONDS)) as first:
        first.execute("SELECT * FROM one")
        (directory / NAME).rename(directory / "aside")
        with closing(opened(directory, NAME, BUSY_SECONDS)) as second:
            assert second.execute("SELECT name FROM sqlite_master").fetchall() == []
            (directory / NAME).unlink()
            (directory / NAME).symlink_to(directory / "aside")
            with pytest.raises(sqlite3.DatabaseError, match="it is a symbolic link"):
                opened(directory, NAME, BUSY_SECONDS)
