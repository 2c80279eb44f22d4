"""The newest records of a plain log, read from its end: what nearly every reading asks for, without the index.

A noted position tells how many records there are, and following parents what the newest of them say. So who reads ten
messages need not wait until they are rows of the index, which costs more than all else of a reading. What is asked
beyond that the index is asked, which then takes in what it lacks. The answers are the same, which
``tests/property/test_near.py`` holds. Source: docs/format.md sections 5 and 10.5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from gitchat.index.chain import Chain
from gitchat.index.condition import ANY, Condition, Spoken, Tally, statuses_for_nobody
from gitchat.index.database import Index
from gitchat.index.few import KEPT_BYTES
from gitchat.index.places import Place, Voice
from gitchat.index.view import Rows, Rule
from gitchat.model import codec
from gitchat.model.names import Number, Oid, RoomName, Uid
from gitchat.model.record import QUIET_KINDS, REDACT, STATUS, UNLISTED_KINDS, Record
from gitchat.rooms.hints import MOST, Hints
from gitchat.rooms.numbering import Numbering, rule
from gitchat.storage.checkpoint import Position

_STATUSES = statuses_for_nobody()


class _Told(NamedTuple):
    """What a record says to whom, without its text."""

    number: int
    oid: Oid
    uid: Uid
    author: str
    kind: str
    to: tuple[str, ...]
    urgent: bool
    reply: Uid | None
    voice: Voice


class Near(Chain):
    """The chain of a log without merges and repeated records, whose length is known. Holds what it has read."""

    def __init__(
        self,
        index: Rows,
        rule: Rule,
        room: RoomName,
        position: Position,
        read: Callable[[Oid], codec.Commit],
        hints: Hints,
    ) -> None:
        """``position`` is that of the log's end, and plain. Reads nothing yet."""
        super().__init__(index, room, position.tip, rule, None, count=position.count)
        self._room = room
        self._read = read
        self._hints = hints
        self._here = position.tip
        """The next commit of the walk; None where it ends."""
        self._low = position.count
        """How many records that reaches."""
        self._upto: dict[Oid, int] = {}
        """How many records a commit reaches, of those that were seen."""
        self._told: list[_Told] = []
        """The records that were read, from the newest on."""
        self._kept: dict[Oid, tuple[codec.Commit, Record]] = {}
        """Those that were not shown yet."""
        if position.tip is not None:
            self._upto[position.tip] = position.count

    def _step(self) -> bool:
        """Read one commit more; False where that were too many, or the log begins. Raises FormatError."""
        oid = self._here
        if oid is None or len(self._upto) > MOST:
            return False
        commit = self._read(oid)
        if len(commit.parents) != 1:
            self._here = None
            return False
        if commit.takes_number:
            record = codec.record_of(oid, commit)
            voice = Voice(record.clone, record.address)
            self._told.append(
                _Told(
                    self._low, oid, record.uid, record.author, record.kind, record.to, record.urgent,
                    record.reply_to, voice,
                )
            )  # fmt: skip
            if len(commit.body) <= KEPT_BYTES:
                self._kept[oid] = commit, record
            self._low -= 1
        self._here = commit.parents[0]
        self._hints.tell(oid, self._here, commit.kind)
        self._upto[self._here] = self._low
        return True

    def _find(self, oid: Oid, number: int | None) -> int | None:
        """How many records ``oid`` reaches, where it is near; None where it is not, as when ``number`` is far.

        Raises FormatError.
        """
        if number is not None and self.count - number > MOST:
            return None
        while oid not in self._upto:
            if not self._step():
                return None
        return self._upto[oid]

    def _after(self, number: int) -> list[_Told] | None:
        """The records behind a number, oldest first; None where they are too many. Raises FormatError."""
        if self.count - number > MOST:
            return None
        while self._low > number:
            if not self._step():
                return None
        return self._told[self.count - max(number, 0) - 1 :: -1] if self.count > number else []

    def take_in(self) -> None:
        """Let the index have all of this. Raises as Index.chain."""
        self._index.rows(self._view, self._rule, lambda database, extent: None)
        self._hints.taken_in[self._room] = self.count

    # --- what is asked ---------------------------------------------------------

    def taken(self, oid: Oid, read: Callable[[Oid], codec.Commit]) -> tuple[codec.Commit, Record]:
        """As Chain.taken."""
        return self._kept.pop(oid, None) or super().taken(oid, read)

    def select(
        self, condition: Condition = ANY, *, limit: int | None = None, newest: bool = False, after: int = 0
    ) -> list[Place]:
        """As Chain.select."""
        wanted = _meant(condition)
        told = self._after(after) if wanted is not None else None
        if told is None or wanted is None:
            return super().select(condition, limit=limit, newest=newest, after=after)
        found = [Place(Number(one.number), one.oid) for one in told if wanted(one)]
        if limit is None:
            return found
        return found[max(0, len(found) - limit) :] if newest else found[:limit]

    def count_of(self, condition: Condition = ANY, *, after: int = 0) -> int:
        """As Chain.count_of."""
        wanted = _meant(condition)
        told = self._after(after) if wanted is not None else None
        if told is None or wanted is None:
            return super().count_of(condition, after=after)
        return sum(map(wanted, told))

    def upto(self, oid: Oid) -> int | None:
        """As Chain.upto. Raises FormatError."""
        found = self._find(oid, self._hints.places.get(oid))
        if found is None:
            found = super().upto(oid)
        if found is not None:
            self._hints.place(oid, found)
        return found

    def commit_upto(self, number: int) -> Oid | None:
        """As Chain.commit_upto."""
        place = self.count - number
        if 0 <= place < len(self._told):
            return self._told[place].oid
        return super().commit_upto(number)

    def redactions(self, uids: Collection[str], after: int = 0) -> dict[Uid, list[tuple[int, str]]]:
        """As Chain.redactions."""
        if after < self._low:
            return super().redactions(uids, after)
        found: dict[Uid, list[tuple[int, str]]] = {}
        for one in reversed(self._told):
            if one.kind == REDACT and one.number > after and one.reply is not None and one.reply in uids:
                found.setdefault(one.reply, []).append((one.number, one.author))
        return found

    def numbered(self, uids: Collection[str]) -> dict[Uid, Place]:
        """As Chain.numbered."""
        found = {one.uid: Place(Number(one.number), one.oid) for one in self._told if one.uid in uids}
        return found if len(found) == len(set(uids)) else super().numbered(uids)

    def voices(self, author: str) -> list[Voice]:
        """As Chain.voices. What was asked once is added to by what ``author`` has said since. Raises FormatError."""
        tip, number, voices = self._hints.voices.get((self._room, author), (None, 0, []))
        if tip is not None and tip == self.tip:
            return voices
        known = self._find(tip, number) if tip is not None else None
        since = self._after(known) if known is not None else None
        if since is None:
            voices = super().voices(author)
        else:
            voices = list(dict.fromkeys([*voices, *(one.voice for one in since if one.author == author)]))
        if self.tip is not None:
            self._hints.voices[self._room, author] = self.tip, self.count, voices
        return voices


