"""What a person types into a search never becomes the query language of SQLite (gitchat/index/search.py)."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitchat.index import search
from gitchat.index.words import TOKENIZER, searchable
from gitchat.model.errors import UserError

SIGNS = st.text(st.sampled_from("\"*()+-:^{}.,\\' \0ab日1"), max_size=30)


def finds(words: str, text: str) -> bool:
    """Whether a search for ``words`` finds ``text``, in the index that the program uses."""
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE VIRTUAL TABLE text USING fts5 (body, content = '', tokenize = '{TOKENIZER}')")
    database.execute("INSERT INTO text (rowid, body) VALUES (1, ?)", (searchable(text),))
    return database.execute("SELECT 1 FROM text WHERE text MATCH ?", (search.parse(words),)).fetchone() is not None


@given(st.text(max_size=60) | SIGNS | st.text(st.characters(categories=["Cs", "Ll"])))
@example('a" OR b')
@example("NEAR(a b)")
@example("body : a")
@example("a AND NOT b")
@example("²")
def test_no_words_are_an_error_of_sqlite(words: str) -> None:
    """Whatever is typed is looked for, or refused because no word is in it."""
    with suppress(UserError):
        finds(words, "text")


@given(st.text(max_size=60) | SIGNS)
def test_a_snippet_is_a_part_of_the_text(text: str) -> None:
    """Without its marks a snippet says what the text says, also where nothing was found."""
    [snippet] = search.snippets(search.parse("a 日"), [text])
    plain = snippet.replace(search.BEGIN, "").replace(search.END, "").strip("…")
    kept = text.replace(search.BEGIN, "").replace(search.END, "").replace("\u200b", "")
    assert plain.encode("utf-8", "replace").decode() in kept.encode("utf-8", "replace").decode() or "\0" in text


@pytest.mark.parametrize(
    ("words", "text", "is_found"),
    [
        ("parser", "The PARSERS fail", True),
        ("parser lexer", "the parser", False),
        ("cafe", "Café", True),
        ('"a b"', "a x b", False),
        ('"a b"', "x a b", True),
        ("pars*", "parsimony", True),
        ("pars", "parsimony", False),
        ("AND", "this and that", True),
        ("a OR b", "a", False),
        ("don't", "don't", True),
        ("x.y", "call x.y()", True),
        ("日本", "これは日本語です", True),
        ("本日", "これは日本語です", False),
        ("한국", "한국어를", True),
        ("hello日本", "hello日本", True),
    ],
)
def test_words_are_found_as_they_stand(words: str, text: str, is_found: bool) -> None:
    """All words must be there; case, accents and English endings do not matter, and no word is an operator."""
    assert finds(words, text) is is_found


def test_marks_stand_around_the_words() -> None:
    """Each word that was found is marked, and letters without blanks between them as one."""
    begin, end = search.BEGIN, search.END
    assert search.snippets(search.parse("lexer 日本"), ["the Lexer: 日本語"]) == [
        f"the {begin}Lexer{end}: {begin}日本{end}語"
    ]
