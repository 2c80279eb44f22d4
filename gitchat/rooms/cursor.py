"""How far a participant has read a room, and what it has not read.

A cursor is a ref. It points to a commit of the log, and everything that this commit
reaches is read; or to a cursor commit, whose parents are what is read, where no commit of
the log says it (in the middle of what a merge brought in, or where two clones' cursors
were joined). A cursor only moves forward, and its old value is always an ancestor of its
new one, so that it can be pushed.

What is not read is a set, told by reachability and never by comparing numbers: a record
that the cursor does not reach, and no copy of which (same uid and author) it reaches.
Source: docs/format.md section 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition
from gitchat.index.places import Place
from gitchat.model import codec, reach
from gitchat.model.names import Name, Oid, RefName, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import cursor_ref
from gitchat.model.signature import Signature
from gitchat.storage.store import Store


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one participant has not read of a room, at one moment."""

    chain: Chain
    numbers: Sequence[int]
    """The places of the records that are not read, whoever they are for, ascending."""

    @property
    def last_read(self) -> int:
        """The greatest n for which all of the numbers 1 to n are read; 0 when nothing is."""
        return min(self.read_places, self.chain.count)

    @property
    def read_places(self) -> int:
        """As :attr:`last_read`, with the places of pending records."""
        return self.numbers[0] - 1 if self.numbers else self.chain.total

    def select(self, condition: Condition, limit: int | None = None) -> list[Place]:
        """The oldest ``limit`` of those that fulfil ``condition``, oldest first."""
        if isinstance(self.numbers, range):
            return self.chain.select(condition, after=self.read_places, limit=limit)
        numbers = set(self.numbers)
        found = self.chain.select(condition, after=self.read_places)
        return [place for place in found if place.number in numbers][:limit]

    def count_of(self, condition: Condition) -> int:
        """How many of those fulfil ``condition``."""
        if isinstance(self.numbers, range):
            return self.chain.count_of(condition, after=self.read_places)
        return len(self.select(condition))


def beyond(store: Store, chain: Chain, values: Sequence[Oid]) -> Backlog:
    """The records of ``chain`` that none of ``values`` reaches, and of which they reach no copy.

    Reads what is beyond them where the log was merged, else nothing.

    Raises:
        FormatError: one of the commits is damaged or missing.
    """
    upto = chain.upto(values[0]) if len(values) == 1 else None if values else 0
    if upto is not None:
        return Backlog(chain, range(upto + 1, chain.total + 1))
    rows = chain.rows_of(_unreached(store, chain, values))
    numbers = {oid: row.number for oid, row in rows.items() if row.number is not None}
    for oid, copies in chain.copies(numbers).items():
        if any(copy not in rows for copy in copies):
            del numbers[oid]
    for oid in _read_elsewhere(store, chain, values):
        numbers.pop(oid, None)
    return Backlog(chain, sorted(numbers.values()))


def _read_elsewhere(store: Store, chain: Chain, values: Sequence[Oid]) -> Iterator[Oid]:
    """Copies here of records that ``values`` reach and the log here does not have: a cursor can come before its log."""
    for oid in reach.difference(values, chain.tips, store.step):
        commit = store.read(oid)
        if commit.takes_number:
            key = codec.identity_key(oid, commit)
            here = [place.oid for place in chain.with_uid(key[0])]
            yield from (copy for copy in here if codec.identity_key(copy, store.read(copy)) == key)


def _directly(chain: Chain, old: Oid | None, number: int) -> Oid | None:
    """The commit of the log that says up to where is read who has read ``old``; None where none does."""
    return chain.commit_upto(number) if old is None or chain.upto(old) is not None else None


def _unreached(store: Store, chain: Chain, values: Sequence[Oid]) -> dict[Oid, reach.Step]:
    return reach.difference(chain.tips, values, store.step)


class Cursor:
    """The cursor of one participant in one room: what all clones know of how far that name has read."""

    def __init__(self, store: Store, room: RoomName, name: Name, ref: RefName | None = None) -> None:
        """``ref`` is where it stands, when that is not the one that all clones share."""
        self._store = store
        self._name = name
        self._ref = ref or cursor_ref(room, name)

    @property
    def value(self) -> Oid | None:
        """The commit that the ref points to; None before anything was marked. Raises FormatError."""
        return self._store.tip(self._ref)

    def backlog(self, chain: Chain) -> Backlog:
        """What is not read of ``chain``. Raises FormatError, as :func:`beyond`."""
        return self._beyond(chain, self.value)

    def _beyond(self, chain: Chain, value: Oid | None) -> Backlog:
        return beyond(self._store, chain, [value] if value is not None else [])

    def advance(self, chain: Chain, number: int, reader: Identity, now: Moment) -> Backlog:
        """Mark every record up to the place ``number`` as read, and return what is left.

        In a log without merges that makes no commit. Never moves back: what is read
        stays read, whoever moved the cursor meanwhile.

        Raises:
            FormatError: as :meth:`backlog`.
            ConflictError, StorageError: as Store.move.
        """
        value = self.value
        backlog = self._beyond(chain, value)
        if backlog.read_places >= number:
            return backlog

        def forward(old: Oid | None) -> Oid:
            left = backlog if old == value else self._beyond(chain, old)
            if left.read_places >= number and old is not None:
                return old
            return _directly(chain, old, number) or self._covering(chain, old, number, reader, now)

        moved = _directly(chain, value, number) if value is not None else None
        if value is None or moved is None or not self._store.shift(self._ref, value, moved):
            moved = self._store.move(self._ref, forward, f"gitchat: {self._name} has read to {number}")
        return self._beyond(chain, moved)

    def _covering(self, chain: Chain, old: Oid | None, number: int, reader: Identity, now: Moment) -> Oid:
        """A commit that reaches what ``old`` does and the unread records up to ``number``, and no other record."""
        steps = _unreached(self._store, chain, [old] if old is not None else [])
        rows = chain.rows_of(steps)
        limit = max((row.place for row in rows.values() if row.number is not None and row.number <= number), default=0)
        covered: dict[Oid, None] = {}
        for oid in sorted(steps, key=lambda oid: rows[oid].place):
            row = rows[oid]
            is_reached = all(parent in covered or parent not in steps for parent in steps[oid].parents)
            if row.place <= limit if row.is_record else is_reached:
                covered[oid] = None
        heads = reach.frontier(covered, lambda oid: steps[oid].parents)
        if not heads:
            assert old is not None
            return old
        is_continued = old is None or any(reach.is_ancestor(old, head, self._store.step) for head in heads)
        if len(heads) == 1 and is_continued:
            return heads[0]
        read = min(number, chain.count)
        parents = (*(() if is_continued or old is None else (old,)), *heads)
        return self._write(parents, f"{self._name} has read to {read}", read, reader, now)

    def _write(self, parents: tuple[Oid, ...], body: str, read: int, reader: Identity, now: Moment) -> Oid:
        """A commit of what is read, up to the number ``read``, which is a hint for people."""
        committed = self._store.date_after(parents, now)
        return self._store.write_commit(
            codec.encode_commit(
                tree=self._store.empty_tree(),
                parents=parents,
                author=Signature(self._name, reader.email, now),
                committer=Signature(reader.committer_name, reader.committer_email, committed),
                body=body,
                block=(
                    ("Chat-Kind", "cursor"),
                    ("Chat-Cursor", self._name),
                    ("Chat-Read", str(read)),
                ),
            )
        )
