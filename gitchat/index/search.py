"""What a person types into a search, as an FTS5 query; and the place where it was found.

Words are looked for as they stand, whatever signs are in them: nobody has to know the
query language of SQLite, and nobody can use it by accident.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitchat.index.condition import ANY, LISTED, LOUD, Condition, about_commits
from gitchat.index.words import GAP, TOKENIZER, UNSPACED, searchable
from gitchat.model.errors import UserError
from gitchat.model.query import Query

BEGIN, END = "\ue000", "\ue001"
"""What stands around a found word in a snippet: of the private use area, which texts are stripped of."""

SNIPPET_WORDS = 16
UNSPACED_SNIPPET_WORDS = 48
"""Where many a letter counts as a word."""

_PART = re.compile(r'"([^"]*)"?|(\S+)')
_CUT_WORD = re.compile(f"{END}{GAP}*{BEGIN}")
"""Between two letters that were found side by side."""


def parse(words: str) -> str:
    """The FTS5 query for all of ``words``, quoted ones side by side; a final ``*`` takes any ending.

    Raises:
        UserError: ``no-words`` when nothing is left to look for.
    """
    storable = words.encode("utf-8", "replace").decode()
    parts = [quoted or word for quoted, word in _PART.findall(storable)]
    terms = [_term(part) for part in parts if any(character.isalnum() for character in part)]
    if not terms:
        raise UserError(
            "there is no word to look for",
            hint="name a word: git chat search parser; for other signs: git chat log --all -F --grep '->'",
            code="no-words",
        )
    return " AND ".join(dict.fromkeys(terms))


def _term(part: str) -> str:
    text = searchable(part).replace("\0", " ").replace('"', " ")
    return f'"{text.rstrip("*")}"{" *" if text.endswith("*") else ""}'


def condition_of(query: Query) -> Condition:
    """What :meth:`Query.matches` decides, for the index.

    Raises:
        ValueError: for a ``pattern``, which the index cannot decide.
    """
    if query.pattern is not None:
        raise ValueError("the index knows no regular expressions")
    parts = [
        (query.after, "number > ?"),
        (query.through, "number <= ?"),
        (query.since_seconds, "seconds >= ?"),
        (query.until_seconds, "seconds <= ?"),
        (query.sender, "author = ?"),
        (query.recipient and f",{query.recipient},", "instr(coalesce(nullif(recipients, ''), ',all,'), ?)"),
        (query.type, "type = ?"),
    ]
    conditions = [Condition(sql, (value,)) for value, sql in parts if value is not None]
    if query.between is not None:
        one, other = query.between
        sql = "(author = ? AND instr(recipients, ?)) OR (author = ? AND instr(recipients, ?))"
        conditions.append(Condition(sql, (one, f",{other},", other, f",{one},")))
    if query.commit is not None:
        conditions.append(about_commits([query.commit]))
    return Condition.all_of([LISTED, ANY if query.with_status else LOUD, *conditions])


def snippets(query: str, texts: Sequence[str]) -> list[str]:
    """For each text the part of it where the query fits best, the words between :data:`BEGIN` and :data:`END`."""
    import sqlite3  # a query alone does without

    database = sqlite3.connect(":memory:")
    try:
        database.execute(f"CREATE VIRTUAL TABLE text USING fts5 (body, tokenize = '{TOKENIZER}')")
        plain = [text.replace(BEGIN, "").replace(END, "") for text in texts]
        database.executemany("INSERT INTO text (rowid, body) VALUES (?, ?)", list(enumerate(map(searchable, plain))))
        sql = "SELECT snippet(text, 0, ?, ?, '…', ?) FROM text WHERE text MATCH ? AND rowid = ?"
        shown: list[str] = []
        for place, text in enumerate(plain):
            words = UNSPACED_SNIPPET_WORDS if UNSPACED.search(text) else SNIPPET_WORDS
            found = database.execute(sql, (BEGIN, END, words, query, place)).fetchone()
            shown.append(_CUT_WORD.sub("", found[0]).replace(GAP, "") if found else text[:80])
    finally:
        database.close()
    return shown
