"""Patterns of paths, as claims have them: what they are, what they match, and whether two can mean one path.

From the top of the repository, with ``/`` between parts: ``*`` is any part of a part, ``?`` one character of it, ``**``
as a part any number of parts, none included. A ``/`` at the end means the directory and all that is below. Pure.
Source: docs/format.md section 16.2.
"""

from __future__ import annotations

import re

from gitchat.model.errors import UserError
from gitchat.quick.pattern import ANY, MAX_CHARS, Parts, overlap, parts_of, why_not

__all__ = [
    "ANY",
    "MAX_CHARS",
    "Parts",
    "fixed_part",
    "matches",
    "overlap",
    "parse_pattern",
    "regex_of",
    "regex_of_bytes",
]


def parse_pattern(text: str) -> Parts:
    """The parts of ``text``. ``./`` before it is passed over; a ``/`` at its end is :data:`ANY`.

    Raises:
        UserError: ``not-a-pattern``.
    """
    reason = why_not(text)
    if reason is not None:
        raise UserError(
            f"{text[:80]!r} is no pattern of paths: {reason}",
            hint="paths count from the top of the repository: src/lexer/, docs/*.md, src/**/test_*.py",
            code="not-a-pattern",
        )
    return parts_of(text)


def matches(pattern: Parts, path: str) -> bool:
    """Whether ``pattern`` means ``path``, which has no ``/`` at its end."""
    return re.fullmatch(regex_of(pattern), path) is not None


def fixed_part(pattern: Parts) -> str:
    """What each path that ``pattern`` means begins with; blank for nothing."""
    return re.split(r"[*?]", "/".join(pattern), maxsplit=1)[0].rstrip("/")


_ONE_CHARACTER = b"([^/\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)"


def regex_of_bytes(pattern: Parts) -> bytes:
    """As :func:`regex_of`, of a path in UTF-8 of which each byte counts as a character, as in the locale C."""
    return regex_of(pattern, "\0").encode("utf-8", "surrogateescape").replace(b"\0", _ONE_CHARACTER)


def regex_of(pattern: Parts, one_character: str = "[^/]") -> str:
    """The extended regular expression of a whole path, for awk as well as for Python; without ``^`` and ``$``."""
    if pattern == (ANY,):
        return ".*"
    text, needs_slash = "", False
    for place, part in enumerate(pattern):
        if part != ANY:
            text += ("/" if needs_slash else "") + _regex_of_part(part, one_character)
            needs_slash = True
        elif place == len(pattern) - 1:
            text += "(/.*)?"
        else:
            text += ("/" if needs_slash else "") + "([^/]+/)*"
            needs_slash = False
    return text


def _regex_of_part(part: str, one_character: str) -> str:
    if set(part) == {"*"}:
        return "[^/]+"
    return "".join({"*": "[^/]*", "?": one_character}.get(char) or _literal(char) for char in part)


def _literal(char: str) -> str:
    """One character of a regular expression; in brackets where that can be, which all programs read alike."""
    return f"[{char}]" if char in "$()+.{|}" else "\\^" if char == "^" else char
