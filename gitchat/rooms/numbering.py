"""Which commits of a room's log have a number, how many they are, and what they say of the room.

Who reads a log and who adds to it ask here, and agree. A position that was noted (the
checkpoint) answers without walking; without one the log is counted, commit by commit, or by
the index where a remote gives the numbers: then what came since is read alone.

Source: docs/format.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitchat.model import codec, order, reach
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import META
from gitchat.model.refs import log_ref
from gitchat.rooms import lengthy
from gitchat.rooms.surveying import Progress, meta_of, needed_format, survey_line
from gitchat.storage.checkpoint import EMPTY, Position
from gitchat.storage.store import Store

if TYPE_CHECKING:
    from gitchat.index.chain import Chain
    from gitchat.index.database import Index  # SQLite, which a plain send or log does without

LONG_WALK = 1000
"""From how many records on a reader, who takes no lock, notes what it has counted if it can."""

MOST_IN_MEMORY = 50_000
"""Of how many commits of a log with merges the order is worked out in memory: 40 MB. The index does it in stages."""


class _TooLong(Exception):
    """There are more commits than are kept in memory."""


class Numbering:
    """What gives the log of one room its numbers: the log itself, or the room's authority."""

    def __init__(
        self,
        store: Store,
        room: RoomName,
        *,
        index: Callable[[], Index],
        tracking: Callable[[], RefName | None] = lambda: None,
        progress: Progress = lambda count: None,
        counts_itself: bool = True,
    ) -> None:
        """``index`` gives the clone's index; it is not called before it is needed.

        ``tracking`` gives the ref that tells how far the room's authority has accepted it; without
        one the log itself gives the numbers. It is asked each time: a room can be attached meanwhile.
        Who does not ``counts_itself`` leaves a long log to the process that takes it into the index.
        """
        self.store = store
        self.room = room
        self.ref = log_ref(room)
        self._find_tracking = tracking
        self._index = index
        self._progress = progress
        self._counts_itself = counts_itself

    # --- what has a number -----------------------------------------------------

    @property
    def tracking(self) -> RefName | None:
        """The ref of the room's authority; None where the log itself gives the numbers."""
        return self._find_tracking()

    def tip(self) -> Oid | None:
        """The commit up to which records have numbers."""
        return self.store.tip(self.tracking or self.ref)

    def is_within(self, tip: Oid | None) -> bool:
        """Whether all that is numbered is in the history of ``tip``. Raises FormatError."""
        numbered = self.tip()
        return numbered is None or (tip is not None and reach.is_ancestor(numbered, tip, self.store.step))

    def settled(self) -> tuple[Oid | None, Position]:
        """The tip of what is numbered, and its position. Raises FormatError.

        A writer may pass between reading the two: look again.
        """
        for _ in range(5):
            tip = self.tip()
            position = self.noted(tip)
            if position is not None:
                return tip, position
            if tip == self.tip():
                break
        if self.tracking is not None:
            return tip, self._indexed(tip)
        position, needed_format = self.counted(tip)
        if position.count >= LONG_WALK and needed_format <= codec.NEWEST_FORMAT:
            self.store.remember_if_free(self.room, position)
        return tip, position

    def noted(self, tip: Oid | None) -> Position | None:
        """The position of ``tip``, if somebody has noted it. Raises FormatError ``lost-ref``."""
        if tip is None:
            return EMPTY if self.store.is_new(self.room) else None
        return next((known for known in self.store.positions(self.room) if known.tip == tip), None)

    def counted(self, tip: Oid | None) -> tuple[Position, int]:
        """The position of a log that numbers itself, and the format that its writers ask for. Raises as :meth:`chain`.

        Where many come to a long one in a new clone, one process takes it into the index, and nobody else walks it.
        """
        # SQLite is loaded for an index that is there, or is waited for, and for nothing else.
        is_here = tip is not None and any(self.store.directory.glob("index.*.db")) and self._index().has(self.room, tip)
        is_aside = not self._counts_itself or lengthy.is_taken_in(self.store)
        is_asked = is_here or (is_aside and lengthy.is_long(self.store, tip))
        return (self._place_of(tip), self.asked_format(tip)) if is_asked else self.survey(tip)

    def survey(self, tip: Oid | None) -> tuple[Position, int]:
        """Count the whole log, and find the format that its writers ask for. Reads every commit once.

        One with merges, or with copies of records, is kept in memory for that, and what went before is read twice; the
        index takes in one that is long.
        """
        found = survey_line(self.store, tip, self._progress)
        if found is not None:
            return found
        try:
            return self._survey_any(tip)
        except _TooLong:
            return self._indexed(tip), self.asked_format(tip)

    def _survey_any(self, tip: Oid | None) -> tuple[Position, int]:
        nodes: dict[Oid, order.Node] = {}
        metas: dict[Oid, tuple[str | None, bool]] = {}
        asked_format, has_merge = codec.FORMAT, False

        def node_of(oid: Oid) -> order.Node:
            nonlocal asked_format, has_merge
            if oid not in nodes:
                if len(nodes) >= MOST_IN_MEMORY:
                    raise _TooLong
                commit = self.store.read(oid)
                asked_format = max(asked_format, needed_format(commit))
                has_merge = has_merge or len(commit.parents) > 1
                if commit.kind == META:
                    metas[oid] = meta_of(META, commit.block or ())
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
        titles = [None, *(oid for oid, _, titled in said if titled)]
        return Position(tip, len(kept), is_plain, states[-1:] == ["closed"], titles[-1]), asked_format

    # --- what the index knows --------------------------------------------------

    def is_indexed(self, oid: Oid) -> bool:
        """Whether the index has taken in ``oid``, and so all before it. It is not made for that."""
        return self.tracking is not None and self._index().has(self.room, oid)

    def chain(self) -> Chain:
        """What the index knows of this log: what is numbered, and what is pending. Raises as :meth:`Index.chain`."""
        while True:
            seen = self._seen()
            try:
                return self._index().chain(self.room, seen[0], rule, seen[1])
            except FormatError:
                if seen == self._seen():
                    raise
                # A round joined anew what was pending, and a gc with --prune=now took what nobody needed any more.

    def _seen(self) -> tuple[Oid | None, Oid | None]:
        """Where what is numbered ends, and what is here where that can be more."""
        return self.tip(), self.store.tip(self.ref) if self.tracking is not None else None

    def asked_format(self, tip: Oid | None = None) -> int:
        """The format that the genesis and the meta records of this log ask writers to know. Raises as :meth:`chain`.

        Of what is known here; with ``tip`` of the log of the room that ends there.
        """
        from gitchat.index.condition import of_kinds  # for a room that a remote numbers

        chain = self.chain() if tip is None else self.chain_at(tip)
        asking = [self.store.read(place.oid) for place in chain.select(of_kinds([META]))]
        for first in chain.select(limit=1):
            asking += [self.store.read(parent) for parent in self.store.read(first.oid).parents[:1]]
        return max([needed_format(commit) for commit in asking], default=codec.FORMAT)

    def chain_at(self, tip: Oid | None) -> Chain:
        """As :meth:`chain`, of what is numbered up to ``tip``, and nothing else."""
        return self._index().chain(self.room, tip, rule)

    def _indexed(self, tip: Oid | None) -> Position:
        """The position of a fetched tip, of which the index reads only what is new."""
        position = self._place_of(tip)
        self.store.remember_if_free(self.room, position)
        return position

    def _place_of(self, tip: Oid | None) -> Position:
        """The position of ``tip`` by what the index knows."""
        from gitchat.index.condition import of_kinds  # for a room that a remote numbers, and a long one

        chain = self.chain_at(tip)
        state, title = self._said([place.oid for place in chain.select(of_kinds([META]))])
        return Position(tip, chain.count, chain.is_plain(), state == "closed", title)

    def take_in(self) -> None:
        """Take the whole log into the index, and note by it how many records there are. Raises as :meth:`chain`."""
        self.chain()
        self.settled()

    # --- what has none yet -----------------------------------------------------

    def pending(self) -> list[Oid]:
        """The records that the authority has not accepted yet, oldest first; none without an authority."""
        local = self.store.tip(self.ref) if self.tracking is not None else None
        tip = self.tip()
        if local is None or local == tip:
            return []
        if tip is not None and reach.is_ancestor(local, tip, self.store.step):
            return []
        # A copy of what is numbered already is nothing new; only the index knows all uids.
        chain = self.chain()
        return [place.oid for place in chain.select(after=chain.count)]

    def state(self) -> Position:
        """What the room is for who looks from here: what is numbered, and what pending records say of it."""
        position = self.settled()[1]
        pending = [(oid, self.store.read(oid)) for oid in self.pending()]
        if not pending:
            return position
        state, title = self._said([oid for oid, commit in pending if commit.kind == META])
        is_closed = position.is_closed if state is None else state == "closed"
        return replace(position, tip=pending[-1][0], is_closed=is_closed, title=title or position.title)

    def stays_here(self) -> bool:
        """Whether somebody said that this log is for this clone alone, and nobody took that back.

        Of no meaning once a remote numbers the room: then it is there. Raises as :meth:`chain`.
        """
        from gitchat.index.condition import of_kinds  # for who asks before it is pushed

        values = [self.store.read(place.oid).value(codec.LOCAL) for place in self.chain().select(of_kinds([META]))]
        return [value for value in values if value in ("true", "false")][-1:] == ["true"]

    def _said(self, metas: Sequence[Oid]) -> tuple[str | None, Oid | None]:
        """The last state and the last title that these records give their room, which are in order."""
        state: str | None = None
        title: Oid | None = None
        for oid in metas:
            new, is_titled = meta_of(META, self.store.read(oid).block or ())
            state, title = new or state, oid if is_titled else title
        return state, title


def rule(oid: Oid, commit: codec.Commit) -> order.Node:
    """What the order rule has to know of a commit of a log. Source: docs/format.md section 5."""
    return order.Node(commit.parents, codec.identity_key(oid, commit) if commit.takes_number else None)
