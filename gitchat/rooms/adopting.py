"""Records that were said elsewhere, added to a log many at a time: with their own authors, dates and uids.

Each batch is there as a whole or not at all. What the log has already, told by uid and author, is not added again.
Source: docs/format.md section 22.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from gitchat.index.condition import Condition
from gitchat.model import codec
from gitchat.model.errors import ConflictError
from gitchat.model.names import Number, Oid
from gitchat.model.record import Draft, Identity, Moment, Record
from gitchat.model.secrets import OFF
from gitchat.model.signature import Signature
from gitchat.quick import rules
from gitchat.rooms.ending import Cold, Known, after_record, end_of, look
from gitchat.rooms.log import Log
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.refusing import refuse, sending_of
from gitchat.storage.checkpoint import Position

_ATTEMPTS = 100
"""How often it begins anew because somebody wrote meanwhile."""


@dataclass(frozen=True, slots=True)
class Adopting:
    """Adds to one log what was said elsewhere."""

    numbering: Numbering
    committer: Identity
    """Who brings it, and vouches for it."""
    clock: Callable[[], Moment]
    begins: Callable[[], object]
    """Called before the first record of a room, with the write lock held."""

    def add(self, records: Sequence[Record]) -> int:
        """Add those of ``records`` that the log does not have, in their order: how many.

        What a record must fulfil is for the caller to see, but whether the room is open.

        Raises:
            UserError: ``room-closed``.
            ConflictError: ``busy``, and what Store.move raises.
            FormatError: ``newer-format``, and what Store.read raises.
            StorageError: the disk refuses; nothing of these was added.
        """
        for _ in range(_ATTEMPTS):
            known = look(self.numbering)
            fresh = self.unknown(records)
            if not fresh:
                return 0
            with suppress(Cold):
                self._add(fresh, known)
                return len(fresh)
        raise ConflictError("others write in this room all the time", hint="try again", code="busy")

    def unknown(self, records: Sequence[Record]) -> list[Record]:
        """Those of ``records`` that the log does not have, each once. Raises FormatError."""
        log = Log(self.numbering)
        uids = json.dumps([record.uid for record in records])
        places = log.chain().select(Condition("uid IN (SELECT value FROM json_each(?))", (uids,)))
        had = {(entry.record.uid, entry.record.author) for entry in (log.entry_at(*place) for place in places)}
        fresh: list[Record] = []
        for record in records:
            key = (record.uid, record.author)
            if key not in had:
                had.add(key)
                fresh.append(record)
        return fresh

    def _add(self, records: Sequence[Record], known: Known) -> None:
        """As :meth:`add`, where the log still ends as it is ``known`` to. Raises Cold where it does not."""
        store, room = self.numbering.store, self.numbering.room

        def append(tip: Oid | None) -> Oid:
            if tip != known.tip:
                raise Cold
            if tip is None and self.numbering.tracking is None and store.is_new(room):
                self.begins()
            position = end_of(self.numbering, tip, known)
            self._refuse_closed(position)
            tree, now = store.empty_tree(), self.clock()
            parent = position.tip or store.write_commit(codec.encode_genesis(room, tree))
            committed = store.date_after([parent], now)  # and so of all that follow
            committer = Signature(self.committer.committer_name, self.committer.committer_email, committed)
            for record in records:
                number = Number(position.count + 1) if self.numbering.tracking is None else None
                told = replace(record, seq_hint=number)
                raw = codec.encode_record(told, tree=tree, parent=parent, committer=committer)
                parent = store.write_commit(raw)
                position = after_record(position, parent, position.count + 1, told)
            if self.numbering.tracking is None:
                store.remember(room, [*store.positions(room), position])
            elif self.numbering.is_within(tip):
                store.note_end(room, position)
            return parent

        store.move(self.numbering.ref, append, f"gitchat: imported by {self.committer.name}")

    def _refuse_closed(self, position: Position) -> None:
        sending = sending_of(self.numbering.room, Draft(body="to ask"), None, max_body_bytes=0, secrets=OFF)
        sending.is_closed = position.is_closed
        refuse(rules.refusal_at_end(sending))
