"""How far a chain of the index goes already, and whether a commit is in it: looked up, with nothing taken in."""

from __future__ import annotations

import sqlite3

from gitchat.index.condition import blob_of
from gitchat.index.view import Extent, View
from gitchat.model.names import Oid


def known_extent(database: sqlite3.Connection, view: View) -> Extent | None:
    """How far the view goes, when the index goes that far already."""
    row = database.execute("SELECT id, tip, count, local, total FROM chain WHERE name = ?", (view.name,)).fetchone()
    if row is None:
        return None
    chain, tip, count, local, total = row
    if view.local is None:
        if view.tip is None:
            return Extent(chain, 0, 0)
        if tip == blob_of(view.tip):
            return Extent(chain, count, count)
        # A writer may have gone on since the caller looked.
        upto = _column(database, "upto", chain, view.tip)
        return Extent(chain, upto, upto) if upto is not None else None
    if tip != blob_of(view.tip):
        return None
    if local == blob_of(view.local):
        return Extent(chain, count, total)
    along = _column(database, "along", chain, view.local)
    return Extent(chain, count, along) if along is not None else None


def has_commit(database: sqlite3.Connection, name: str, oid: Oid) -> bool:
    """Whether a commit is a row of the chain ``name``."""
    sql = "SELECT 1 FROM entry WHERE chain = (SELECT id FROM chain WHERE name = ?) AND oid = ?"
    return database.execute(sql, (name, blob_of(oid))).fetchone() is not None


def _column(database: sqlite3.Connection, column: str, chain: int, oid: Oid) -> int | None:
    row = database.execute(f"SELECT {column} FROM entry WHERE chain = ? AND oid = ?", (chain, blob_of(oid))).fetchone()
    return row[0] if row else None
