"""What is added to a room's log, in the one way there is: a record at its end, with its number.

No clock, no environment, no randomness: they come in as arguments.
Source: docs/format.md sections 6 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gitchat.model import attachment, codec
from gitchat.model.attachment import Objects
from gitchat.model.errors import ConflictError
from gitchat.model.names import Number, Oid, Uid, uid_from_key
from gitchat.model.question import as_answer
from gitchat.model.record import (
    DEFAULT_BODY_BYTES,
    META,
    Draft,
    Entry,
    Identity,
    Moment,
    Record,
)
from gitchat.model.secrets import OFF, Policy
from gitchat.model.signature import Signature
from gitchat.quick import rules
from gitchat.quick.unusual import Unusual
from gitchat.rooms import usual
from gitchat.rooms.ending import Cold, Known, after_record, end_of, look
from gitchat.rooms.keyed import AlreadySent, Keyed
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.refusing import checked_title, judge, refuse, sending_of
from gitchat.storage.checkpoint import Position

if TYPE_CHECKING:
    from gitchat.rooms.log import Log

_LOOKS = 3
"""How often a writer finds out about the end of a log, and comes too late, before it does that under the lock."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An acknowledged record: it is stored and its number is final."""

    entry: Entry
    is_repeat: bool
    """Whether an earlier send with the same key had stored it already."""


