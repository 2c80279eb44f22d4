"""Where the next record of a log goes, and what the room says of itself there: asked at each append, noted before it.

No clock, no environment, no randomness. Source: docs/format.md sections 6, 7.3, 7.23 and 8.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitchat.model import codec, reach
from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid
from gitchat.model.record import Record
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.refusing import newer_format
from gitchat.rooms.surveying import meta_of
from gitchat.storage.checkpoint import Position

NEAR = 250
"""So many records are counted without being asked for."""


class Cold(Exception):
    """The log ends where nobody has counted yet. That is done without the write lock, in which others would wait."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about the end of a log before the write lock was taken."""

    tip: Oid | None
    """Where the log ended then."""
    accepted: Oid | None
    """Where what the room's authority has accepted ended; None without one."""
    position: Position


def look(numbering: Numbering) -> Known:
    """Count a log up to its end, if nobody has. Without the write lock: it may take long.

    Raises:
        ConflictError: ``still-counting``; nothing was added.
        FormatError: as :func:`end_of`.
    """
    tip, accepted = numbering.store.tip(numbering.ref), _accepted(numbering)
    position = _noted(numbering, tip)
    if position is None:
        try:
            position = _known_by_index(numbering, tip) if numbering.tracking is not None else _counted(numbering, tip)
        except ConflictError as error:
            if error.code != "still-counting":
                raise
            raise ConflictError(
                f"nothing was sent: {error}",
                hint="send it again in a moment; the newest messages are there at once: git chat log",
                code=error.code,
            ) from error
    return Known(tip, accepted, position)


def keep_up(numbering: Numbering) -> None:
    """Note how far a log with an authority is numbered, and where it ends, after a fetch or a push moved that.

    So the next who reads or sends need not ask the index. Where nobody has counted most of it, it is left to who needs
    it. Waits for nobody. Raises FormatError, and what Index.chain raises.
    """
    tip = _accepted(numbering)
    if tip is None or not (numbering.noted(tip) is None or _lacks_end(numbering, tip)) or not _is_near(numbering, tip):
        return
    position = numbering.settled()[1]
    if position.tip == numbering.store.tip(numbering.ref) and numbering.asked_format() <= codec.NEWEST_FORMAT:
        numbering.store.note_end_if_free(numbering.room, position)


def _lacks_end(numbering: Numbering, tip: Oid) -> bool:
    noted = numbering.store.end(numbering.room)
    return numbering.store.tip(numbering.ref) == tip and (noted is None or noted.tip != tip)


def _is_near(numbering: Numbering, tip: Oid) -> bool:
    """Whether the index lacks few of the records up to ``tip``."""
    here = tip
    for _ in range(NEAR):
        parents = numbering.store.read(here).parents
        if not parents or numbering.is_indexed(here):
            return True
        here = parents[0]
    return False


def end_of(numbering: Numbering, tip: Oid | None, known: Known | None) -> Position:
    """The position that the next record follows, when the log is at ``tip``. With the write lock held.

    Neither counts nor asks the index: what is not noted must be ``known``. Without it, for who came too late again
    and again, it does both, as :func:`look`.

    Raises:
        Cold: the log does not end where it did when ``known`` was found out.
        FormatError: ``newer-format``, ``lost-ref``, and what Store.read raises.
    """
    position = _noted(numbering, tip)
    if position is not None:
        return position
    if known is None:
        return look(numbering).position
    if (known.tip, known.accepted) != (tip, _accepted(numbering)):
        raise Cold
    return known.position


def _accepted(numbering: Numbering) -> Oid | None:
    return numbering.tip() if numbering.tracking is not None else None


def _noted(numbering: Numbering, tip: Oid | None) -> Position | None:
    """What was noted of the log at ``tip``.

    Where the log here goes on from all that the authority has, what was noted with its last record holds: that was
    written by a version that knows the format.
    """
    if numbering.tracking is None:
        return numbering.noted(tip)
    noted = numbering.store.end(numbering.room)
    is_last = tip is not None and noted is not None and noted.tip == tip and numbering.is_within(tip)
    return noted if is_last else None


def _counted(numbering: Numbering, tip: Oid | None) -> Position:
    position, asked_format = numbering.counted(tip)
    _refuse_newer(numbering, asked_format)
    return position


def after_record(position: Position, oid: Oid, count: int, record: Record) -> Position:
    """What a room is after ``record``, at ``oid``, was added to it."""
    state, titled = meta_of(record.kind, record.extra)
    is_closed = position.is_closed if state is None else state == "closed"
    return Position(oid, count, position.is_plain, is_closed, oid if titled else position.title)


def _known_by_index(numbering: Numbering, tip: Oid | None) -> Position:
    """The end of all that is known here of a room with an authority."""
    accepted = numbering.tip()
    is_behind = accepted is not None and (tip is None or reach.is_ancestor(tip, accepted, numbering.store.step))
    state = numbering.state()
    _refuse_newer(numbering, numbering.asked_format())
    return replace(state, tip=accepted if is_behind else tip)


def _refuse_newer(numbering: Numbering, asked_format: int) -> None:
    if asked_format > codec.NEWEST_FORMAT:
        raise newer_format(numbering.room, asked_format)
