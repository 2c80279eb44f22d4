"""A usual record, added by the quick way: no attachment, no key.

What the quick way does not do is no error here: it raises Unusual, and the caller goes the long way.
Source: docs/format.md sections 6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable

from gitchat.model import codec
from gitchat.model.names import Number, Oid
from gitchat.model.record import CLAIM, META, RELEASE, Entry, Identity, Record
from gitchat.quick import append, message, rules
from gitchat.quick.unusual import Unusual
from gitchat.rooms.numbering import Numbering


def add(
    numbering: Numbering,
    record_of: Callable[[Number | None], Record],
    sender: Identity,
    sending: rules.Sending,
    check: Callable[[Oid | None], None] = lambda tip: None,
) -> Entry:
    """Add the record that ``record_of`` gives for its number, and return it as it stands there.

    ``check`` is as for Writer.send. Raises Unusual: that is for the long way.
    """
    if sending.kind == META:
        raise Unusual
    is_tracked = False
    parent: Oid | None = None
    record: Record | None = None

    def ask() -> bool:
        nonlocal is_tracked
        is_tracked = numbering.tracking is not None
        return is_tracked

    def make(end: append.End) -> tuple[bytes, int]:
        nonlocal parent, record
        parent = Oid(end.tip)
        if is_tracked and not numbering.is_within(parent):
            raise Unusual
        check(parent)
        sending.is_closed = end.is_closed
        if rules.refusal_at_end(sending) is not None:
            raise Unusual
        record = record_of(None if is_tracked else Number(end.count + 1))
        committed = message.after(end.seconds, record.written.seconds)
        raw = message.commit(
            end.tip,
            (record.author, record.email),
            (record.written.seconds, record.written.offset_minutes),
            (sender.committer_name, sender.committer_email),
            committed,
            record.body,
            codec.block_of(record),
        )
        return raw, committed

    made = numbering.store.append(numbering.room, make, is_tracked=ask)
    assert record is not None
    assert parent is not None
    if record.kind not in (CLAIM, RELEASE):
        numbering.store.spoken = (Oid(made.oid), parent)
    number = None if is_tracked else Number(made.number)
    return Entry(numbering.room, number, Oid(made.oid), made.seconds, record)