class Writer:
    """Who adds to the log of one room. The room exists from its first record on."""

    def __init__(
        self,
        numbering: Numbering,
        *,
        clock: Callable[[], Moment],
        new_uid: Callable[[], Uid],
        begins: Callable[[], object] = lambda: None,
        max_body_bytes: int = DEFAULT_BODY_BYTES,
        max_attachment_bytes: int = attachment.DEFAULT_BYTES,
        secrets: Policy = OFF,
    ) -> None:
        """``begins`` is called before the first record of a room, with the write lock held."""
        self.name = numbering.room
        self._numbering = numbering
        self._store = numbering.store
        self._clock = clock
        self._new_uid = new_uid
        self._begins = begins
        self._max_body_bytes = max_body_bytes
        self._max_attachment_bytes = max_attachment_bytes
        self._secrets = secrets

    def send(
        self,
        draft: Draft,
        sender: Identity,
        *,
        key: str | None = None,
        check: Callable[[Oid | None], None] = lambda tip: None,
    ) -> Sent:
        """Append a record and return it with its number. O(1) without a ``key``.

        ``key`` is the caller's own name for this message: sending it again returns the stored record instead of
        adding a second one. ``check`` is called with the write lock held, and what it raises of the tip ends the call.

        Raises:
            UserError: ``body-too-long``, ``secret``, ``room-closed``, ``not-asked``, ``not-a-choice``, and what
                attachment.check_sizes raises.
            ConflictError: ``key-conflict``, and what Store.move raises.
            FormatError: ``newer-format``, and what Store.read raises.
            StorageError: the disk refuses; nothing was added.
        """
        if not self._store.is_settled:
            from gitchat.rooms.aftermath import settle  # for who opened it while somebody else wrote

            settle(self._store)
        draft, answers = as_answer(draft, sender, lambda uid: self._log().with_uid(uid))
        sending = self._sending(draft, sender)
        sending.answers = answers
        judge(sending, self._secrets)
        attachment.check_sizes(draft.files, self._max_attachment_bytes)
        uid = uid_from_key(key, sender.clone) if key is not None else self._new_uid()
        record_of = partial(self._record, draft, sender, uid, self._clock())
        if key is None and not draft.files and not draft.excerpts and draft.work is None:
            with suppress(Unusual):
                return Sent(usual.add(self._numbering, record_of, sender, sending, check), is_repeat=False)
        record = record_of(None)
        try:
            for _ in range(_LOOKS):
                with suppress(Cold):
                    return self._send_after(look(self._numbering), draft, record, sender, sending, key, check)
            return self._send_after(None, draft, record, sender, sending, key, check)
        except AlreadySent as sent:
            return Sent(self._log().with_attachments(sent.entry), is_repeat=True)

    def _send_after(
        self,
        known: Known | None,
        draft: Draft,
        record: Record,
        sender: Identity,
        sending: rules.Sending,
        key: str | None,
        check: Callable[[Oid | None], None],
    ) -> Sent:
        """Append ``record`` by the long way. Raises Cold: the log does not end where it was ``known`` to."""
        if key is not None and known is not None:
            tree = self._objects(draft).tree
            self._keyed().refuse_second(record, key, tree)  # not under the lock, where others would wait for the index
        added: list[Entry] = []

        def append(tip: Oid | None) -> Oid:
            check(tip)
            objects = self._objects(draft)
            if key is not None:
                self._keyed().refuse_known(record, key, objects.tree, tip, known)
            self._before_first(tip, draft)
            position = end_of(self._numbering, tip, known)
            sending.is_closed = position.is_closed
            refuse(rules.refusal_at_end(sending))
            added[:] = [self._write_after(position, record, sender, objects)]
            return added[0].oid

        self._store.move(self._numbering.ref, append, f"gitchat: {draft.kind} from {sender.name}")
        return Sent(added[0], is_repeat=False)

    def describe(
        self, sender: Identity, *, title: str | None = None, state: str | None = None, stays_here: bool | None = None
    ) -> None:
        """Give the room a title, a state (``open`` or ``closed``), or say whether it ``stays_here``, in this clone.

        Makes the room when it is not there; adds nothing to one of which all that is so
        already. A title is one line of at most 200 characters.

        Raises:
            UserError: ``bad-title``, and what :meth:`send` raises.
            ConflictError: ``attached``: what shall stay here follows a remote.
        """
        trailers: list[tuple[str, str]] = []
        if title is not None:
            trailers.append((codec.TITLE, checked_title(title, self.name)))
        if state is not None:
            trailers.append((codec.STATE, state))
        if stays_here is not None and stays_here != self._numbering.stays_here():
            trailers.append((codec.LOCAL, str(stays_here).lower()))
        position = self._numbering.state()
        is_other = state is not None and position.is_closed != (state == "closed")
        if trailers and (position.tip is None or is_other or any(key != codec.STATE for key, _ in trailers)):
            body = "; ".join(f"{key.removeprefix('Chat-').lower()}: {value}" for key, value in trailers)
            self.send(Draft(body=body, kind=META, extra=tuple(trailers)), sender)

    def _before_first(self, tip: Oid | None, draft: Draft) -> None:
        """Let a room that begins follow whom it should, so that its first record waits for a number already.

        Raises:
            ConflictError: ``attached``: the record says that the room stays here, and it follows a remote.
        """
        stays_here = (codec.LOCAL, "true") in draft.extra
        if self._numbering.tracking is None:
            if tip is None and not stays_here and self._store.is_new(self.name):
                self._begins()
        elif stays_here:
            raise ConflictError(
                f"room '{self.name}' follows a remote, and what is said in it is for all who do",
                hint="keep another room here: git chat send --room OTHER --local TEXT",
                code="attached",
            )

    # --- what is refused -------------------------------------------------------

    def check(self, draft: Draft) -> None:
        """Raise UserError ``body-too-long`` or ``secret`` when no record of the room could hold this."""
        judge(self._sending(draft, None), self._secrets)

    def refuse_closed(self) -> None:
        """Raise UserError ``room-closed`` when the room is closed."""
        sending = self._sending(Draft(body="to ask"), None)
        sending.is_closed = self._numbering.state().is_closed
        refuse(rules.refusal_at_end(sending))

    def _sending(self, draft: Draft, sender: Identity | None) -> rules.Sending:
        return sending_of(self.name, draft, sender, max_body_bytes=self._max_body_bytes, secrets=self._secrets)

    def _keyed(self) -> Keyed:
        return Keyed(self._store, self._log)

    def _log(self) -> Log:
        from gitchat.rooms.log import Log  # for who sends with a key

        return Log(self._numbering)

    # --- the record ------------------------------------------------------------

    def _record(self, draft: Draft, sender: Identity, uid: Uid, written: Moment, number: Number | None) -> Record:
        return Record(
            kind=draft.kind,
            uid=uid,
            seq_hint=number,
            author=sender.name,
            email=sender.email,
            written=written,
            body=draft.body.encode("utf-8", "replace").decode(),
            to=draft.to,
            type=draft.type,
            reply_to=draft.reply_to,
            urgent=draft.urgent,
            commit=draft.commit,
            branch=draft.branch,
            work=draft.work.paths if draft.work is not None else None,
            clone=sender.clone,
            origin=sender.origin,
            media=draft.media,
            extra=draft.extra,
        )

    def _objects(self, draft: Draft) -> Objects:
        """What has to be stored before its commit can be."""
        like = self._store.empty_tree()
        beside = draft.work.build(like) if draft.work is not None else None
        return attachment.build(draft.files, like, draft.excerpts, beside)

    def _write_after(self, position: Position, record: Record, sender: Identity, objects: Objects) -> Entry:
        """Store the commit of ``record`` and note its position; nothing points to it yet."""
        tree = self._store.empty_tree()
        parent = position.tip or self._store.write_commit(codec.encode_genesis(self.name, tree))
        number = Number(position.count + 1) if self._numbering.tracking is None else None
        record = replace(record, seq_hint=number)
        committed = self._store.date_after([parent], record.written)
        committer = Signature(sender.committer_name, sender.committer_email, committed)
        for kind, content in objects.contents:
            self._store.write(kind, content)
        raw = codec.encode_record(record, tree=objects.tree or tree, parent=parent, committer=committer)
        oid = self._store.write_commit(raw)
        after = after_record(position, oid, position.count + 1, record)
        if number is not None:
            self._store.remember(self.name, [*self._store.positions(self.name), after])
        elif self._numbering.is_within(position.tip):
            self._store.note_end(self.name, after)
        return Entry(self.name, number, oid, committed.seconds, record, objects.tree, objects.attachments)
