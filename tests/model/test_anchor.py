"""Which code a message is about, as its trailers and excerpts say it, and where that is in a text that was changed."""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import replace
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path

import pytest

from gitchat.model.anchor import AROUND, Anchor, excerpt_of, lines_of, numbered, parse_excerpt, parse_value, unquoted
from gitchat.model.hunks import Hunk, Lines, parse_hunks
from gitchat.model.names import Uid
from gitchat.model.placing import locate
from gitchat.model.record import AT, Moment, Record

PATHS = [
    "a.py", "src/lexer.py", "with space/and: colon.txt", "ends in:3-4", '"quoted"', "back\\slash", "tab\there",
    "ünï.py",    " leading", "trailing ", "new\nline", os.fsdecode(b"not-\xff-utf8"), "\x85next", "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("lines", [None, (1, 1), (40, 46), (7, 206)])
def test_a_trailer_says_what_was_meant(path: str, lines: Lines | None) -> None:
    """Whatever the file is called, and the value is one that a block of trailers can hold."""
    anchor = Anchor(path, lines)
    assert parse_value(anchor.value) == anchor
    assert anchor.value == anchor.value.strip(" ")
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) <= 0x9F or 0xD800 <= ord(one) <= 0xDFFF for one in anchor.value)


def test_plain_paths_are_not_quoted() -> None:
    """They read as they are typed."""
    assert Anchor("src/lexer.py", (40, 46)).value == "src/lexer.py:40-46"
    assert str(Anchor("src/lexer.py", (40, 40))) == "src/lexer.py:40"


@pytest.mark.parametrize(
    "value",
    [
        "/etc/passwd", "../up", "a/../b", "a//b", ".", "a/./b", ".git/config", "sub/.GIT/config", "a/", '"open',
        '"bad\\q"',        '"a"b"', "a:0-3", "a:4-3:1-1", '"nul\\000"', "a:1-201", "a" * 5000,
    ],
)  # fmt: skip
def test_what_no_sender_writes_is_no_place(value: str) -> None:
    """Nothing outside of the repository, nothing of git's own, nothing that is badly quoted."""
    found = parse_value(value)
    assert found is None or (found.lines in (None, (1, 1)) and found.path in ("a:0-3", "a:4-3"))


def test_of_many_trailers_eight_count_and_keep_their_numbers() -> None:
    """A value outside the grammar counts as absent, and moves no other."""
    values = ["a:1-1", "../b", *(f"c{number}" for number in range(9))]
    record = Record(
        kind="message", uid=Uid("0" * 16), author="ann", email="", written=Moment(0), body="x",
        extra=tuple((AT, value) for value in values),
    )  # fmt: skip
    assert list(numbered(record)) == [1, 3, 4, 5, 6, 7, 8]
    assert numbered(replace(record, extra=())) == {}


def test_what_git_quotes_is_unquoted(tmp_path: Path) -> None:
    """Against git's own quoting of hostile names."""
    names = [b'q"q', b"b\\s", b"t\tt", b"n\nn", b"\xff\xfe", b"\x01\x7f", "ü".encode()]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    told = subprocess.run(
        ["git", "-C", tmp_path, "ls-files", "--others"], capture_output=True, check=True
    ).stdout.decode()  # fmt: skip
    assert sorted(os.fsencode(str(unquoted(line))) for line in told.splitlines()) == sorted(names)


# --- excerpts --------------------------------------------------------------------


@pytest.mark.parametrize("lines", [(1, 1), (1, 3), (2, 2), (4, 5), (9, 10), (10, 10)])
def test_an_excerpt_is_read_as_it_was_kept(lines: Lines) -> None:
    """Up to three lines before and after; which of it are the lines follows from their numbers."""
    text = lines_of(b"".join(b"line %d\r\n" % number for number in range(1, 11)))
    kept = excerpt_of(text, lines)
    assert parse_excerpt(kept.content, lines) == kept
    assert kept.lines == tuple(text[lines[0] - 1 : lines[1]])
    assert (len(kept.before), len(kept.after)) == (min(AROUND, lines[0] - 1), min(AROUND, 10 - lines[1]))


def test_an_excerpt_of_other_lines_is_none() -> None:
    """Too short, too long, or beyond the limit."""
    assert parse_excerpt(b"a\nb\n", (4, 4)) is None
    assert parse_excerpt(b"a\n" * 9, (1, 1)) is None
    assert parse_excerpt(b"", (1, 1)) is None
    assert parse_excerpt(b"a" * 65536 + b"\n", (1, 1)) is None


# --- where it is now -------------------------------------------------------------

TEXT = [b"def first():", b"    return 1", b"", b"def second():", b"    x = 1", b"    return x", b"", b"def third():"]
TEXT += [b"    for one in many:", b"        yield one", b"", b"END"]


def found(was: Lines, text: list[bytes], hunks: list[Hunk] | None = None) -> tuple[str, Lines | None]:
    """What becomes of lines of TEXT, by what is kept of them."""
    return locate(was, excerpt_of(TEXT, was), text, lambda: hunks)


