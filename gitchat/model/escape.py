"""Text of others without what would deceive who reads it. Pure."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line feed, line separators, bidirectional overrides and isolates,
# byte-order mark, tag characters (invisible text) and lone surrogates. Joiners stay: scripts and
# emoji need them.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def escape(text: str) -> str:
    """``text`` without anything that could move the cursor, recolour, reorder or hide text.

    Controls appear as ``^[``, other characters as ``<U+202E>``; tab and line feed stay.
    """
    return _UNSAFE.sub(_visible, text)


def escape_line(text: str) -> str:
    """As :func:`escape`, on one line: a line feed is shown as a space."""
    return escape(text.replace("\r\n", "\n").replace("\n", " ").replace("\t", " "))


def escape_json(text: str) -> str:
    """JSON text with what :func:`escape` would change in JSON's own escapes, so that it means the same."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20 or code == 0x7F:
        return "^" + chr(code ^ 0x40)
    return f"<U+{code:04X}>"
