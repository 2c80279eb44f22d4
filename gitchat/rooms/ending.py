"""Where the next record of a log goes, and what the room says of itself there: asked at each append.

No clock, no environment, no randomness. Source: docs/format.md sections 6, 7.3, 7.23 and 8.1.
"""

from __future__ import annotations

from dataclasses import replace

from gitchat.model import codec, reach
from gitchat.model.names import Oid
from gitchat.model.record import Record
from gitchat.rooms.numbering import Numbering, meta_of, newer_format
from gitchat.storage.checkpoint import Position


def end_of(numbering: Numbering, tip: Oid | None) -> Position:
    """The position that the next record follows, when the log is at ``tip``. With the write lock held.

    Raises:
        FormatError: ``newer-format``, ``lost-ref``, and what Store.read raises.
    """
    if numbering.tracking is not None:
        return _end_of_known(numbering, tip)
    position = numbering.noted(tip)
    if position is None:
        position, asked_format = numbering.survey(tip)
        _refuse_newer(numbering, asked_format)
        numbering.store.remember(numbering.room, [position])
    return position


def after_record(position: Position, oid: Oid, count: int, record: Record) -> Position:
    """What a room is after ``record``, at ``oid``, was added to it."""
    state, titled = meta_of(record.kind, record.extra)
    is_closed = position.is_closed if state is None else state == "closed"
    return Position(oid, count, position.is_plain, is_closed, oid if titled else position.title)


def _end_of_known(numbering: Numbering, tip: Oid | None) -> Position:
    """As :func:`end_of` in a room with an authority: after all that is known here.

    Where the log here goes on from all that the authority has, what was noted with its last record holds: that was
    written by a version that knows the format. Otherwise the index tells.
    """
    noted = numbering.store.end(numbering.room)
    if tip is not None and noted is not None and noted.tip == tip and numbering.is_within(tip):
        return noted
    accepted = numbering.tip()
    is_behind = accepted is not None and (tip is None or reach.is_ancestor(tip, accepted, numbering.store.step))
    state = numbering.state()
    _refuse_newer(numbering, numbering.asked_format())
    return replace(state, tip=accepted if is_behind else tip)


def _refuse_newer(numbering: Numbering, asked_format: int) -> None:
    if asked_format > codec.FORMAT:
        raise newer_format(numbering.room, asked_format)
