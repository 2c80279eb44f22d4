"""What a person types into a search, as an FTS5 query; and the place where it was found.

Words are looked for as they stand, whatever signs are in them: nobody has to know the
query language of SQLite, and nobody can use it by accident.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitchat.errors import UserError

BEGIN, END = "\ue000", "\ue001"
"""What stands around a found word in a snippet: of the private use area, which texts are stripped of."""

SNIPPET_WORDS = 16

_PART = re.compile(r'"([^"]*)"?|(\S+)')


def parse(words: str) -> str:
    """The FTS5 query for all of ``words``, quoted ones side by side; a final ``*`` takes any ending.

    Raises:
        UserError: ``no-words`` when nothing is left to look for.
    """
    storable = words.encode("utf-8", "replace").decode()
    parts = [quoted or word for quoted, word in _PART.findall(storable)]
    terms = [_term(part) for part in parts if any(character.isalnum() for character in part)]
    if not terms:
        raise UserError("no words to look for", hint="git chat search parser tests", code="no-words")
    return " AND ".join(terms)


def _term(part: str) -> str:
    text = part.replace("\0", " ").replace('"', " ")
    return f'"{text.rstrip("*")}"{" *" if text.endswith("*") else ""}'


def snippets(query: str, texts: Sequence[str]) -> list[str]:
    """For each text the part of it where the query fits best, the words between :data:`BEGIN` and :data:`END`."""
    import sqlite3

    from gitchat.index import TOKENIZER

    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"CREATE VIRTUAL TABLE text USING fts5 (body, tokenize = '{TOKENIZER}')")
        plain = [text.replace(BEGIN, "").replace(END, "").encode("utf-8", "replace").decode() for text in texts]
        database.executemany("INSERT INTO text (rowid, body) VALUES (?, ?)", list(enumerate(plain)))
        sql = f"SELECT rowid, snippet(text, 0, ?, ?, '…', {SNIPPET_WORDS}) FROM text WHERE text MATCH ?"
        found: dict[int, str] = dict(database.execute(sql, (BEGIN, END, query)))
    finally:
        database.close()
    return [found.get(place, text[:80]) for place, text in enumerate(plain)]
