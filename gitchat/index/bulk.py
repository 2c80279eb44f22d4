"""Taking in a long log without merges by its bytes: a stage at a time, each a transaction, written many rows at once.

The same rows as :mod:`gitchat.index.catchup` makes, which takes in what is not a plain line of commits: merges, and
whatever of it cannot be read. Each stage is handed on as soon as it is written, so that others are answered from it.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from gitchat.index import asked, texts
from gitchat.index.fields import Fields, Usual, of_commit
from gitchat.index.tallies import Tallies
from gitchat.model import codec
from gitchat.model.names import Oid
from gitchat.model.order import Key, Node
from gitchat.model.record import SUMMARY
from gitchat.storage.line import Commits

COMMITS = 20_000
"""How many commits a stage takes in: a second."""

_PART = 500
"""Of how many rows the uids are looked up at once; SQLite takes at least 999 values."""


class Bytes(Protocol):
    """Who reads the line of a log: :class:`gitchat.storage.line.Line`."""

    def commits(self, tip: Oid, after: Oid | None, directory: Path) -> AbstractContextManager[Commits]:
        """As Line.commits."""

    def is_longer(self, tip: Oid, after: Oid | None, limit: int) -> bool:
        """As Line.is_longer."""


class Unfit(Exception):
    """What is to be taken in is no plain line of commits."""


class Marks:
    """Tells that a record is none of those that were met: eight bytes of each are kept, where a set takes eighty."""

    def __init__(self, database: sqlite3.Connection, name: str) -> None:
        """With those that the chain ``name`` has already."""
        self._shelves = [array("q") for _ in range(_SHELVES)]
        sql = "SELECT uid, author FROM entry WHERE chain = (SELECT id FROM chain WHERE name = ?) AND uid IS NOT NULL"
        for key in database.execute(sql, (name,)):
            self.add(key)

    def add(self, key: Key) -> bool:
        """Meet a record. False when it may have been met before: hardly ever another one looks the same."""
        mark = hash(key)
        shelf = self._shelves[mark % _SHELVES]
        if mark in shelf:
            return False
        shelf.append(mark)
        return True


_SHELVES = 1 << 16
"""A million marks are 16 on a shelf, which is all that is looked through."""


class Stage(NamedTuple):
    """Where a stage begins: after so many records of a chain, and the commit ``tip`` of it."""

    chain: int
    tip: bytes | None
    records: int
    marks: Marks | None = None
    """Of all these records, where they cannot be looked up. Those of the stage come to them."""


def take(
    database: sqlite3.Connection,
    stage: Stage,
    oids: Sequence[bytes],
    contents: Iterable[bytes],
    rule: Callable[[Oid, codec.Commit], Node],
    tell: Callable[[int], object],
) -> int:
    """Insert the rows of ``oids``, which continue ``stage``, and return how many records the chain has then.

    Inside a transaction. ``tell`` is told how many were read, every thousand.

    Raises:
        Unfit: they are no line without merges that begins there; or, with marks, one of them may be a copy. Some
            rows, and marks, may be there already.
        FormatError: a commit cannot be read.
    """
    first = asked.next_row(database)
    found: list[Fields] = []
    usual, before = Usual(), (Oid(stage.tip.hex()),) if stage.tip is not None else ()
    for done, (raw_oid, raw) in enumerate(zip(oids, contents, strict=True), 1):
        oid = Oid(raw_oid.hex())
        fields = usual.fields(raw) or _parsed(oid, raw, rule)
        if fields.parents != before:
            raise Unfit
        before = (oid,)
        found.append(fields)
        if done % 1000 == 0:
            tell(done)
    numbers = list(_numbers(database, stage, found) if stage.marks is None else _new(stage.records, stage.marks, found))
    uptos = _uptos(stage.records, numbers)
    rows = zip(range(first, first + len(found)), numbers, uptos, oids, found, strict=True)
    database.executemany(
        f"INSERT INTO entry VALUES (?, NULL, 0, {stage.chain}, ?, ?, ?, {', '.join('?' * 13)}, NULL, ?)",
        (
            (row, number, upto, oid, *fields.columns, asked.is_open(fields.columns, number))
            for row, number, upto, oid, fields in rows
        ),
    )
    if stage.marks is None and any(asked.asks_or_answers(one.columns) for one in found):
        asked.close(database, stage.chain, first)  # with marks once they all are there: see schema.make_lookups
    tallies = Tallies(database, stage.chain)
    for number, one in zip(numbers, found, strict=True):
        if number is not None:
            tallies.add(number, one)
    tallies.write()
    numbered = [(row, one) for row, (number, one) in enumerate(zip(numbers, found, strict=True), first) if number]
    texts.take_down(database, [(row, one.body) for row, one in numbered])
    about = ((path, row) for row, one in numbered for path in one.paths)
    database.executemany("INSERT INTO anchor VALUES (?, ?)", about)
    voices = {(one.author, one.clone, one.address) for _, one in numbered if one.kind != SUMMARY}
    database.executemany(f"INSERT OR IGNORE INTO voice VALUES ({stage.chain}, ?, ?, ?)", sorted(voices))
    return stage.records + len(numbered)


def _parsed(oid: Oid, raw: bytes, rule: Callable[[Oid, codec.Commit], Node]) -> Fields:
    commit = codec.parse_commit(oid, raw)
    return of_commit(oid, commit, rule(oid, commit))


def _numbers(database: sqlite3.Connection, stage: Stage, found: Sequence[Fields]) -> Iterator[int | None]:
    """The number of each; None for what is no record, and for a repeated one."""
    count, seen = stage.records, set[Key]()
    for start in range(0, len(found), _PART):
        part = found[start : start + _PART]
        seen |= _known(database, stage.chain, [one.key for one in part if one.key is not None])
        for one in part:
            is_new = one.key is not None and one.key not in seen
            if one.key is not None:
                seen.add(one.key)
            count += is_new
            yield count if is_new else None


def _new(count: int, marks: Marks, found: Sequence[Fields]) -> Iterator[int | None]:
    """The number of each, none of which is repeated; None for what is no record."""
    for one in found:
        if one.key is None:
            yield None
            continue
        if not marks.add(one.key):
            raise Unfit
        count += 1
        yield count


def _known(database: sqlite3.Connection, chain: int, keys: Sequence[Key]) -> set[Key]:
    """The records with one of these uids that are rows already."""
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT uid, author FROM entry WHERE chain = ? AND uid IN ({marks})"
    return set(database.execute(sql, (chain, *(uid for uid, _ in keys))))


def _uptos(count: int, numbers: Sequence[int | None]) -> Iterator[int]:
    """How many records each commit reaches."""
    for number in numbers:
        count = number if number is not None else count
        yield count
