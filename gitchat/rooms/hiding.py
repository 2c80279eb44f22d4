"""What views show of records that somebody has redacted: that, and by whom, in place of what they say and carry.

A ``redact`` hides the record that it answers, if it stands behind it in the order of the room. So who walks from the
newest on has met it before, and whoever comes by the index asks that: one question for a whole listing, which costs the
same in every log. Nothing else follows from it: no number, no position and no claim.

Source: docs/format.md section 18.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitchat.model import purge
from gitchat.model.names import Uid
from gitchat.model.record import REDACT, UNLISTED_KINDS, Entry

if TYPE_CHECKING:
    from gitchat.index.chain import Chain  # SQLite, which a plain log does without


def newest_first(entries: Iterator[Entry]) -> Iterator[Entry]:
    """``entries`` of a whole log from the newest on, as views show them."""
    said: dict[Uid, str] = {}
    for entry in entries:
        yield _without_text(entry, said.get(entry.record.uid))
        if entry.record.kind == REDACT and entry.record.reply_to is not None:
            said[entry.record.reply_to] = entry.record.author


def at(chain: Chain, entries: Sequence[Entry], places: Sequence[int]) -> list[Entry]:
    """``entries`` at these places of the chain, as views show them."""
    said = chain.redactions([entry.record.uid for entry in entries], min(places)) if entries else {}
    return [
        _without_text(entry, next((who for behind, who in said.get(entry.record.uid, ()) if behind > place), None))
        for entry, place in zip(entries, places, strict=True)
    ]


def _without_text(entry: Entry, redacted_by: str | None) -> Entry:
    if redacted_by is None or entry.record.hidden is not None or entry.record.kind in UNLISTED_KINDS:
        return entry
    return replace(entry, record=purge.shown(entry.record, redacted_by), tree=None)
