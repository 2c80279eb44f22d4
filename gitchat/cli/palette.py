"""The colours of names: as different as there are, and readable on a light screen and on a dark one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

NAMES = (127, 28, 26, 166, 31, 93, 136, 198, 65, 131)
"""Of the 256 that most terminals have. Each has a contrast of 3 at least to white and to black, so its luminance is in
the middle, where few colours are: beyond ten, two of them look alike. Pure red is left to what is urgent."""

PLAIN = ("magenta", "green", "blue", "cyan", "red")
"""Where there are sixteen: those that are yellow or bright cannot be read on white."""

_given: dict[str, int] = {}


def color_of(name: str) -> int:
    """The place of the colour of ``name`` in :data:`NAMES`.

    It follows from the name, so it is the same everywhere, unless somebody whose colour it is, too, was shown before:
    then it is the next one that nobody on this screen has, as long as there are any.
    """
    if name not in _given:
        wanted = zlib.crc32(name.encode("utf-8", "replace")) % len(NAMES)
        taken = set(_given.values())
        order = [(wanted + step) % len(NAMES) for step in range(len(NAMES))]
        _given[name] = next((place for place in order if place not in taken), wanted)
    return _given[name]


def has_many(variables: Mapping[str, str]) -> bool:
    """Whether the terminal has 256 colours, as far as its variables tell."""
    if variables.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    term = variables.get("TERM", "")
    return "256color" in term or "direct" in term or term.startswith(_RICH)


_RICH = ("alacritty", "contour", "foot", "ghostty", "iterm", "kitty", "rio", "wezterm", "xterm-ghostty", "xterm-kitty")
