"""Patterns of paths, as claims have them: what they are, what they match, and whether two can mean one path.

From the top of the repository, with ``/`` between parts: ``*`` is any part of a part, ``?`` one character of it, ``**``
as a part any number of parts, none included. A ``/`` at the end means the directory and all that is below. Pure.
Source: docs/format.md section 16.2.
"""

from __future__ import annotations

import re

from gitchat.model.errors import UserError

Parts = tuple[str, ...]
"""A pattern, a part each; ``**`` for any number of them, and never two of it in a row."""

ANY = "**"

MAX_CHARS = 512
"""The longest pattern, so that nobody's claim makes others compute for long."""

_STARS = re.compile(r"\*\*+")


def parse_pattern(text: str) -> Parts:
    """The parts of ``text``. ``./`` before it is passed over; a ``/`` at its end is :data:`ANY`.

    Raises:
        UserError: ``not-a-pattern``.
    """
    why_not = _why_not(text)
    if why_not is not None:
        raise UserError(
            f"{text[:80]!r} is no pattern of paths: {why_not}",
            hint="paths count from the top of the repository: src/lexer/, docs/*.md, src/**/test_*.py",
            code="not-a-pattern",
        )
    parts: list[str] = []
    for part in _bare(text).split("/"):
        found = part or ANY  # only the end of a directory is blank
        if not (found == ANY and parts and parts[-1] == ANY):
            parts.append(found)
    return tuple(parts)


def _bare(text: str) -> str:
    while text.startswith("./"):
        text = text[2:]
    return text


def _why_not(text: str) -> str | None:
    bare = _bare(text)
    parts = bare.removesuffix("/").split("/")
    if not bare or len(text) > MAX_CHARS:
        return f"it is longer than {MAX_CHARS} characters" if bare else "it is empty"
    if not bare.isprintable() or bare != bare.strip():
        return "it has a character that is none of a line's, or a blank at an end"
    if bare.startswith("/"):
        return "it begins with /"
    if bare.startswith("!") or "[" in bare or "\\" in bare:
        return "it has !, [ or \\, which mean nothing here"
    if any(part in ("", ".", "..") for part in parts):
        return "it has a part that is blank, . or .."
    if any(part != ANY and _STARS.search(part) for part in parts):
        return "** stands in a part with something else"
    return None


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


def overlap(one: Parts, other: Parts) -> bool:
    """Whether some path is meant by both. ``.?`` and ``?.`` count as such, though only ``..`` is meant by both."""
    # Row by row of a table, of which an entry says whether what is left of both can mean the same parts.
    below = [all(part == ANY for part in other[place:]) for place in range(len(other) + 1)]
    for mine in reversed(one):
        row = [False] * (len(other) + 1)
        row[-1] = mine == ANY and below[-1]
        for place in range(len(other) - 1, -1, -1):
            theirs = other[place]
            if mine == ANY or theirs == ANY:
                row[place] = below[place] or row[place + 1]  # it means no part more, or one that the other begins with
            else:
                row[place] = below[place + 1] and _overlap_in_part(mine, theirs)
        below = row
    return below[0]


def _overlap_in_part(one: str, other: str) -> bool:
    """Whether some text is meant by both; the same way, with characters for parts and ``*`` for ``**``."""
    if "*" not in one + other and len(one) != len(other):
        return False
    below = [not other[place:].strip("*") for place in range(len(other) + 1)]
    for mine in reversed(one):
        row = [False] * (len(other) + 1)
        row[-1] = mine == "*" and below[-1]
        for place in range(len(other) - 1, -1, -1):
            theirs = other[place]
            if mine == "*" or theirs == "*":
                row[place] = below[place] or row[place + 1]
            else:
                row[place] = below[place + 1] and (mine == theirs or "?" in (mine, theirs))
        below = row
    return below[0]
