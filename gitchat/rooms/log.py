"""A room's log, read: its records in their order.

No clock, no environment, no randomness; what adds to a log is :mod:`gitchat.rooms.writing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain as chain_of
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from gitchat.model import codec, purge
from gitchat.model.errors import FormatError, UserError
from gitchat.model.limits import OLDER_IN_A_ROW
from gitchat.model.names import EMPTY_TREES, Handle, Number, Oid, RoomName, Uid
from gitchat.model.query import Query
from gitchat.model.record import Entry, Record
from gitchat.rooms import hiding
from gitchat.rooms.numbering import Numbering
from gitchat.storage.checkpoint import Position

if TYPE_CHECKING:
    from gitchat.index.chain import Chain  # SQLite, which a plain log does without
    from gitchat.index.places import Place

REPLY_SEARCH = 1000
"""How many records before a listing are read to find the numbers of what it replies to."""

NEAR = 250
"""How many records back following parents is as quick as asking the index."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records of a room, oldest first, and what could not be shown."""

    entries: list[Entry]
    labels: dict[Uid, str]
    """The label of records that the entries reply to, as far as they were found."""
    damage: FormatError | None
    """What stopped the reading, when stored bytes are damaged or missing."""
    is_counted: bool = True
    """Whether the entries have their numbers; without them somebody has yet to count a long log."""


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