def _meant(condition: Condition) -> Callable[[_Told], bool] | None:
    """The records that a condition means, where that is told in other words than those of SQL."""
    if condition.tally is not None:
        tally = condition.tally
        return lambda one: _is_meant(one, tally)
    return _is_unheard_status if condition == _STATUSES else None


def _is_meant(one: _Told, tally: Tally) -> bool:
    """Whether a record is one of those of a tally; the rule of gitchat.index.tallies for a record that is at hand."""
    if one.kind in UNLISTED_KINDS or (tally.is_urgent and not one.urgent):
        return False
    is_for_us = any(name in one.to for name in tally.names) if one.to else one.kind not in QUIET_KINDS
    return is_for_us and not _is_spoken(one, tally.without)


def _is_spoken(one: _Told, by: Iterable[Spoken]) -> bool:
    return any(
        one.author == spoken.author
        and (spoken.voice is None or one.voice == spoken.voice)
        and (spoken.through is None or one.number <= spoken.through)
        for spoken in by
    )


def _is_unheard_status(one: _Told) -> bool:
    return one.kind == STATUS and not one.to


def near(numbering: Numbering, index: Index, hints: Hints) -> Chain:
    """What :meth:`Numbering.chain` gives, which reads the newest records itself where not only the index can tell them.

    It alone can in a room that a remote numbers, in a log with merges or copies, and where nobody has counted to the
    end. Now and then it takes in what it lacks, so that whoever asks it has little to wait for. Raises as
    Numbering.chain.
    """
    tip = numbering.store.tip(numbering.ref) if numbering.tracking is None else None
    position = numbering.noted(tip) if tip is not None else None
    if position is None or not position.is_plain:
        return numbering.chain()
    read = numbering.store.read
    found = Near(index, rule, numbering.room, position, lambda oid: index.taken(oid) or read(oid), hints)
    if hints.is_due(numbering.room, position.count):
        found.take_in()
    return found
