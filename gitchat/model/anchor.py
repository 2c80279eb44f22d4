"""Messages anchored to code: which lines of which file one is about, and how they read then.

A line is bytes without its line end, and without the carriage return before that: a checkout may have one where the
commit has none. Pure. Source: docs/format.md section 20.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitchat.model.attachment import MOST_EXCERPT_BYTES, MOST_EXCERPTS
from gitchat.model.hunks import Lines
from gitchat.model.record import AT, Draft, Record

MOST_LINES = 200
"""How many lines one place has at most; a whole file has none."""
AROUND = 3
"""How many lines before and after are kept beside them."""
_MOST_PATH_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Anchor:
    """Some lines of a file, or the whole of it."""

    path: str
    """From the top of the repository. Bytes that are no UTF-8 are as os.fsdecode has them."""
    lines: Lines | None = None
    """None for the whole file."""

    @property
    def value(self) -> str:
        """As the trailer has it."""
        return _quoted(self.path) + (f":{self.lines[0]}-{self.lines[1]}" if self.lines is not None else "")

    @property
    def shown(self) -> str:
        """The path as text; data of others, to be escaped."""
        return self.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def __str__(self) -> str:
        """As it is typed: ``src/lexer.py:40-46``; data of others, to be escaped."""
        return self.shown + (f":{spelled(self.lines)}" if self.lines is not None else "")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines as they were, with those beside them."""

    before: tuple[bytes, ...]
    lines: tuple[bytes, ...]
    after: tuple[bytes, ...]

    @property
    def whole(self) -> tuple[bytes, ...]:
        """All of them, in their order."""
        return (*self.before, *self.lines, *self.after)

    @property
    def content(self) -> bytes:
        """As it is stored: each line with a line feed."""
        return b"".join(line + b"\n" for line in self.whole)


def spelled(lines: Lines) -> str:
    """``40-46``, or ``40`` for one line."""
    return str(lines[0]) if lines[0] == lines[1] else f"{lines[0]}-{lines[1]}"


# --- the trailer -----------------------------------------------------------------

_VALUE = re.compile(r"(.+?)(?::([1-9][0-9]{0,8})-([1-9][0-9]{0,8}))?", re.DOTALL)
_QUOTE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\\ud800-\udfff]|^ | $|:[0-9]+-[0-9]+$')
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_NAMED = {bytes([name]): bytes([byte]) for name, byte in zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True)}


def _quoted(path: str) -> str:
    """As git quotes it, where it must be, or its end would be read as lines. Source: git-config(1), core.quotePath."""
    if _QUOTE.search(path) is None:
        return path
    shown = [
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
        for byte in path.encode("utf-8", "surrogateescape")
    ]
    return f'"{"".join(shown)}"'


def unquoted(text: str) -> str | None:
    """The path that ``text`` is, which git may have quoted; None where that is done badly."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1].encode("utf-8", "surrogateescape")
    if len(text) < 3 or not text.endswith('"') or re.search(rb'["\\]', _ESCAPE.sub(b"", inner)):
        return None
    plain = _ESCAPE.sub(lambda found: _NAMED.get(found[1]) or bytes([int(found[1], 8)]), inner)
    return plain.decode("utf-8", "surrogateescape")


def parse_value(value: str) -> Anchor | None:
    """What a trailer says; None outside its grammar."""
    found = _VALUE.fullmatch(value)
    path = unquoted(found[1]) if found is not None else None
    if found is None or path is None or not is_path(path):
        return None
    if found[2] is None:
        return Anchor(path)
    first, last = int(found[2]), int(found[3])
    return Anchor(path, (first, last)) if first <= last < first + MOST_LINES else None


def is_path(path: str) -> bool:
    """Whether ``path`` can be a file's, from the top of a repository."""
    size = len(path.encode("utf-8", "surrogateescape"))
    parts = path.split("/")
    return (
        0 < size <= _MOST_PATH_BYTES
        and "\0" not in path
        and not any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    )


def numbered(record: Record) -> dict[int, Anchor]:
    """What ``record`` is about, by the places of its trailers from 1 on; what is outside their grammar is left out."""
    anchors = ((number, parse_value(value)) for number, value in enumerate(record.at[:MOST_EXCERPTS], 1))
    return {number: anchor for number, anchor in anchors if anchor is not None}


# --- the excerpt -----------------------------------------------------------------


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def excerpt_of(text: Sequence[bytes], lines: Lines) -> Excerpt:
    """What is kept of ``lines`` of a file that has them."""
    first, last = lines
    start = max(0, first - 1 - AROUND)
    return Excerpt(tuple(text[start : first - 1]), tuple(text[first - 1 : last]), tuple(text[last : last + AROUND]))


def parse_excerpt(content: bytes, lines: Lines) -> Excerpt | None:
    """The excerpt of ``lines`` that is stored so; None where it is none of so many lines."""
    text = lines_of(content)
    before, count = min(AROUND, lines[0] - 1), lines[1] - lines[0] + 1
    if len(content) > MOST_EXCERPT_BYTES or not before + count <= len(text) <= before + count + AROUND:
        return None
    return Excerpt(tuple(text[:before]), tuple(text[before : before + count]), tuple(text[before + count :]))


def excerpts_in(draft: Draft) -> Iterator[tuple[str, bytes, int]]:
    """What rules of sending look at besides: each excerpt with its path, and the line in which it begins."""
    values = [value for key, value in draft.extra if key == AT]
    for number, file in draft.excerpts:
        anchor = parse_value(values[number - 1])
        assert anchor is not None
        yield anchor.path, file.content, max(1, anchor.lines[0] - AROUND) if anchor.lines is not None else 1