class Log:
    """The log of one room of a repository. The room exists from its first record on."""

    def __init__(self, numbering: Numbering) -> None:
        self.name = numbering.room
        self._numbering = numbering
        self._store = numbering.store

    # --- the room ------------------------------------------------------------

    def overview(self) -> Overview:
        """What a list of rooms shows. Reads the newest record and the one with the title.

        Raises:
            FormatError: what Store.read raises.
        """
        position = self._numbering.state()
        newest = self._store.read(position.tip).committer.moment.seconds if position.tip is not None else None
        title = self._store.read(position.title).value(codec.TITLE) if position.title is not None else None
        pending = len(self.pending())
        return Overview(self.name, title, position.is_closed, position.count, newest, pending)

    def count(self) -> int:
        """How many numbers were given: the number of the newest record, 0 without any."""
        return self._numbering.settled()[1].count

    def pending(self) -> list[Oid]:
        """The records that the authority has not accepted yet, oldest first; none without an authority."""
        return self._numbering.pending()

    def asides(self) -> list[Entry]:
        """The records that the authority does not take, and that were set aside, oldest first. Raises FormatError."""
        if self._numbering.tracking is None:
            return []
        from gitchat.rooms.aside import kept  # for who has a remote

        return [
            replace(self._entry(None, one.oid, one.commit), aside=one.why)
            for one in kept(self._store, self.name)
            if one.key not in {(entry.record.uid, entry.record.author) for entry in self._in_log(one.key[0])}
        ]

    # --- its records ---------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """All records, newest first. Reads one commit a record in a log without merges.

        Raises:
            FormatError: at the first commit that is damaged or missing.
        """
        tip, position = self._numbering.settled()
        numbered = self._plain_entries(position) if position.is_plain else self._ordered_entries(tip)
        waiting = (self._entry(None, oid, self._store.read(oid)) for oid in reversed(self.pending()))
        return hiding.newest_first(chain_of(waiting, numbered) if self._numbering.tracking is not None else numbered)

    def _plain_entries(self, position: Position) -> Iterator[Entry]:
        oid, number = position.tip, position.count
        while oid is not None:
            commit = self._store.read(oid)
            if commit.takes_number:
                yield self._entry(Number(number), oid, commit)
                number -= 1
            oid = commit.parents[0] if commit.parents else None

    def _ordered_entries(self, tip: Oid | None) -> Iterator[Entry]:
        chain = self._numbering.chain_at(tip)
        through = chain.count
        while through > 0:
            after = max(0, through - NEAR)
            for place in reversed(chain.select(after=after, limit=through - after)):
                yield self._entry(place.number, place.oid, self._store.read(place.oid))
            through = after

    def _entry(self, number: Number | None, oid: Oid, commit: codec.Commit, record: Record | None = None) -> Entry:
        tree = commit.tree if commit.tree not in EMPTY_TREES else None
        shown = purge.shown(record or codec.record_of(oid, commit))
        return Entry(self.name, number, oid, commit.committer.moment.seconds, shown, tree)

    def with_attachments(self, entry: Entry) -> Entry:
        """``entry`` with what it carries, of which no content is read."""
        return replace(entry, attachments=self._store.attachments(entry.tree)) if entry.tree is not None else entry

    def listing(self, query: Query, limit: int | None = None, *, waits: bool = True) -> Listing:
        """The newest ``limit`` records that match (all of them with None), oldest first.

        Unless it ``waits``, a log that takes long to count is shown without numbers, where the query asks for none.

        A damaged commit ends the reading and is reported in the listing; what is
        newer than it is still there.
        """
        found: list[Entry] = []
        labels: dict[Uid, str] = {}
        replies: set[Uid] = set()
        damage: FormatError | None = None
        is_done, older = False, 0
        is_counted = waits or limit is None or query.has_numbers or not self._takes_long()
        spare = REPLY_SEARCH if is_counted else 1
        try:
            for entry in chain_of(reversed(self.asides()), self.entries()) if is_counted else self.uncounted():
                labels[entry.record.uid] = entry.full_label
                older = older + 1 if query.is_exhausted_by(entry) else 0
                is_done = is_done or older > OLDER_IN_A_ROW or len(found) == limit
                if is_done:
                    spare -= 1
                elif query.matches(entry):
                    found.append(self.with_attachments(entry))
                    replies |= {entry.record.reply_to} if entry.record.reply_to else set()
                    is_done = len(found) == limit
                if is_done and (replies <= labels.keys() or spare == 0):
                    break
        except FormatError as error:
            damage = error
        found.reverse()
        return Listing(found, {uid: labels[uid] for uid in replies & labels.keys()}, damage, is_counted)

    def _takes_long(self) -> bool:
        from gitchat.rooms.uncounted import takes_long  # for who does not wait

        return takes_long(self._numbering)

    def uncounted(self) -> Iterator[Entry]:
        """All records, newest first, without numbers: of a log that nobody has counted yet. Raises FormatError."""
        from gitchat.rooms.uncounted import newest  # for who does not wait

        found = (self._entry(None, oid, commit) for oid, commit in newest(self._numbering))
        for entry in hiding.newest_first(found):
            yield replace(entry, record=replace(entry.record, seq_hint=None))  # it was no other number: it has none yet

    def about_commit(self, commit: str) -> Listing:
        """The records about a commit of the project (its full id), oldest first. Raises FormatError."""
        from gitchat.index.condition import Condition  # the index, which a plain log does without

        places = self.chain().select(Condition("commit_oid = ?", (commit,)))
        entries = self.entries_at(places)
        return Listing(entries, self.labels(entries), None)

    def newer(self, number: int) -> list[Entry]:
        """The records with a greater number, oldest first. Reads no others. Raises FormatError."""
        found = list(takewhile(lambda entry: entry.number is None or entry.number > number, self.entries()))
        return [self.with_attachments(entry) for entry in reversed(found)]

    def chain(self) -> Chain:
        """What the index knows of this log: what is numbered, and what is pending.

        Raises:
            FormatError: a commit that the index has not seen yet is missing or damaged.
        """
        return self._numbering.chain()

    def entry_at(self, number: Number, oid: Oid, is_pending: bool = False) -> Entry:
        """The record of a place in the chain, with its attachments. Raises FormatError."""
        return self.entries_at([(number, oid, is_pending)])[0]

    def entries_at(self, places: Sequence[tuple[Number, Oid, bool]], chain: Chain | None = None) -> list[Entry]:
        """The records of places in the chain, by default as it is now, with their attachments. Raises FormatError."""
        return [self.with_attachments(entry) for entry in self._at(places, chain)] if places else []

    def _at(self, places: Sequence[tuple[Number, Oid, bool]], chain: Chain | None = None) -> list[Entry]:
        """As :meth:`entries_at`, without attachments."""
        here, read = chain or self.chain(), self._store.read
        found = [self._entry(None if pending else n, oid, *here.taken(oid, read)) for n, oid, pending in places]
        return hiding.at(here, found, [place[0] for place in places])

    def find(self, locator: Number | Handle) -> Entry:
        """The record that a number or a handle names.

        Raises:
            UserError: ``no-such-record``, ``ambiguous-handle``.
            FormatError: a damaged commit came before it was found.
        """
        matches = self.with_uid(locator[1:]) if isinstance(locator, str) else self._with_number(locator)
        if not matches:
            raise self._no_such_record(locator)
        if len(matches) > 1:
            raise UserError(
                f"{locator} names {len(matches)} records in room '{self.name}'",
                hint="give more characters: " + " or ".join(f"~{entry.record.uid}" for entry in matches[:3]),
                code="ambiguous-handle",
            )
        return self.with_attachments(matches[0])

    def _with_number(self, number: Number) -> list[Entry]:
        _, position = self._numbering.settled()
        if not 0 < number <= position.count:
            return []
        if position.count - number < NEAR:
            return self._walk_to(number)
        try:
            oid = self.chain().oid_of(number)
        except FormatError:  # the index cannot be built; what is newer than the damage can still be found
            return self._walk_to(number)
        return self._at([(number, oid, False)]) if oid is not None else []

    def _walk_to(self, number: Number) -> list[Entry]:
        return list(islice((entry for entry in self.entries() if entry.number == number), 1))

    def with_uid(self, prefix: str) -> list[Entry]:
        """The records whose uid begins with ``prefix``, the oldest first, without their attachments.

        Those that are set aside come last.
        """
        aside = [entry for entry in self.asides() if entry.record.uid.startswith(prefix)]
        return [*self._in_log(prefix), *aside]

    def _in_log(self, prefix: str) -> list[Entry]:
        try:
            return self._at(self.chain().with_uid(prefix))
        except FormatError:
            return [entry for entry in self.entries() if entry.record.uid.startswith(prefix)]

    def labels(self, entries: Sequence[Entry], chain: Chain | None = None) -> dict[Uid, str]:
        """The labels of the records of ``chain``, or of all, that ``entries`` reply to: see Entry.full_label."""
        wanted = {entry.record.reply_to for entry in entries if entry.record.reply_to}
        try:
            found = (chain or self.chain()).numbered(wanted) if wanted else {}
        except FormatError:
            return {}
        return {uid: self._full_label(place) for uid, place in found.items()}

    def _full_label(self, place: Place) -> str:
        if self._numbering.tracking is not None:  # without a remote no number has ever changed
            with suppress(FormatError):
                return self._entry(place.number, place.oid, self._store.read(place.oid)).full_label
        return f"#{place.number}"

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