@pytest.mark.parametrize(
    ("was", "text", "expected"),
    [
        ((4, 6), TEXT, ("same", (4, 6))),
        ((4, 6), [b"# new", *TEXT], ("moved", (5, 7))),
        ((4, 6), [*TEXT[:4], b"    x = 2", *TEXT[5:]], ("changed", (4, 6))),
        ((4, 6), [*TEXT[:4], b"    y = 0", *TEXT[4:]], ("changed", (4, 7))),
        ((5, 5), [*TEXT[:4], b"    x = 2", *TEXT[5:]], ("changed", (5, 5))),
        ((4, 6), [*TEXT[:3], *TEXT[7:]], ("gone", None)),
        ((4, 6), [b"something else"] * 30, ("gone", None)),
        ((4, 6), [], ("gone", None)),
        ((4, 6), [*TEXT[:3], *TEXT[7:], *TEXT[3:6]], ("moved", (9, 11))),
        ((9, 10), [*TEXT, b"", *TEXT[7:]], ("same", (9, 10))),
        ((12, 12), [*TEXT[:11], b"END", b"", b"END"], ("same", (12, 12))),
    ],
)
def test_lines_are_found_by_how_they_read(was: Lines, text: list[bytes], expected: tuple[str, Lines | None]) -> None:
    """Where no commit tells more."""
    assert found(was, text) == expected


def test_a_line_that_says_little_is_not_taken_for_another() -> None:
    """A blank line that was deleted is not the next one there is."""
    assert found((7, 7), [*TEXT[:6], *TEXT[7:]])[0] in ("gone", "changed")


def test_without_an_excerpt_git_alone_tells() -> None:
    """As where the sender's work tree was elsewhere."""
    hunk = Hunk(0, 0, (1, 2), 2)
    assert locate((4, 6), None, TEXT, lambda: [hunk]) == ("moved", (6, 8))
    assert locate((4, 6), None, TEXT, lambda: [Hunk(4, 1, (5, 5), 1)]) == ("changed", (4, 6))
    assert locate((4, 6), None, TEXT, lambda: [Hunk(3, 3, (3, 3), 0)]) == ("gone", None)
    assert locate((4, 6), None, TEXT, lambda: [Hunk(0, 0, (1, 90), 90)]) == ("gone", None)


def edited(draw: random.Random, text: list[bytes]) -> list[bytes]:
    """``text`` after some edits: lines that are new, gone, changed, moved, and written twice."""
    text = list(text)
    for _ in range(draw.randint(1, 4)):
        at, count = draw.randrange(len(text) + 1), draw.randint(1, 4)
        match draw.randrange(5):
            case 0:
                text[at:at] = [draw.choice([b"", b"}", b"new %d" % draw.randrange(9)]) for _ in range(count)]
            case 1:
                del text[at : at + count]
            case 2:
                text[at : at + count] = [line + b" changed" for line in text[at : at + count]]
            case 3:
                block = text[at : at + count]
                del text[at : at + count]
                text[:0] = block
            case _:
                text += text[at : at + count]
    return text


@pytest.mark.parametrize("seed", range(20))
def test_lines_that_are_called_the_same_or_moved_read_as_they_did(seed: int) -> None:
    """Whatever was done to the file, with what git says of it, and without; and git's word agrees where it is sure."""
    draw = random.Random(seed)
    for _ in range(60):
        old = [
            draw.choice([b"", b"}", b"    return x", b"line %d" % draw.randrange(40)])
            for _ in range(draw.randint(1, 40))
        ]
        new = edited(draw, old)
        first = draw.randint(1, len(old))
        was = (first, min(len(old), first + draw.randrange(5)))
        kept = excerpt_of(old, was)
        hunks = hunks_of(old, new)
        for told in (None, hunks, []):  # a filter may have made another text of what git compared
            state, now = locate(was, kept, new, partial(_given, told))
            assert (now is None) == (state == "gone")
            if now is not None:
                assert 1 <= now[0] <= now[1] <= len(new)
            if state in ("same", "moved"):
                assert now is not None
                assert tuple(new[now[0] - 1 : now[1]]) == kept.lines
                assert (now == was) == (state == "same")
        state, now = locate(was, None, new, partial(list, hunks))
        if state in ("same", "moved") and now is not None:
            assert tuple(new[now[0] - 1 : now[1]]) == kept.lines
        if old == new:
            assert locate(was, kept, new, lambda: None) == ("same", was)


def _given(hunks: list[Hunk] | None) -> list[Hunk] | None:
    return hunks


def hunks_of(old: list[bytes], new: list[bytes]) -> list[Hunk]:
    """What git would tell of a change, by Python's own diff."""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changes = [code[1:] for code in codes if code[0] != "equal"]
    return [Hunk(a, b - a, (max(c + 1, 1), max(d, 1)), d - c) for a, b, c, d in changes]


def test_hunks_tell_how_many_lines_stand_there_now() -> None:
    """None where a change only takes away."""
    assert [one.added for one in parse_hunks(b"@@ -3,2 +3,0 @@\n@@ -9 +7,4 @@\n@@ -1 +1 @@\n")] == [0, 4, 1]
