"""TOML that a person keeps: changed in place, so that comments, order and spaces stay.

A new table is lines at the end of the file, and goes as lines; tomlkit does the rest.
Every change is read again with Python's own ``tomllib``, and has to mean what was meant.
"""

from __future__ import annotations

import copy
import re
import tomllib
from typing import Any

from gitchat.setup.refusal import Refusal, malformed, not_editable


def parse(text: str) -> dict[str, Any]:
    """The tables that ``text`` says. Raises Refusal ``malformed-config``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(text, str(error)) from None


_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _malformed(text: str, said: str) -> Refusal:
    """The place stands in what tomllib says: as numbers only from Python 3.14 on."""
    found = _PLACE.search(said)
    place = len(text)
    if found and found[1]:
        lines = text.split("\n")[: int(found[1]) - 1]
        place = sum(map(len, lines)) + len(lines) + int(found[2]) - 1
    return malformed("TOML", text, min(place, len(text)), _PLACE.sub("", said))


def insert(text: str, path: tuple[str, str], table: dict[str, Any]) -> str:
    """``text`` with ``table`` at its end, under the header ``[path]``. Nothing may be at ``path`` yet.

    Raises:
        Refusal: ``malformed-config``; ``not-editable`` when the file closed that part, as ``{ ... }`` does.
    """
    import tomlkit

    outer, inner = path
    expected = parse(text)
    if not isinstance(expected.setdefault(outer, {}), dict):
        raise not_editable("TOML")
    expected[outer][inner] = table
    newline = "\r\n" if "\r\n" in text else "\n"
    block = tomlkit.dumps({outer: {inner: table}}).strip().replace("\n", newline) + newline
    if text.strip():
        text += newline if text.endswith("\n") else newline * 2
    return _checked(text + block, expected)


def change(text: str, path: tuple[str, ...], value: Any) -> str:
    """``text`` with ``value`` at ``path``, in a table that is there. Raises as :func:`insert`."""
    import tomlkit

    expected, document = parse(text), tomlkit.parse(text)
    for holder in (expected, document):
        part: Any = holder
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = copy.deepcopy(value)
    return _checked(tomlkit.dumps(document), expected)


def delete(text: str, path: tuple[str, str]) -> str:
    """``text`` without the table at ``path``, which is there. Raises as :func:`insert`."""
    import tomlkit

    outer, inner = path
    expected, document = parse(text), tomlkit.parse(text)
    for holder in (expected, document):
        part: Any = holder
        del part[outer][inner]
        if not part[outer]:
            del part[outer]
    try:
        return _checked(_without_lines(text, path), expected)
    except Refusal:  # it does not stand under a header of its own
        return _checked(tomlkit.dumps(document), expected)


def delete_value(text: str, path: tuple[str, ...]) -> str:
    """``text`` without the value at ``path``, which is there and has others beside it. Raises as :func:`insert`."""
    import tomlkit

    expected, document = parse(text), tomlkit.parse(text)
    for holder in (expected, document):
        part: Any = holder
        for key in path[:-1]:
            part = part[key]
        del part[path[-1]]
    return _checked(tomlkit.dumps(document), expected)


def _without_lines(text: str, path: tuple[str, str]) -> str:
    """``text`` without the lines from the header ``[path]`` to the last value under it or under a table in it.

    tomlkit would also take the comments after them, up to the next table, which are somebody else's.
    """
    lines = text.splitlines(keepends=True)
    outer, inner = (rf"""["']?{re.escape(part)}["']?""" for part in path)
    ours = re.compile(rf"\s*\[\s*{outer}\s*\.\s*{inner}\s*[.\]]")
    first = next((place for place, line in enumerate(lines) if ours.match(line)), len(lines))
    end = first
    for place, line in enumerate(lines[first:], first + 1):
        if line.lstrip().startswith("[") and not ours.match(line):
            break
        if line.strip() and not line.lstrip().startswith("#"):
            end = place
    is_apart = first > 0 and not lines[first - 1].strip()
    if is_apart and (end == len(lines) or not lines[end].strip()):
        first -= 1  # one empty line is enough
    return "".join(lines[:first] + lines[end:])


def _checked(text: str, expected: dict[str, Any]) -> str:
    try:
        is_meant = tomllib.loads(text) == expected
    except tomllib.TOMLDecodeError:
        is_meant = False
    if not is_meant:
        raise not_editable("TOML")
    return text
