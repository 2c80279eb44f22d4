"""What somebody may have meant who typed a name that is not there. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_LEAST_LIKENESS = 0.65
"""Of difflib's ratio: ``snd`` is ``send``, ``anwser`` is ``answer``; ``author`` is not ``thread``."""


def near(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The ``count`` of ``known`` that are most like ``word``, the likest first; none where nothing is like it."""
    import difflib  # for who mistyped

    return difflib.get_close_matches(word, sorted(set(known) - {word}), count, _LEAST_LIKENESS)
