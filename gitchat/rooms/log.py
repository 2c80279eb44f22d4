"""A room's log: its records in their order, and the one way to add to it.

No clock, no environment, no randomness: they come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain as chain_of
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from gitchat.index.query import Query
from gitchat.model import attachment, codec, order, reach
from gitchat.model.attachment import Objects
from gitchat.model.errors import ConflictError, FormatError, UserError
from gitchat.model.names import (
    EMPTY_TREES,
    Handle,
    Number,
    Oid,
    RefName,
    RoomName,
    Uid,
    log_ref,
    uid_from_key,
)
from gitchat.model.record import (
    DEFAULT_BODY_BYTES,
    MAX_BODY_BYTES,
    MESSAGE,
    META,
    Draft,
    Entry,
    Identity,
    Moment,
    Record,
)
from gitchat.storage.checkpoint import EMPTY, Position
from gitchat.storage.store import Store

if TYPE_CHECKING:
    from gitchat.index.chain import Chain
    from gitchat.index.database import Index  # SQLite, which a plain send or log does without

REPLY_SEARCH = 1000
"""How many records before a listing are read to find the numbers of what it replies to."""

NEAR = 250
"""How many records back following parents is as quick as asking the index."""

LONG_WALK = 1000
"""From how many records on a reader, who takes no lock, notes what it has counted if it can."""

Progress = Callable[[int | None], None]
"""Told how many commits were read so far, every thousand, during a long walk; None when it is over."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An acknowledged record: it is stored and its number is final."""

    entry: Entry
    is_repeat: bool
    """Whether an earlier send with the same key had stored it already."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records of a room, oldest first, and what could not be shown."""

    entries: list[Entry]
    labels: dict[Uid, str]
    """The label of records that the entries reply to, as far as they were found."""
    damage: FormatError | None
    """What stopped the reading, when stored bytes are damaged or missing."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A room in a list of rooms."""

    name: RoomName
    title: str | None
    is_closed: bool
    count: int
    """The newest number."""
    active_seconds: int | None
    """The date of the newest record; None for a room without any."""
    pending: int = 0
    """Records that the room's authority has not accepted yet; they have no number."""


class _AlreadySent(Exception):
    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry


