"""The order in which a clone learned of the records of all its rooms, for who follows all of them at once.

Rows are made as commits become known, and SQLite never uses an id twice: so the id of a record's first row is its
**arrival number**. A pending record gets another row when it is numbered, or when what stands before it changes, in one
transaction, and what it arrived as goes into that. Numbers have gaps, and begin anew in an index that is built anew:
an **epoch** tells which one they are of.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from gitchat.index.places import Place
from gitchat.model import order
from gitchat.model.names import Number, Oid, RoomName

TABLES = """CREATE TABLE epoch (name TEXT NOT NULL);
INSERT INTO epoch VALUES (lower(hex(randomblob(8))));
CREATE INDEX entry_arrival ON entry (arrival) WHERE arrival IS NOT NULL;
"""
"""``arrival`` is what a record arrived as whose row is not its first."""


class Arrival(NamedTuple):
    """A record as it arrived."""

    number: int
    """Greater than those of all that came before, in whatever room."""
    room: RoomName
    place: Place


class Arrived(NamedTuple):
    """What arrived after a number."""

    epoch: str
    """A word that another index has not."""
    newest: int
    """At least the number of each record that is known now."""
    upto: int
    """Who has had these records goes on after this number."""
    records: list[Arrival]
    """In the order in which they arrived."""


def arrived(database: sqlite3.Connection, after: int, epoch: str | None, limit: int | None) -> Arrived:
    """What :meth:`gitchat.index.database.Index.arrived` gives."""
    # All in one statement's view of the file, or a record could come between two of them.
    database.execute("BEGIN")
    try:
        here: str = database.execute("SELECT name FROM epoch").fetchone()[0]
        row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        newest: int = row[0] if row is not None else 0
        rows = _rows(database, after, limit) if epoch in (None, here) else []
    finally:
        database.execute("ROLLBACK")
    found = [
        Arrival(arrival, RoomName(name), Place(Number(number), Oid(oid.hex()), bool(is_pending)))
        for arrival, name, number, oid, is_pending in rows
    ]
    is_cut = limit is not None and len(found) == limit
    return Arrived(here, newest, found[-1].number if is_cut and found else after if is_cut else newest, found)


def _rows(database: sqlite3.Connection, after: int, limit: int | None) -> list[tuple[int, str, int, bytes, int]]:
    """Those of rooms: a chain of summaries has a slash in its name."""

    def select(column: str, condition: str) -> list[tuple[int, str, int, bytes, int]]:
        # Not a plain join: SQLite shall go from the number on, and look each chain up.
        sql = (
            f"SELECT entry.{column}, name, number, oid, is_pending "
            f"FROM entry CROSS JOIN chain ON chain.id = entry.chain "
            f"WHERE {condition} AND number IS NOT NULL AND instr(name, '/') = 0 ORDER BY entry.{column} LIMIT ?"
        )
        return database.execute(sql, (after, -1 if limit is None else limit)).fetchall()

    rows = select("id", "entry.id > ? AND arrival IS NULL") + select("arrival", "arrival > ?")
    return sorted(rows)[:limit]


def take_pending(database: sqlite3.Connection, chain: int) -> dict[order.Key, int]:
    """Delete the rows of pending commits of a chain, and return what their records arrived as."""
    of_pending = "FROM entry WHERE chain = ? AND is_pending = 1"
    # The plus: by the key of numbers SQLite would go through the whole room, at each record that is taken in.
    records = f"SELECT uid, author, coalesce(arrival, id) {of_pending} AND +number IS NOT NULL"
    taken = {(uid, author): arrival for uid, author, arrival in database.execute(records, (chain,))}
    database.execute(f"DELETE FROM unfiled WHERE id IN (SELECT id {of_pending})", (chain,))
    database.execute(f"DELETE {of_pending}", (chain,))
    return taken
