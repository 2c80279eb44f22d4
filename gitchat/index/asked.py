"""Which questions are open, kept with the rows of a chain. Source: docs/format.md section 21.

``is_open`` is 1 for a question that nobody answered, 0 for one that somebody did, and null for what asks nothing: so
what is open is looked up, however many questions a room has. It is what :func:`gitchat.model.question.counts` says of
each question and its replies, which ``tests/property/test_asked.py`` holds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from gitchat.model.question import ANSWER, MAX_CHARS, QUESTION, choices_of
from gitchat.model.record import MESSAGE, Record

INDEX = "CREATE INDEX entry_open ON entry (chain, number) WHERE is_open = 1;"

_OF_ANOTHER = (
    "(reply.author != asked.author OR reply.clone != asked.clone"
    " OR (reply.clone IS NULL AND asked.clone IS NULL AND reply.email IS NOT asked.email))"
)
_OF_ONE_ASKED = (
    "(asked.recipients = '' OR instr(asked.recipients, ',role:')"
    " OR (NOT instr(reply.author, ',') AND instr(asked.recipients, ',' || reply.author || ',')))"
)
_OF_THE_CHOICES = "(asked.choice IS NULL OR instr(asked.choice, char(10) || reply.choice || char(10)))"
# The plus signs here and below: by keys that SQLite takes otherwise it goes through the whole room for a few rows.
_ANSWERS = f"reply.kind = '{MESSAGE}' AND +reply.number > 0 AND {_OF_ANOTHER} AND {_OF_ONE_ASKED} AND {_OF_THE_CHOICES}"


def is_open(columns: Sequence[object], number: int | None) -> int | None:
    """What stands in the row of a record before its replies are looked at; ``columns`` begin with its uid."""
    return 1 if number is not None and columns[2] == MESSAGE and columns[3] == QUESTION else None


def choice_of(record: Record) -> str | None:
    """Of a question its choices, each between two ends of lines; of an answer what it chooses, where it does."""
    if record.type == QUESTION:
        choices = choices_of(record)
        return f"\n{chr(10).join(choices)}\n" if choices else None
    return chosen(record.body, record.media is not None) if record.type == ANSWER else None


def chosen(body: str, has_media: bool) -> str | None:
    """What a record of type ``answer`` chooses."""
    return body if len(body) <= MAX_CHARS and body.isprintable() and not has_media else None


def next_row(database: sqlite3.Connection) -> int:
    """The id of the next row of ``entry``: none is used twice."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
    return (row[0] if row is not None else 0) + 1


def open_again(database: sqlite3.Connection, chain: int, after: int | None = None) -> list[int]:
    """The ids of those that may be open once the pending rows of a chain are gone, and until they are looked at.

    With ``after`` it is all rows behind that id that will be gone.
    """
    gone = "reply.is_pending = 1" if after is None else f"reply.id > {after:d}"
    sql = (
        "SELECT asked.id FROM entry AS reply CROSS JOIN entry AS asked ON asked.chain = reply.chain "
        f"AND asked.uid = reply.reply WHERE reply.chain = ? AND {gone} AND +reply.reply IS NOT NULL "
        "AND asked.is_open = 0"
    )
    found = [row for (row,) in database.execute(sql, (chain,))]
    database.executemany("UPDATE entry SET is_open = 1 WHERE id = ?", ((row,) for row in found))
    return found


def close(database: sqlite3.Connection, chain: int, first: int, again: Sequence[int] = ()) -> None:
    """Note what the rows from the id ``first`` on answer, and whether they and the questions ``again`` are answered."""
    replies = (
        "SELECT asked.id FROM entry AS reply CROSS JOIN entry AS asked ON asked.chain = reply.chain "
        f"AND asked.uid = reply.reply WHERE reply.id >= ? AND +reply.chain = ? AND reply.reply IS NOT NULL "
        f"AND asked.is_open = 1 AND {_ANSWERS}"
    )
    database.execute(f"UPDATE entry SET is_open = 0 WHERE id IN ({replies})", (first, chain))
    for questions, values in (
        ("asked.id >= ? AND +asked.chain = ?", (first, chain)),  # their replies can be there already
        ("asked.id IN (SELECT value FROM json_each(?))", (json.dumps(list(again)),)),
    ):
        sql = (
            f"SELECT asked.id FROM entry AS asked WHERE {questions} AND asked.is_open = 1 AND EXISTS (SELECT 1 "
            f"FROM entry AS reply WHERE reply.chain = asked.chain AND reply.reply = asked.uid AND {_ANSWERS})"
        )
        database.execute(f"UPDATE entry SET is_open = 0 WHERE id IN ({sql})", values)
