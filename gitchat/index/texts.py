"""The texts of records, for who looks for words: taken down as they come, and filed by their words many at a time.

SQLite's full text changes as many pages for one record as for hundreds, and half of what it costs to take in a record
would be that. So a few wait, as they are, until somebody searches, or until they are many.

Source: docs/format.md section 7.11; sqlite.org/fts5.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gitchat.index.words import TOKENIZER
from gitchat.index.writing import transaction

TABLES = f"""CREATE VIRTUAL TABLE text USING fts5 (body, content = '', tokenize = '{TOKENIZER}');
CREATE TABLE unfiled (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
"""``id`` is that of the row of ``entry``, as ``rowid`` of ``text`` is."""

MOST = 500
"""How many rows later than the first that waits they are filed: some 10 ms."""


def take_down(database: sqlite3.Connection, texts: Sequence[tuple[int, str]]) -> None:
    """Note the texts of new rows, given with their ids, which grow. Inside a transaction."""
    if len(texts) >= MOST:
        database.executemany("INSERT INTO text (rowid, body) VALUES (?, ?)", texts)
    elif texts:
        database.executemany("INSERT INTO unfiled VALUES (?, ?)", texts)
        first = database.execute("SELECT min(id) FROM unfiled").fetchone()[0]
        if texts[-1][0] - first >= MOST:
            _file(database)


def file_all(database: sqlite3.Connection) -> None:
    """Let all that was taken down be found by its words. Raises sqlite3.Error."""
    if database.execute("SELECT 1 FROM unfiled LIMIT 1").fetchone() is not None:
        with transaction(database):
            _file(database)


def file_seen(database: sqlite3.Connection, chain: int, upto: int) -> None:
    """Let what of a chain has numbers up to one be found by its words, where some of it was taken down since.

    For as long as the transaction lasts in which that is seen. Raises sqlite3.Error.
    """
    sql = "SELECT 1 FROM unfiled CROSS JOIN entry USING (id) WHERE chain = ? AND number <= ? LIMIT 1"
    if database.execute(sql, (chain, upto)).fetchone() is not None:
        _file(database)


def _file(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO text (rowid, body) SELECT id, body FROM unfiled ORDER BY id")
    database.execute("DELETE FROM unfiled")
