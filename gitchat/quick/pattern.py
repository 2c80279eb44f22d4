"""Patterns of paths, as claims have them: their parts, and whether two can mean one path. Pure.

Source: docs/format.md section 16.2.
"""

Parts = tuple[str, ...]
"""A pattern, a part each; ``**`` for any number of them, and never two of it in a row."""

ANY = "**"

MAX_CHARS = 512
"""The longest pattern, so that nobody's claim makes others compute for long."""


def parts_of(text: str) -> Parts:
    """The parts of ``text``, of which :func:`why_not` says nothing. ``./`` before it is passed over; a ``/`` at its end
    is :data:`ANY`.
    """
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


def why_not(text: str) -> "str | None":
    """Why ``text`` is no pattern of paths; None where it is."""
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
    if any(part != ANY and ANY in part for part in parts):
        return "** stands in a part with something else"
    return None


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
