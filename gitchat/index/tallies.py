"""How many records reach somebody, counted as they come: what is unread is told by two looks, however much it is.

For each recipient of a record that a listing shows (everybody, where it names nobody and is loud) there is a **word**,
and one more for the voice that wrote it: a name, from a clone and an address. A word has a row for each of its records,
with how many it had by then; so between two numbers there are as many as the difference of two rows. Urgent records
have words of their own besides.

What reaches two of one's names (a name and a role) at once is in both words, and looked at one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from gitchat.index.condition import Spoken, Tally
from gitchat.index.fields import Fields
from gitchat.model.record import QUIET_KINDS, SUMMARY, UNLISTED_KINDS

TABLES = """CREATE TABLE word (
    id INTEGER PRIMARY KEY, chain INTEGER NOT NULL, recipient TEXT NOT NULL, urgent INTEGER NOT NULL,
    author TEXT NOT NULL, clone TEXT NOT NULL, email TEXT NOT NULL,
    UNIQUE (chain, recipient, urgent, author, clone, email)
);
CREATE TABLE tally (
    word INTEGER NOT NULL, number INTEGER NOT NULL, nth INTEGER NOT NULL, PRIMARY KEY (word, number)
) WITHOUT ROWID;
"""
"""``recipient`` is empty for everybody, ``author`` for whoever wrote it (else a name after ``=``, which may be empty),
``clone`` and ``email`` for none."""

EVERYBODY = ""

Word = tuple[str, int, str, str, str]


class Tallies:
    """Counts the records of one chain as they become rows. Inside a transaction."""

    def __init__(self, database: sqlite3.Connection, chain: int) -> None:
        self._database = database
        self._chain = chain
        self._known: dict[Word, list[int]] = {}
        self._told: dict[tuple[object, ...], list[list[int]]] = {}
        self._rows: list[tuple[int, int, int]] = []

    def add(self, number: int, fields: Fields) -> None:
        """Count a record; :meth:`write` stores it."""
        # Few voices say much to the same: what their words are is found once.
        told = (fields.columns[4], fields.columns[9], fields.kind, fields.author, fields.clone, fields.address)
        counters = self._told.get(told)
        if counters is None:
            counters = self._told[told] = [self._counter(word) for word in _words(fields)]
        for counter in counters:
            counter[1] += 1
            self._rows.append((counter[0], number, counter[1]))

    def write(self) -> None:
        """Store what was counted."""
        self._database.executemany("INSERT INTO tally VALUES (?, ?, ?)", self._rows)
        self._rows.clear()

    def _counter(self, word: Word) -> list[int]:
        if word not in self._known:
            self._known[word] = self._look_up(word)
        return self._known[word]

    def _look_up(self, word: Word) -> list[int]:
        """The id of a word, which is made here, and how many records it has."""
        last = "SELECT nth FROM tally WHERE tally.word = known.id ORDER BY number DESC LIMIT 1"
        sql = f"SELECT id, coalesce(({last}), 0) FROM word AS known WHERE {_WORD}"
        found = self._database.execute(sql, (self._chain, *word)).fetchone()
        if found is None:
            sql = "INSERT INTO word VALUES (NULL, ?, ?, ?, ?, ?, ?)"
            found = self._database.execute(sql, (self._chain, *word)).lastrowid, 0
        return list(found)


_WORD = "chain = ? AND recipient = ? AND urgent = ? AND author = ? AND clone = ? AND email = ?"


def _words(fields: Fields) -> Iterable[Word]:
    """The words of a record; none for one that no listing shows, and for a summary."""
    recipients = str(fields.columns[4] or "")
    if fields.kind in UNLISTED_KINDS or fields.kind == SUMMARY or (not recipients and fields.kind in QUIET_KINDS):
        return
    for recipient in recipients[1:-1].split(","):
        for urgent in (0, 1) if fields.columns[9] else (0,):
            yield recipient, urgent, "", "", ""
            yield recipient, urgent, f"={fields.author}", fields.clone, fields.address


def forget_after(database: sqlite3.Connection, chain: int, number: int) -> None:
    """Take back what was counted of the records of a chain with greater numbers: they may be others now."""
    words = "SELECT id FROM word WHERE chain = ?"
    found = [(word, number) for (word,) in database.execute(words, (chain,))]
    database.executemany("DELETE FROM tally WHERE word = ? AND number > ?", found)


def count(database: sqlite3.Connection, chain: int, tally: Tally, after: int, upto: int) -> int | None:
    """How many of the records with the numbers ``after`` + 1 to ``upto`` it means; None where only a look tells."""
    named = [name for name in tally.names if _between(database, _ids(database, chain, name, tally), after, upto)]
    if len(named) > 1:
        return None
    recipients = [EVERYBODY, *named]
    found = sum(_between(database, _ids(database, chain, one, tally), after, upto) for one in recipients)
    for spoken in tally.without:
        end = upto if spoken.through is None else min(upto, spoken.through)
        for one in recipients:
            found -= _between(database, _ids(database, chain, one, tally, spoken), after, end)
    return found


def _ids(
    database: sqlite3.Connection, chain: int, recipient: str, tally: Tally, spoken: Spoken | None = None
) -> Sequence[int]:
    """The words of a recipient, from any voice or from those that are meant."""
    sql = "SELECT id FROM word WHERE chain = ? AND recipient = ? AND urgent = ? AND author = ?"
    values: tuple[object, ...] = (
        chain,
        recipient,
        int(tally.is_urgent),
        f"={spoken.author}" if spoken is not None else "",
    )
    if spoken is not None and spoken.voice is not None:
        sql += " AND clone = ? AND email = ?"
        values += tuple(one or "" for one in spoken.voice)
    return [word for (word,) in database.execute(sql, values)]


def _between(database: sqlite3.Connection, words: Iterable[int], after: int, upto: int) -> int:
    sql = (
        "SELECT coalesce((SELECT nth FROM tally WHERE word = ?1 AND number <= ?3 ORDER BY number DESC LIMIT 1), 0)"
        " - coalesce((SELECT nth FROM tally WHERE word = ?1 AND number <= ?2 ORDER BY number DESC LIMIT 1), 0)"
    )
    found = 0
    for word in words if after < upto else ():
        found += database.execute(sql, (word, after, upto)).fetchone()[0]
    return found
