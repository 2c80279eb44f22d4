"""The JSON form of what a message is about, and its words: the same on the command line and over MCP. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gitchat.model.anchor import AROUND, Anchor, numbered, spelled
from gitchat.model.placing import Place
from gitchat.model.record import Record

if TYPE_CHECKING:  # brings git
    from gitchat.verbs.anchoring import At

Json = dict[str, Any]


def of_record(record: Record) -> list[Json]:
    """What a record is about as it says it: ``path``, and ``lines``, the first and the last, but of a whole file."""
    return [_of_anchor(anchor) for anchor in numbered(record).values()]


def of_places(found: Sequence[At], *, with_excerpt: bool = False) -> list[Json]:
    """As :func:`of_record`, and ``now``, where that is known: ``state`` and, unless it is gone, ``path`` and ``lines``.

    ``with_excerpt`` also with the ``excerpt``, where there is one: ``first``, the number of its first line, and its
    ``text``.
    """
    shown = []
    for at in found:
        one = _of_anchor(at.anchor)
        if at.place is not None:
            one["now"] = {"state": at.place.state, **_of_place(at.place)}
        if with_excerpt and at.excerpt is not None and at.anchor.lines is not None:
            text = at.excerpt.content.decode("utf-8", "replace")
            one["excerpt"] = {"first": max(1, at.anchor.lines[0] - AROUND), "text": text}
        shown.append(one)
    return shown


def beside(found: Sequence[At] | None, *, with_excerpt: bool = False) -> Json:
    """``at``, as :func:`of_places`, to stand beside what as_json.of_entry gives; nothing where nothing was found."""
    return {"at": of_places(found, with_excerpt=with_excerpt)} if found else {}


def _of_anchor(anchor: Anchor) -> Json:
    return {"path": anchor.shown} | ({"lines": list(anchor.lines)} if anchor.lines is not None else {})


def _of_place(place: Place) -> Json:
    return _of_anchor(Anchor(place.path, place.lines)) if place.path is not None else {}


def words(one: Json) -> str:
    """One place for a reader: ``src/lexer.py:44-50 (was 40-46)``; it holds data of others, to be escaped."""
    now, was = one.get("now"), _spelled(one)
    if now is None:
        return was
    if now["state"] == "gone":
        return f"{was} (gone)"
    notes = []
    if now["path"] != one["path"]:
        notes.append(f"was {was}")
    elif now.get("lines") != one.get("lines"):
        notes.append(f"was {spelled(_lines(one))}")
    notes += ["changed since"] if now["state"] == "changed" else []
    return _spelled(now) + (f" ({', '.join(notes)})" if notes else "")


def _spelled(one: Json) -> str:
    return str(one["path"]) + (f":{spelled(_lines(one))}" if "lines" in one else "")


def _lines(one: Json) -> tuple[int, int]:
    first, last = one["lines"]
    return first, last