class Log:
    """The log of one room of a repository. The room exists from its first record on."""

    def __init__(
        self,
        store: Store,
        name: RoomName,
        *,
        clock: Callable[[], Moment],
        new_uid: Callable[[], Uid],
        index: Callable[[], Index],
        tracking: Callable[[], RefName | None] = lambda: None,
        max_body_bytes: int = DEFAULT_BODY_BYTES,
        max_attachment_bytes: int = attachment.DEFAULT_BYTES,
        progress: Progress = lambda count: None,
    ) -> None:
        """``index`` gives the clone's index; it is not called before it is needed.

        ``tracking`` gives the ref that tells how far the room's authority has accepted it; without
        one the log itself gives the numbers. It is asked each time: a room can be attached meanwhile.
        """
        self.name = name
        self._store = store
        self._ref = log_ref(name)
        self._find_tracking = tracking
        self._clock = clock
        self._new_uid = new_uid
        self._index = index
        self._max_body_bytes = max_body_bytes
        self._max_attachment_bytes = max_attachment_bytes
        self._progress = progress

    @property
    def _tracking(self) -> RefName | None:
        return self._find_tracking()

    # --- adding --------------------------------------------------------------

    def send(self, draft: Draft, sender: Identity, *, key: str | None = None) -> Sent:
        """Append a record and return it with its number. O(1) without a ``key``.

        ``key`` is the caller's own name for this message: sending it again returns
        the stored record instead of adding a second one.

        Raises:
            UserError: ``body-too-long``, ``room-closed``, and what attachment.check_sizes raises.
            ConflictError: ``key-conflict``, and what Store.move raises.
            FormatError: ``newer-format``, and what Store.read raises.
            StorageError: the disk refuses; nothing was added.
        """
        self.check_size(draft)
        attachment.check_sizes(draft.files, self._max_attachment_bytes)
        if key is not None:
            with suppress(FormatError):
                self.chain()  # not under the lock, where others would wait for it
        record = self._record(draft, sender, uid_from_key(key) if key is not None else self._new_uid())
        added: list[Entry] = []

        def append(tip: Oid | None) -> Oid:
            objects = attachment.build(draft.files, like=self._store.empty_tree())
            if key is not None:
                self._refuse_second(record, objects.tree)
            position = self._writable_position(tip) if self._tracking is None else self._pending_position(tip)
            self._refuse_closed(position, record.kind)
            added[:] = [self._write_after(position, record, sender, objects)]
            return added[0].oid

        try:
            self._store.move(self._ref, append, f"gitchat: {draft.kind} from {sender.name}")
        except _AlreadySent as sent:
            return Sent(self._with_attachments(sent.entry), is_repeat=True)
        return Sent(added[0], is_repeat=False)

    def check_size(self, draft: Draft) -> None:
        """Raise UserError ``body-too-long`` when the text is longer than the settings allow."""
        size = len(draft.body.encode("utf-8", "replace"))
        if size > self._max_body_bytes:
            raise UserError(
                f"the message has {size:,} bytes; the limit is {self._max_body_bytes:,}",
                hint=(
                    f"raise the limit: git config chat.maxBody {-(-size // 1024)}k"
                    if size <= MAX_BODY_BYTES
                    else "commit it as a file and send its path; no limit goes above 1 MiB"
                ),
                code="body-too-long",
            )

    def _record(self, draft: Draft, sender: Identity, uid: Uid) -> Record:
        return Record(
            kind=draft.kind,
            uid=uid,
            author=sender.name,
            email=sender.email,
            written=self._clock(),
            body=draft.body.encode("utf-8", "replace").decode(),
            to=draft.to,
            type=draft.type,
            reply_to=draft.reply_to,
            urgent=draft.urgent,
            commit=draft.commit,
            origin=sender.origin,
            media=draft.media,
            extra=draft.extra,
        )

    def _write_after(self, position: Position, record: Record, sender: Identity, objects: Objects) -> Entry:
        """Store the commit of ``record`` and note its position; nothing points to it yet."""
        tree = self._store.empty_tree()
        parent = position.tip or self._store.write_commit(codec.encode_genesis(self.name, tree))
        number = Number(position.count + 1) if self._tracking is None else None
        record = replace(record, seq_hint=number)
        # Never before a parent's: git's walks, and the stop of Query.is_exhausted_by, rely on it.
        committed = max(record.written.seconds, self._store.read(parent).committer.moment.seconds)
        committer = codec.Signature(
            sender.committer_name, sender.committer_email, replace(record.written, seconds=committed)
        )
        for kind, content in objects.contents:
            self._store.write(kind, content)
        raw = codec.encode_record(record, tree=objects.tree or tree, parent=parent, committer=committer)
        oid = self._store.write_commit(raw)
        if number is not None:
            self._note(position, oid, number, record)
        return Entry(self.name, number, oid, committed, record, objects.tree, objects.attachments)

    def _note(self, position: Position, oid: Oid, number: Number, record: Record) -> None:
        """Remember where a record will stand, before the ref moves to it."""
        state, titled = _meta_of(record.kind, record.extra)
        after = Position(
            oid,
            number,
            position.is_plain,
            position.is_closed if state is None else state == "closed",
            oid if titled else position.title,
        )
        self._store.remember(self.name, [*self._store.positions(self.name), after])

    def refuse_closed(self) -> None:
        """Raise UserError ``room-closed`` when the room is closed."""
        self._refuse_closed(self._state(), MESSAGE)

    def _refuse_closed(self, position: Position, kind: str) -> None:
        if position.is_closed and kind != META:
            raise UserError(
                f"room '{self.name}' is closed",
                hint=f"open it again: git chat room open {self.name}",
                code="room-closed",
            )

    def _refuse_second(self, record: Record, tree: Oid | None) -> None:
        """Raise _AlreadySent when the same author stored this uid before, ConflictError when it says otherwise."""
        for entry in self._with_uid(record.uid):
            stored = entry.record
            if stored.author != record.author:
                continue
            is_same = (stored.body, stored.to) == (record.body, record.to)
            if not is_same or entry.tree != tree:
                other = "carries other files" if is_same else "says something else or goes to somebody else"
                raise ConflictError(
                    f"{entry.label} was sent with the same key, and {other}",
                    hint=f"see it: git chat show '{entry.label}'; or send with another key",
                    code="key-conflict",
                )
            raise _AlreadySent(entry)

    # --- the room itself -------------------------------------------------------

    def describe(self, sender: Identity, *, title: str | None = None, state: str | None = None) -> Overview:
        """Give the room a title, a state (``open`` or ``closed``), or both, and return what it is then.

        Makes the room when it is not there; adds nothing to one that is in that state
        already. A title is one line of at most 200 characters.

        Raises:
            UserError: ``bad-title``, and what :meth:`send` raises.
        """
        trailers: list[tuple[str, str]] = []
        if title is not None:
            trailers.append((codec.TITLE, _checked_title(title)))
        if state is not None:
            trailers.append((codec.STATE, state))
        position = self._state()
        if title is not None or position.tip is None or position.is_closed != (state == "closed"):
            body = "; ".join(f"{key.removeprefix('Chat-').lower()}: {value}" for key, value in trailers)
            self.send(Draft(body=body, kind=META, extra=tuple(trailers)), sender)
        return self.overview()

    def overview(self) -> Overview:
        """What a list of rooms shows. Reads the newest record and the one with the title.

        Raises:
            FormatError: what Store.read raises.
        """
        position = self._state()
        newest = self._store.read(position.tip).committer.moment.seconds if position.tip is not None else None
        title = self._store.read(position.title).value(codec.TITLE) if position.title is not None else None
        pending = len(self.pending())
        return Overview(self.name, title, position.is_closed, position.count, newest, pending)

    # --- positions -----------------------------------------------------------

    def count(self) -> int:
        """How many numbers were given: the number of the newest record, 0 without any."""
        return self._settled()[1].count

    def _numbered_tip(self) -> Oid | None:
        """The commit up to which records have numbers."""
        return self._store.tip(self._tracking or self._ref)

    def _settled(self) -> tuple[Oid | None, Position]:
        """The tip of what is numbered, and its position. A writer may pass between reading the two: look again."""
        for _ in range(5):
            tip = self._numbered_tip()
            position = self._remembered(tip)
            if position is not None:
                return tip, position
            if tip == self._numbered_tip():
                break
        if self._tracking is not None:
            return tip, self._indexed(tip)
        position, needed_format = self._survey(tip)
        if position.count >= LONG_WALK and needed_format == codec.FORMAT:
            self._store.remember_if_free(self.name, position)
        return tip, position

    def _indexed(self, tip: Oid | None) -> Position:
        """The position of a fetched tip, of which the index reads only what is new."""
        chain = self._index().chain(self.name, tip, rule)
        from gitchat.index.condition import of_kinds

        state, title = self._said([place.oid for place in chain.select(of_kinds([META]))])
        is_plain = chain.is_plain()
        position = Position(tip, chain.count, is_plain, state == "closed", title)
        self._store.remember_if_free(self.name, position)
        return position

    def _said(self, metas: Sequence[Oid]) -> tuple[str | None, Oid | None]:
        """The last state and the last title that these records give their room, which are in order."""
        state: str | None = None
        title: Oid | None = None
        for oid in metas:
            new, is_titled = _meta_of(META, self._store.read(oid).block or ())
            state, title = new or state, oid if is_titled else title
        return state, title

    def _state(self) -> Position:
        """What the room is for who looks from here: what is numbered, and what pending records say of it."""
        position = self._settled()[1]
        pending = [(oid, self._store.read(oid)) for oid in self.pending()]
        if not pending:
            return position
        state, title = self._said([oid for oid, commit in pending if commit.kind == META])
        is_closed = position.is_closed if state is None else state == "closed"
        return replace(position, tip=pending[-1][0], is_closed=is_closed, title=title or position.title)

    def pending(self) -> list[Oid]:
        """The records that the authority has not accepted yet, oldest first; none without an authority."""
        local = self._store.tip(self._ref) if self._tracking is not None else None
        tip = self._numbered_tip()
        if local is None or local == tip:
            return []
        if tip is not None and reach.is_ancestor(local, tip, self._store.step):
            return []
        # A copy of what is numbered already is nothing new; only the index knows all uids.
        chain = self.chain()
        return [place.oid for place in chain.select(after=chain.count)]

    def _pending_position(self, tip: Oid | None) -> Position:
        """Where the next record goes in a room with an authority: after all that is known here.

        Raises:
            FormatError: ``newer-format``.
        """
        accepted = self._numbered_tip()
        is_behind = accepted is not None and (tip is None or reach.is_ancestor(tip, accepted, self._store.step))
        state = self._state()
        self._refuse_newer(self._asked_format())
        return replace(state, tip=accepted if is_behind else tip)

    def _asked_format(self) -> int:
        """The format that the genesis and the meta records of this log ask writers to know."""
        from gitchat.index.condition import of_kinds

        chain = self.chain()
        asking = [self._store.read(place.oid) for place in chain.select(of_kinds([META]))]
        for first in chain.select(limit=1):
            asking += [self._store.read(parent) for parent in self._store.read(first.oid).parents[:1]]
        return max([_needed_format(commit) for commit in asking], default=codec.FORMAT)

    def _remembered(self, tip: Oid | None) -> Position | None:
        if tip is None:
            return EMPTY if self._store.is_new(self.name) else None
        return next((known for known in self._store.positions(self.name) if known.tip == tip), None)

    def _writable_position(self, tip: Oid | None) -> Position:
        position = self._remembered(tip)
        if position is not None:
            return position
        position, needed_format = self._survey(tip)
        self._refuse_newer(needed_format)
        self._store.remember(self.name, [position])
        return position

    def _refuse_newer(self, needed_format: int) -> None:
        if needed_format > codec.FORMAT:
            raise FormatError(
                f"room '{self.name}' is written in format {needed_format}; this gitchat writes format {codec.FORMAT}",
                hint="upgrade: pip install --upgrade git-chatroom",
                code="newer-format",
            )

    def _survey(self, tip: Oid | None) -> tuple[Position, int]:
        """Count the whole log, and find the format that its writers ask for. Reads every commit once."""
        nodes: dict[Oid, order.Node] = {}
        metas: dict[Oid, tuple[str | None, bool]] = {}
        needed_format, has_merge = codec.FORMAT, False

        def node_of(oid: Oid) -> order.Node:
            nonlocal needed_format, has_merge
            if oid not in nodes:
                commit = self._store.read(oid)
                needed_format = max(needed_format, _needed_format(commit))
                has_merge = has_merge or len(commit.parents) > 1
                if commit.kind == META:
                    metas[oid] = _meta_of(META, commit.block or ())
                nodes[oid] = rule(oid, commit)
                if len(nodes) % 1000 == 0:
                    self._progress(len(nodes))
            return nodes[oid]

        ordered = order.linearize(tip, node_of)
        self._progress(None)
        kept = order.drop_repeated(ordered, node_of)
        is_plain = not has_merge and len(kept) == len(ordered)
        said = [(oid, *metas[oid]) for oid in kept if oid in metas]
        states = [state for _, state, _ in said if state is not None]
        titles = [oid for oid, _, titled in said if titled]
        is_closed = states[-1:] == ["closed"]
        return Position(tip, len(kept), is_plain, is_closed, titles[-1] if titles else None), needed_format

    # --- reading -------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """All records, newest first. Reads one commit a record in a log without merges.

        Raises:
            FormatError: at the first commit that is damaged or missing.
        """
        tip, position = self._settled()
        numbered = self._plain_entries(position) if position.is_plain else self._ordered_entries(tip)
        waiting = (self._entry(None, oid, self._store.read(oid)) for oid in reversed(self.pending()))
        return chain_of(waiting, numbered) if self._tracking is not None else numbered

    def _plain_entries(self, position: Position) -> Iterator[Entry]:
        oid, number = position.tip, position.count
        while oid is not None:
            commit = self._store.read(oid)
            if commit.takes_number:
                yield self._entry(Number(number), oid, commit)
                number -= 1
            oid = commit.parents[0] if commit.parents else None

    def _ordered_entries(self, tip: Oid | None) -> Iterator[Entry]:
        chain = self._index().chain(self.name, tip, rule)
        through = chain.count
        while through > 0:
            after = max(0, through - NEAR)
            for place in reversed(chain.select(after=after, limit=through - after)):
                yield self._entry(place.number, place.oid, self._store.read(place.oid))
            through = after

    def _entry(self, number: Number | None, oid: Oid, commit: codec.Commit) -> Entry:
        tree = commit.tree if commit.tree not in EMPTY_TREES else None
        return Entry(self.name, number, oid, commit.committer.moment.seconds, codec.record_of(oid, commit), tree)

    def _with_attachments(self, entry: Entry) -> Entry:
        return replace(entry, attachments=self._store.attachments(entry.tree)) if entry.tree is not None else entry

    def listing(self, query: Query, limit: int | None = None) -> Listing:
        """The newest ``limit`` records that match (all of them with None), oldest first.

        A damaged commit ends the reading and is reported in the listing; what is
        newer than it is still there.
        """
        found: list[Entry] = []
        labels: dict[Uid, str] = {}
        replies: set[Uid] = set()
        damage: FormatError | None = None
        is_done = False
        spare = REPLY_SEARCH
        try:
            for entry in self.entries():
                labels[entry.record.uid] = entry.label
                is_done = is_done or query.is_exhausted_by(entry) or len(found) == limit
                if is_done:
                    spare -= 1
                elif query.matches(entry):
                    found.append(self._with_attachments(entry))
                    replies |= {entry.record.reply_to} if entry.record.reply_to else set()
                    is_done = len(found) == limit
                if is_done and (replies <= labels.keys() or spare == 0):
                    break
        except FormatError as error:
            damage = error
        found.reverse()
        return Listing(found, {uid: labels[uid] for uid in replies & labels.keys()}, damage)

    def about_commit(self, commit: str) -> Listing:
        """The records about a commit of the project (its full id), oldest first. Raises FormatError."""
        from gitchat.index.condition import Condition

        places = self.chain().select(Condition("commit_oid = ?", (commit,)))
        entries = [self.entry_at(*place) for place in places]
        return Listing(entries, self.labels(entries), None)

    def newer(self, number: int) -> list[Entry]:
        """The records with a greater number, oldest first. Reads no others. Raises FormatError."""
        found = list(takewhile(lambda entry: entry.number is None or entry.number > number, self.entries()))
        return [self._with_attachments(entry) for entry in reversed(found)]

    def chain(self) -> Chain:
        """What the index knows of this log: what is numbered, and what is pending.

        Raises:
            FormatError: a commit that the index has not seen yet is missing or damaged.
        """
        local = self._store.tip(self._ref) if self._tracking is not None else None
        return self._index().chain(self.name, self._numbered_tip(), rule, local)

    def entry_at(self, number: Number, oid: Oid, is_pending: bool = False) -> Entry:
        """The record of a place in the chain, with its attachments. Raises FormatError."""
        return self._with_attachments(self._entry(None if is_pending else number, oid, self._store.read(oid)))

    def find(self, locator: Number | Handle) -> Entry:
        """The record that a number or a handle names.

        Raises:
            UserError: ``no-such-record``, ``ambiguous-handle``.
            FormatError: a damaged commit came before it was found.
        """
        matches = self._with_uid(locator[1:]) if isinstance(locator, str) else self._with_number(locator)
        if not matches:
            raise self._no_such_record(locator)
        if len(matches) > 1:
            raise UserError(
                f"{locator} names {len(matches)} records in room '{self.name}'",
                hint="give more characters: " + " or ".join(f"~{entry.record.uid}" for entry in matches[:3]),
                code="ambiguous-handle",
            )
        return self._with_attachments(matches[0])

    def _with_number(self, number: Number) -> list[Entry]:
        _, position = self._settled()
        if not 0 < number <= position.count:
            return []
        if position.count - number < NEAR:
            return self._walk_to(number)
        try:
            oid = self.chain().oid_of(number)
        except FormatError:  # the index cannot be built; what is newer than the damage can still be found
            return self._walk_to(number)
        return [self._entry(number, oid, self._store.read(oid))] if oid is not None else []

    def _walk_to(self, number: Number) -> list[Entry]:
        return list(islice((entry for entry in self.entries() if entry.number == number), 1))

    def _with_uid(self, prefix: str) -> list[Entry]:
        """The records whose uid begins with ``prefix``, the oldest first."""
        try:
            return [
                self._entry(None if place.is_pending else place.number, place.oid, self._store.read(place.oid))
                for place in self.chain().with_uid(prefix)
            ]
        except FormatError:
            return [entry for entry in self.entries() if entry.record.uid.startswith(prefix)]

    def labels(self, entries: Sequence[Entry]) -> dict[Uid, str]:
        """The labels of the records that ``entries`` reply to, as far as they can be found."""
        wanted = {entry.record.reply_to for entry in entries if entry.record.reply_to}
        try:
            return {uid: f"#{number}" for uid, number in self.chain().numbers_of(wanted).items()} if wanted else {}
        except FormatError:
            return {}

    def _no_such_record(self, locator: Number | Handle) -> UserError:
        shown = locator if isinstance(locator, str) else f"#{locator}"
        newest = self.count()
        return UserError(
            f"no record {shown} in room '{self.name}'",
            hint=(
                f"its newest record is #{newest}: git chat log --room {self.name}"
                if newest
                else f'the room is empty; begin it: git chat send --room {self.name} "hello"'
            ),
            code="no-such-record",
        )


def _checked_title(text: str) -> str:
    title = text.strip()
    if title and len(title) <= 200 and not any(unsafe < " " or "\x7f" <= unsafe <= "\x9f" for unsafe in title):
        return title
    raise UserError(
        "a title is one line of 1 to 200 characters without control characters",
        hint='for example: git chat room title release "Release 1.0"',
        code="bad-title",
    )


def rule(oid: Oid, commit: codec.Commit) -> order.Node:
    """What the order rule has to know of a commit of a log. Source: docs/format.md section 5."""
    return order.Node(commit.parents, codec.identity_key(oid, commit) if commit.takes_number else None)


def _meta_of(kind: str, trailers: Iterable[tuple[str, str]]) -> tuple[str | None, bool]:
    """The state that a record gives its room (``open``, ``closed`` or None), and whether it gives a title."""
    values = dict(reversed(list(trailers))) if kind == META else {}
    state = values.get(codec.STATE)
    return (state if state in ("open", "closed") else None), codec.TITLE in values


def _needed_format(commit: codec.Commit) -> int:
    """The format that a genesis or a meta record asks writers to know."""
    key = {"genesis": "Chat-Format", "meta": "Chat-Format-Min"}.get(commit.kind or "")
    value = commit.value(key) if key else None
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else codec.FORMAT
