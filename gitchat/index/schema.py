"""What an index has in it: its tables, what looks rows up in them, and how a connection to it is set.

Rows that come in no order, as ids and uids do, are what a long log costs most: a page is read and written for each of
them, and again. So one that is built anew (:mod:`gitchat.index.anew`) gets its rows first and then, sorted, the
**lookups**: SQLite's own indexes.

Source: docs/format.md section 7.11; sqlite.org/lang_createindex.html, sqlite.org/pragma.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from gitchat.index import arrivals, asked, tallies, texts
from gitchat.index.files import VERSION

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
    PRIMARY KEY (chain, author, clone, email)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_oid ON entry (chain, oid);
CREATE UNIQUE INDEX entry_number ON entry (chain, number) WHERE number IS NOT NULL;
CREATE INDEX entry_upto ON entry (chain, upto) WHERE number IS NULL AND upto IS NOT NULL;
CREATE INDEX entry_uid ON entry (chain, uid) WHERE uid IS NOT NULL;
CREATE INDEX entry_author ON entry (chain, author, number) WHERE number IS NOT NULL;
CREATE INDEX entry_type ON entry (chain, type, number) WHERE type IS NOT NULL AND number IS NOT NULL;
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
CREATE TABLE anchor (path TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (path, entry)) WITHOUT ROWID;
{texts.TABLES}"""

_STATEMENTS = _TABLES.strip().removesuffix(";").split(";\n")
_LOOKUPS = [one for one in _STATEMENTS if one.startswith(("CREATE INDEX ", "CREATE UNIQUE INDEX "))]

_LOG_BYTES = 4 * 1024 * 1024
"""What stays of SQLite's log of a large transaction."""
_CACHE_KB = 16 * 1024
"""Uids and commits come in no order: with less, a long log is read and written over and over."""


def settled(database: sqlite3.Connection) -> sqlite3.Connection:
    """``database`` with our settings and tables. Raises sqlite3.Error, and closes it."""
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        version = _version(database)
        if version == 0:
            _create(database, _STATEMENTS, 0, VERSION)
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"version {version}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def begun(database: sqlite3.Connection) -> sqlite3.Connection:
    """``database``, which nobody reads yet, with our tables and without lookups; or as it was left on the way.

    Each transaction is whole after a kill or a power cut, and written once. Raises sqlite3.Error, and closes it.
    """
    try:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        version = _version(database)
        if version == 0:
            _create(database, [one for one in _STATEMENTS if one not in _LOOKUPS], 0, -VERSION)
        elif abs(version) != VERSION:
            raise sqlite3.DatabaseError(f"version {version}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def has_lookups(database: sqlite3.Connection) -> bool:
    """Whether rows can be looked up without going through all of them."""
    return _version(database) == VERSION


def make_lookups(database: sqlite3.Connection) -> None:
    """Let rows be looked up. It is as any other from then on."""
    if not has_lookups(database):
        _create(database, _LOOKUPS, -VERSION, VERSION, asked.close_all)  # which could not be told on the way


def _version(database: sqlite3.Connection) -> int:
    """That of the tables: negative as long as there are no lookups, 0 in a new file."""
    found: int = database.execute("PRAGMA user_version").fetchone()[0]
    return found


def _create(
    database: sqlite3.Connection,
    statements: list[str],
    before: int,
    after: int,
    then: Callable[[sqlite3.Connection], None] = lambda _: None,
) -> None:
    """Execute all, and let the version be ``after``, unless it is not ``before`` any more: somebody else did so."""
    database.execute("BEGIN IMMEDIATE")
    if _version(database) == before:
        for statement in statements:
            database.execute(statement)
        then(database)
        database.execute(f"PRAGMA user_version = {after}")
    database.execute("COMMIT")
