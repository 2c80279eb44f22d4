"""A plain log counted from its end, commit by commit, and what the records about a room say of it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from itertools import pairwise

from gitchat.model import codec, limits
from gitchat.model.names import Oid
from gitchat.model.record import META
from gitchat.storage.checkpoint import Position
from gitchat.storage.store import Store

Progress = Callable[[int | None], None]
"""Told how many commits were read so far, every thousand, during a long walk; None when it is over."""


def survey_line(store: Store, tip: Oid | None, progress: Progress) -> tuple[Position, int] | None:
    """Position and format that Numbering.survey finds, of a log without merges and copies; else None.

    Eight bytes a record are kept. Raises FormatError.
    """
    keys = array("q")
    asked_format, count, here = codec.FORMAT, 0, tip
    state: str | None = None
    title: Oid | None = None
    while here is not None:
        commit = store.read(here)
        if len(commit.parents) > 1:
            progress(None)
            return None
        asked_format = max(asked_format, needed_format(commit))
        if commit.takes_number:
            keys.append(hash(codec.identity_key(here, commit)))
        if commit.takes_number and commit.kind == META:  # from the end: the first that is met is the last that was said
            said, is_titled = meta_of(META, commit.block or ())
            state, title = state or said, title or (here if is_titled else None)
        count += 1
        if count % 1000 == 0:
            progress(count)
        here = commit.parents[0] if commit.parents else None
    progress(None)
    ordered = sorted(keys)
    if any(one == other for one, other in pairwise(ordered)):
        return None  # a copy, or, once in many millions of rooms, two that only look so
    return Position(tip, len(keys), True, state == "closed", title), asked_format


def meta_of(kind: str, trailers: Iterable[tuple[str, str]]) -> tuple[str | None, bool]:
    """The state that a record gives its room (``open``, ``closed`` or None), and whether it gives a title."""
    values = dict(reversed(list(trailers))) if kind == META else {}
    state = values.get(codec.STATE)
    return (state if state in ("open", "closed") else None), codec.TITLE in values


def needed_format(commit: codec.Commit) -> int:
    """The format that a genesis or a meta record asks writers to know."""
    key = {"genesis": "Chat-Format", "meta": codec.FORMAT_MIN}.get(commit.kind or "")
    return limits.format_of(commit.value(key) if key else None) or codec.FORMAT
