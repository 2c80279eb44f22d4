"""Make the tables of Unicode that the program carries: what is invisible, what is an emoji, what looks like a letter.

    python -m checks.unicode_tables DerivedCoreProperties.txt emoji-data.txt confusables.txt

writes ``gitchat/model/codepoints.py`` and ``gitchat/model/lookalikes.py``. The first two files are in Debian's package
``unicode-data`` and at unicode.org; the third belongs to UTS #39, and is there, too. Python's own ``unicodedata`` tells
neither of these properties, and a library that does is larger than all of gitchat.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

MODEL = Path(__file__).parents[1] / "gitchat" / "model"

_VERSION = re.compile(r"(?:DerivedCoreProperties-|Version: |Emoji Version )(\d+\.\d+)")
_LOOKS_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
"""What a name can be made of, in either case."""

_NOTICE = """
Made by ``python -m checks.unicode_tables``; do not edit. Data: (c) Unicode, Inc., Unicode License.
\"\"\"
"""


def main(paths: list[str]) -> int:
    """Write both modules; 2 when the three files are not given."""
    if len(paths) != 3:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    properties, emoji, confusables = (Path(path).read_text(encoding="utf-8-sig") for path in paths)
    (MODEL / "codepoints.py").write_text(codepoints(properties, emoji))
    (MODEL / "lookalikes.py").write_text(lookalikes(confusables))
    return 0


def codepoints(properties: str, emoji: str) -> str:
    """The module of code points, from DerivedCoreProperties.txt and emoji-data.txt."""
    ignorable = joined(ranges_of(properties, "Default_Ignorable_Code_Point"))
    pictures = joined([*ranges_of(emoji, "Extended_Pictographic"), *ranges_of(emoji, "Emoji_Modifier")])
    return "\n".join(
        [
            f'"""Code points by what they are, as what stands in the brackets of a regular expression.\n{_NOTICE}',
            f'UNICODE = "{version_of(properties)}"',
            '"""The version of Unicode that tells them; these properties hardly change from one to the next."""',
            "",
            *_assigned("IGNORABLE", ignorable),
            '"""Default_Ignorable_Code_Point: what is shown as nothing where it is not supported."""',
            "",
            *_assigned("PICTURES", pictures),
            '"""Extended_Pictographic and Emoji_Modifier: emoji, also those that are still to come."""',
            "",
        ]
    )


def lookalikes(confusables: str) -> str:
    """The module of characters that look like those of a name, from confusables.txt.

    Left out is what compatibility normalization and case folding give anyhow, and what looks like several characters.
    """
    found: dict[str, list[str]] = {}
    for fields in _fields(confusables):
        source, target = _text(fields[0]), _text(fields[1])
        plain = unicodedata.normalize("NFKD", source).casefold()
        if len(source) == 1 and not source.isascii() and _LOOKS_PLAIN.fullmatch(target) and plain != target.casefold():
            found.setdefault(target.lower(), []).append(source)
    lines = [f'    "{target}": "{"".join(map(_escaped, sorted(found[target])))}",' for target in sorted(found)]
    return "\n".join(
        [
            f'"""Characters of all scripts by what of a name they look like.\n{_NOTICE}',
            f'UNICODE = "{version_of(confusables)}"',
            '"""The version of UTS #39 that tells them."""',
            "",
            "# fmt: off",
            "LOOKALIKES = {",
            *(line if len(line) <= 120 else _broken(line) for line in lines),
            "}",
            '"""What is looked like, in lower case: what looks like it."""',
            "",
        ]
    )


def version_of(text: str) -> str:
    """The version that a file of Unicode's says it is of. Raises ValueError where it says none."""
    found = _VERSION.search(text)
    if found is None:
        raise ValueError("this is no file of Unicode's: it names no version")
    return found[1]


def ranges_of(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """The first and the last code point of each line that gives this property."""
    for fields in _fields(text):
        if fields[1] == wanted:
            first, _, last = fields[0].partition("..")
            yield int(first, 16), int(last or first, 16)


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same code points in as few ranges as can be, in order."""
    whole: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(last, whole[-1][1]))
        else:
            whole.append((first, last))
    return whole


def _fields(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) > 1:
            yield fields


def _text(points: str) -> str:
    return "".join(chr(int(point, 16)) for point in points.split())


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _assigned(name: str, ranges: list[tuple[int, int]]) -> list[str]:
    parts = [_escaped(chr(first)) + (f"-{_escaped(chr(last))}" if last > first else "") for first, last in ranges]
    lines = [""]
    for part in parts:
        if len(lines[-1]) + len(part) > 100:
            lines.append("")
        lines[-1] += part
    return [f"{name} = (", *(f'    "{line}"' for line in lines), ")"]


def _broken(line: str) -> str:
    """A line of a table that is too long, as several texts that follow each other."""
    head, _, points = line.partition(": ")
    escapes = re.findall(r"\\u[0-9a-f]{4}|\\U[0-9a-f]{8}", points)
    rows, row = [], ""
    for escape in escapes:
        if len(row) + len(escape) > 100:
            rows.append(row)
            row = ""
        row += escape
    body = "\n".join(f'        "{one}"' for one in [*rows, row])
    return f"{head}: (\n{body}\n    ),"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
