"""What stands in a text and is not seen, or makes it look like another; and where such a character has its use. Pure.

Loaded for text beyond ASCII alone. Source: Unicode's property Default_Ignorable_Code_Point; UTS #51 for emoji.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from gitchat.model.codepoints import IGNORABLE, PICTURES

CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
"""C0 and C1 but tab and line feed, line separators, lone surrogates."""

_BLANK = "\u2800\ufff9-\ufffb"
"""An empty pattern of braille, and the marks around an annotation that plain text does not show."""

_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(first)}-{chr(first + 1)}" for first in range(0xFFFE, 0x110000, 0x10000)
)

_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
"""What each font shows as it likes: icons on a terminal, nothing that a model could know."""

REGIONS = ("gbeng", "gbsct", "gbwls")
"""Those whose flags are spelled with tag characters, which mean nothing anywhere else."""
_FLAGS = "|".join("".join(chr(0xE0000 + ord(letter)) for letter in region) for region in REGIONS)

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_TEXT_STYLE, _EMOJI_STYLE = "\ufe0e", "\ufe0f"
_KEYCAP, _KEYS = "\u20e3", "0123456789#*"

CLASS = IGNORABLE + _BLANK + _NO_CHARACTERS
"""What is hidden, as what stands in the brackets of a regular expression; it may have its use all the same."""


def replaced(text: str, write: Callable[[str], str], *, with_private: bool = False) -> str:
    """``text`` with each run of what is hidden, or controls something, as ``write`` gives it.

    What stays: joiners between two letters of a script that is joined or between two emoji, one style after an
    emoji or in a keycap, the flags of parts of a country. A selector of another kind stays nowhere: after an
    ideograph it picks one of 240 forms, and so carries a byte that nobody sees.
    """

    def judged(found: re.Match[str]) -> str:
        if found.lastgroup == "flag":
            return found[0]
        if _MAY_STAY.isdisjoint(found[0]):
            return write(found[0])
        shown, start = [], found.start()
        for place in range(start, found.end()):
            if text[place] in _MAY_STAY and _has_use(text, place):
                shown += [write(text[start:place])] if place > start else []
                shown.append(text[place])
                start = place + 1
        return "".join(shown) + (write(text[start : found.end()]) if start < found.end() else "")

    return _pattern(with_private).sub(judged, text)


_MAY_STAY = frozenset({_JOINER, _NON_JOINER, _TEXT_STYLE, _EMOJI_STYLE})


@cache
def _pattern(with_private: bool) -> re.Pattern[str]:
    private = _PRIVATE if with_private else ""
    return re.compile(f"(?P<flag>\U0001f3f4(?:{_FLAGS})\U000e007f)|[{CONTROLS}{CLASS}{private}]+")


@cache
def _picture() -> re.Pattern[str]:
    return re.compile(f"[{PICTURES}]")


def _has_use(text: str, place: int) -> bool:
    """Whether the joiner or style at ``place`` changes how what stands around it is seen."""
    character = text[place]
    before, after = text[max(0, place - 1) : place], text[place + 1 : place + 2]
    if character in (_TEXT_STYLE, _EMOJI_STYLE):
        return _is_picture(before) or (before != "" and before in _KEYS and after == _KEYCAP)
    if _is_joined(before) and _is_joined(after):
        return True
    if before == _EMOJI_STYLE:
        before = text[max(0, place - 2) : place - 1]
    return character == _JOINER and _is_picture(before) and _is_picture(after)


@lru_cache(1024)
def _is_picture(character: str) -> bool:
    return character != "" and _picture().match(character) is not None


@lru_cache(1024)
def _is_joined(character: str) -> bool:
    """Whether this is a letter, or a mark on one, of a script in which a joiner can be seen: Latin is none."""
    import unicodedata  # where a joiner is

    if not character or ord(character) < 0x250 or _pattern(False).match(character):
        return False
    return unicodedata.category(character)[0] in "LM" and not unicodedata.name(character, "").startswith("LATIN ")
