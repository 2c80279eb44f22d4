"""A view that is older than the index, asked all the same: shown for as long as the question takes, and put back.

Who looks at refs and then asks may come behind a process that saw them later: a round with the authority's remote
moved what is numbered on, and the index went along. What is pending has other places by then, so that such a view
cannot be told by what is there. In a transaction that is rolled back the end of the chain is cut off, and what the view
has instead taken in: nobody else sees that, no arrival number changes, and it costs what is cut off and no whole log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from gitchat.index import asked
from gitchat.index.catchup import CatchUp
from gitchat.index.condition import blob_of
from gitchat.index.tallies import forget_after
from gitchat.index.view import Extent, Rule, View
from gitchat.model import codec
from gitchat.model.names import Oid

MOST_ROWS = 10_000
"""How much is cut off; beyond that the log was put back, and nobody was late."""


class Behind(Exception):
    """The view ends before the chain does."""

    def __init__(self, end: End) -> None:
        super().__init__()
        self.end = end


class End(NamedTuple):
    """Where a chain is cut: behind the row of the view's tip."""

    chain: int
    row: int
    tip: bytes
    numbered: int


def end_of(database: sqlite3.Connection, view: View) -> End | None:
    """Where the view ends, when that is on the chain's own way, and the chain goes on from there."""
    tip = blob_of(view.tip)
    sql = (
        "SELECT chain, entry.id, oid, upto FROM entry JOIN chain ON chain.id = chain WHERE name = ? AND oid = ? "
        "AND upto IS NOT NULL AND is_pending = 0 AND chain.tip != oid AND count - upto <= ?"
    )
    row = database.execute(sql, (view.name, tip, MOST_ROWS)).fetchone() if tip is not None else None
    return End(*row) if row is not None else None


@contextmanager
def shown(
    database: sqlite3.Connection, end: End, view: View, read: Callable[[Oid], codec.Commit], rule: Rule
) -> Iterator[Extent]:
    """The extent of a view that ends at ``end``, for as long as the body asks. Raises as CatchUp.run."""
    database.execute("BEGIN IMMEDIATE")
    try:
        opened = _cut(database, end)
        extent = CatchUp(database, view, read, rule, lambda done: None).run()
        asked.close(database, end.chain, asked.next_row(database), opened)
        yield extent
    finally:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")


def _cut(database: sqlite3.Connection, end: End) -> list[int]:
    """Let the chain end there, with nothing pending; the ids of questions that may be open then."""
    opened = asked.open_again(database, end.chain, after=end.row)
    # What its tip does not reach came in later, and ids only grow.
    database.execute("DELETE FROM entry WHERE id > ? AND chain = ?", (end.row, end.chain))
    forget_after(database, end.chain, end.numbered)
    sql = "UPDATE chain SET tip = ?, count = ?, local = NULL, total = ? WHERE id = ?"
    database.execute(sql, (end.tip, end.numbered, end.numbered, end.chain))
    return opened
