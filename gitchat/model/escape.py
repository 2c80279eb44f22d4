"""Text of others without what would deceive who reads it: the one escaping, for terminals and for models. Pure.

What is hidden is shown as its code point, ``<U+202E>``. For a model (:func:`tame`) what could open a tag loses that
meaning, too. Text in any script stays as it is.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from gitchat.model.names import MAX_SLUG_CHARS, is_slug

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
"""All that could deceive in a text of ASCII."""

_MANY = 4
"""So many hidden characters in a row are told by the first and their number: a row can be as long as a text."""


# --- for a terminal ----------------------------------------------------------


def escape(text: str) -> str:
    """``text`` without anything that could move the cursor, recolour, reorder or hide text.

    Controls appear as ``^[``, other characters as ``<U+202E>``, a row of those as ``<U+E0041 and 11 more>``; tab and
    line feed stay.
    """
    return _CONTROLS.sub(_visible_control, text) if text.isascii() else _escaped(text)


def escape_line(text: str) -> str:
    """As :func:`escape`, on one line: a line feed is shown as a space."""
    return escape(_on_one_line(text))


def escape_name(text: str) -> str:
    """The name of who wrote something: as it is when it can be a participant's.

    Another one stands in quotes that it cannot end, escaped and no longer than a name may be, so that nothing in it
    passes for what is said of a message. One that looks like a participant's says so.
    """
    return text if is_slug(text) else _quoted(text, escape_line(text))


def escape_json(text: str) -> str:
    """JSON text with what :func:`escape` would change in JSON's own escapes, so that it means the same."""
    if text.isascii():
        return _CONTROLS.sub(lambda found: _in_json(found[0]), text)
    from gitchat.model import hidden

    return hidden.replaced(text, _in_json)


# --- for a model -------------------------------------------------------------


def tame(text: str) -> str:
    """As :func:`escape`, and nothing in it opens a tag: clients and models give many of them a meaning of their own.

    Each ``<`` before what may begin a tag becomes U+2039, and the bracket of a role such as ``[INST]`` U+27E6.
    Characters of private use are shown as code points.
    """
    return _escaped(_ROLE.sub("\u27e6", _opening().sub("\u2039", text)), with_private=True)


def tame_line(text: str) -> str:
    """As :func:`tame`, on one line."""
    return tame(_on_one_line(text))


def tame_name(text: str) -> str:
    """As :func:`escape_name`, for a model."""
    return text if is_slug(text) else _quoted(text, tame_line(text))


def tame_data(value: Any) -> Any:
    """JSON with every text in it, keys too, as :func:`tame` gives it; however deep it is nested."""
    top = [value]
    opened: list[Any] = [top]
    while opened:
        box = opened.pop()
        for place, inner in box.items() if isinstance(box, dict) else enumerate(box):
            if isinstance(inner, str):
                box[place] = tame(inner)
            elif isinstance(inner, (list, tuple)):
                box[place] = list(inner)
            elif isinstance(inner, dict):
                box[place] = {tame(str(key)): one for key, one in inner.items()}
            if isinstance(box[place], (list, dict)):
                opened.append(box[place])
    return top[0]


_ROLE = re.compile(r"\[(?=/?(?:INST|SYS|SYSTEM|USER|ASSISTANT|HUMAN|(?:AVAILABLE|BEGIN|END)_[A-Z_]+|TOOL_[A-Z_]+)\])")


@cache
def _opening() -> re.Pattern[str]:
    from gitchat.model import hidden

    # Right after it: a letter of any script, or what begins a closing tag, a comment, a special token (its bar is
    # U+FF5C in some). After blanks only what no comparison has: "a < b" stays. So does what we write ourselves.
    ours = r"U\+[0-9A-F]{4,6}[> ]"
    spaced = "chat|message|channel|system|assistant|user|human|tool|function|task|hook|antml|invoke|result|instruction"
    word = rf"[\w-]*(?:{spaced}|reminder|prompt|notification)"
    return re.compile(rf"<(?!{ours})(?=[^\W\d]|\s*[/!?|\uff5c]|[{hidden.CLASS}]|\s+{word})", re.IGNORECASE)


# --- how ---------------------------------------------------------------------


def _on_one_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", " ").replace("\t", " ")


def _escaped(text: str, *, with_private: bool = False) -> str:
    from gitchat.model import hidden

    return hidden.replaced(text, _visible, with_private=with_private)


def _visible(run: str) -> str:
    """A run of characters of which none may be shown."""
    return _short(run) if len(run) < _MANY else _written(run)


@lru_cache(1024)
def _short(run: str) -> str:
    """As :func:`_written`; a text may have the same few a hundred thousand times."""
    return _written(run)


def _written(run: str) -> str:
    parts = _CONTROL_RUN.split(run)
    return "".join(
        _CONTROLS.sub(_visible_control, part) if place % 2 else _numbered(part) for place, part in enumerate(parts)
    )


_CONTROL_RUN = re.compile("([\x00-\x1f\x7f]+)")


def _numbered(run: str) -> str:
    if len(run) < _MANY:
        return "".join(f"<U+{ord(character):04X}>" for character in run)
    return f"<U+{ord(run[0]):04X} and {len(run) - 1:,} more>"


def _visible_control(found: re.Match[str]) -> str:
    return "^" + chr(ord(found[0]) ^ 0x40)


def _in_json(run: str) -> str:
    units = run.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


_QUOTES = dict.fromkeys(map(ord, '"\u201c\u201d\u201e\u201f\u2033\u02ba\uff02'), "'")


def _quoted(text: str, shown: str) -> str:
    shown = shown.translate(_QUOTES)
    if len(shown) > MAX_SLUG_CHARS:
        shown = shown[: MAX_SLUG_CHARS - 1] + "…"
    alike = looks_like(text)
    return f'"{shown}"' + (f" (looks like {alike})" if alike is not None else "")


def looks_like(name: str) -> str | None:
    """The name of a participant that this one, which can be none, looks like; None where there is none.

    By what UTS #39 holds for confusable with a single letter, digit or mark of a name, by compatibility forms
    (full width, mathematical), and without accents and hidden characters. Not caught: what is confusable within ASCII
    (``rn`` and ``m``), and a name that only has another word beside it.
    """
    if name.isascii():
        return None
    import unicodedata

    from gitchat.model import hidden
    from gitchat.model.lookalikes import LOOKALIKES

    plain = {character: target for target, characters in LOOKALIKES.items() for character in characters}
    seen = hidden.replaced(name[: 4 * MAX_SLUG_CHARS], lambda run: "").strip()
    letters = (plain.get(letter, letter) for letter in seen)
    whole = unicodedata.normalize("NFKD", "".join(letters))
    bare = (plain.get(letter, letter) for letter in whole if not unicodedata.combining(letter))
    found = "".join(bare).casefold()
    return found if is_slug(found) else None
