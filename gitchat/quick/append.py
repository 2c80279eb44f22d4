"""A record added at the end of a log, in as few calls of the system as it takes.

The one quick way of server, library and command. It goes the steps of :meth:`gitchat.storage.refs.Refs.move`, with the
same bytes on disk, where nothing is out of the ordinary: a log that is loose, and of which the end is noted; in its
checkpoint, or in ``ends/`` where a remote gives the numbers. Whatever else is met raises Unusual, and nothing was
changed but, at most, an object more to which nothing points; then the long way does it, or says why not.

    write lock, no intent in it -> tip -> note of the end -> parent's date -> the caller's commit
    -> loose object -> journal, synced -> the note -> intent -> <ref>.lock -> compare -> swap -> intent gone

Before the ref moves the record is in the journal, whose sync is the only one: what a power cut takes of the rest is
made again from there (gitchat/rooms/aftermath.py). Where several write at once they wait for that sync beside each
other (:mod:`gitchat.quick.flight`). Source: docs/format.md sections 6 and 7.
"""

import os

from gitchat.quick import loose, swap, turn
from gitchat.quick.noted import CHECKPOINTS, ENDS, End, Entry, Note
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gitchat.quick.flight import Boarded

__all__ = ["CHECKPOINTS", "ENDS", "Appended", "End", "append"]

WAIT_SECONDS = 10.0
"""How long a writer waits for its turn. A turn takes milliseconds."""


class Appended:
    """A record that is acknowledged: it is stored, and its number is final, where this clone gives it."""

    __slots__ = ("journal_bytes", "number", "oid", "seconds", "written_bytes")

    def __init__(self, oid: str, number: int, seconds: int, journal_bytes: int, written_bytes: int) -> None:
        self.oid = oid
        self.number = number
        self.seconds = seconds
        """Its committer date."""
        self.journal_bytes = journal_bytes
        """How large the journal is now, and how much of that this record added."""
        self.written_bytes = written_bytes


def append(
    clone: Clone,
    ref: str,
    room: str,
    make: "Callable[[End], tuple[bytes, int]]",
    wait_seconds: float = WAIT_SECONDS,
    noted_in: "Callable[[], str]" = lambda: CHECKPOINTS,
) -> Appended:
    """Add the record whose commit and committer date ``make`` gives, once, with the write lock held.

    It has the empty tree, is no ``meta`` record, and its one parent is ``end.tip``. When ``make`` raises, nothing has
    changed. ``noted_in`` is called before it, with the lock held, too. With :data:`ENDS` ``make`` has to see to it that
    the log there goes on from all that the remote has. Raises Unusual: as above. What is acknowledged survives the
    process, and where the clone is synced the system, too.
    """
    lock, has_waited = turn.take(clone.common_dir + "/chatroom/write.lock", wait_seconds)
    try:
        if os.pread(lock, 1, 0):
            raise Unusual  # somebody died at this work
        directory = noted_in()
        clone.refuse_link(directory)
        tip = swap.tip(f"{clone.common_dir}/{ref}")
        boarded = _boarded(clone, tip, room, make, has_waited=has_waited) if directory != ENDS else None
        if boarded is None:
            return _add(clone, ref, room, make, directory, tip, lock)
    except OSError as refused:
        raise Unusual from refused
    finally:
        turn.give_back(lock)
    from gitchat.quick import flight

    flight.land(clone, ref, room, boarded)
    clone.last = (boarded.oid, boarded.seconds)
    entry = boarded.entry
    return Appended(boarded.oid, boarded.end.count + 1, boarded.seconds, entry.journal_bytes, entry.added_bytes)


def _boarded(
    clone: Clone, tip: str, room: str, make: "Callable[[End], tuple[bytes, int]]", *, has_waited: bool
) -> "Boarded | None":
    """The record on its way among others'; None where nobody else writes, or nobody waits for the disk."""
    if not clone.is_synced or not (has_waited or os.path.lexists(f"{clone.common_dir}/chatroom/flight-{room}")):
        return None
    from gitchat.quick import flight  # for who writes beside others

    chain = flight.Chain(clone, room)
    if not has_waited and tip not in chain.oids()[:-1]:
        return None
    return flight.board(clone, tip, chain, room, make)


def _add(
    clone: Clone,
    ref: str,
    room: str,
    make: "Callable[[End], tuple[bytes, int]]",
    noted_in: str,
    tip: str,
    lock: int,
) -> Appended:
    note = Note(clone, room, noted_in)
    try:
        end = note.end(clone, tip)
        raw, seconds = make(end)
        oid, framed = loose.frame(b"commit", raw)
        loose.write(clone.common_dir + "/objects", oid, framed)
        entry = Entry(clone, oid, raw)
        try:
            if clone.is_synced:
                entry.sync()
        finally:
            entry.close()
        note.add(end.line_after(oid))
    finally:
        note.close()
    swap.move(clone, ref, tip, oid, lock)
    clone.last = (oid, seconds)
    return Appended(oid, end.count + 1, seconds, entry.journal_bytes, entry.added_bytes)
