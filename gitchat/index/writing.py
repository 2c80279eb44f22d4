"""Transactions in a database of ours: all of something is written or nothing, and all is seen at one time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All that is written in it, or nothing. Raises sqlite3.OperationalError: somebody else writes and does not end."""
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
    """All that is asked in it, of one state of the file. What is written in it, others never see."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
