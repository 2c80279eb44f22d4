"""How the histories of two clones are joined into one that both continue.

Nothing is ever taken away: what one side continues is moved forward, and what both sides
continued is joined by a commit, the remote's history first, so that its order stands.

Source: docs/format.md sections 5 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import nullcontext, suppress
from typing import Protocol

from gitchat.clones.comparing import Tips, is_first_parent
from gitchat.model import codec, reach
from gitchat.model.errors import FormatError, StorageError
from gitchat.model.names import EMPTY_TREES, Name, Oid, RefName, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import cursors_prefix, log_ref, room_of, summaries_ref
from gitchat.model.signature import Signature
from gitchat.rooms.rebuilding import follow
from gitchat.storage.store import Store

MOST_LOOSE = 10_000
"""Of a fetch that brings more git keeps the pack, unless somebody has set its limit far above the usual 100."""


class Guard(Protocol):
    """Who looks at what comes in, for the sake of who reads here."""

    def see(self, commits: Iterable[codec.Commit]) -> Collection[Name]:
        """Look at new records, all of them, before they are in the log; for whom to call :meth:`sit_apart` then."""

    def begin(self, room: RoomName) -> object:
        """The first that the remote has of this room is here, with what was read there."""

    def is_agents(self, room: RoomName, name: Name) -> bool:
        """Whether ``name`` is an agent's in ``room``, and no person ever wrote under it there. Raises FormatError."""

    def sit_apart(self, room: RoomName, name: Name) -> object:
        """The records are there; what was read elsewhere is not joined yet with what was read here."""


class Joining:
    """What brings the refs here and those of one remote together."""

    def __init__(
        self,
        store: Store,
        remote: str,
        *,
        identity: Callable[[], Identity],
        clock: Callable[[], Moment],
        guard: Guard,
    ) -> None:
        """``identity`` is asked for when two histories are joined by a commit; ``guard`` looks at what comes in."""
        self._store = store
        self._remote = remote
        self.identity = identity
        self._clock = clock
        self._guard = guard

    # --- a room --------------------------------------------------------------------------

    def take_in(self, room: RoomName, tracked: Tips, *, is_first: bool = False) -> int | None:
        """Move the refs here to what the remote has, as far as that loses nothing.

        ``is_first`` is whether nothing of the room had come from the remote before. Returns how many records that
        brings; None where the remote has no such room.
        """
        remote = tracked.get(log_ref(room))
        count, apart = self.look(remote, self._store.tip(log_ref(room)))
        self.forward(log_ref(room), tracked.get(log_ref(room)))
        with suppress(FormatError):  # the room can be read without its summaries, and without somebody's cursor
            self.forward(summaries_ref(room), tracked.get(summaries_ref(room)))
        for name in apart:
            self._guard.sit_apart(room, name)
        for ref in tracked:
            if ref.startswith(cursors_prefix(room)):
                with suppress(FormatError):
                    self._join_cursor(ref, tracked[ref])
        if is_first:
            self._guard.begin(room)
        return count if remote is not None else None

    def look(self, remote: Oid | None, local: Oid | None) -> tuple[int, Collection[Name]]:
        """Count what the remote's log has and ours does not, and let the guard look at it."""
        count = 0
        came: list[Oid] = []

        def arriving() -> Iterator[codec.Commit]:
            nonlocal count
            new = [tip for tip in (remote,) if tip is not None]
            for oid in reach.difference(new, [tip for tip in (local,) if tip is not None], self._store.step):
                commit = self._store.read(oid)
                if len(came) < MOST_LOOSE:
                    came.extend([oid, *self._carried(commit)])
                if commit.takes_number:
                    count += 1
                    yield commit

        apart = self._guard.see(arriving())
        self._store.note_came(came)
        return count, apart

    def _carried(self, commit: codec.Commit) -> Iterator[Oid]:
        """The objects of what a commit carries along; none for most."""
        if commit.tree not in EMPTY_TREES:
            with suppress(FormatError, StorageError):
                yield from self._store.carried(commit.tree)

    def updates(
        self, room: RoomName, seen: Tips, tracked: Tips, *, is_ours_first: bool = False
    ) -> dict[RefName, tuple[Oid, Oid | None]]:
        """What the remote should take, each with the value that it must still have. ``is_ours_first``: see candidate.

        A cursor only if somebody here moved it since the remote was ``seen`` to have it: who does not move a
        ref does not push it, so that one which was deleted there stays deleted.
        """
        updates: dict[RefName, tuple[Oid, Oid | None]] = {}
        for ref in (log_ref(room), summaries_ref(room)):
            local, remote = self._store.tip(ref), tracked.get(ref)
            if local is not None and local != remote:
                with suppress(FormatError) if ref != log_ref(room) else nullcontext():
                    updates[ref] = (self.candidate(remote, local, is_ours_first=is_ours_first), remote)
        for ref, cursor in self._store.backend.list_refs(cursors_prefix(room)):
            if cursor not in (tracked.get(ref), seen.get(ref)):
                # One that stayed behind when a record was taken back would carry that record along.
                known = [tracked.get(log_ref(room)), tracked.get(ref)]
                cursor = follow(self._store, room, ref, cursor, known, "gitchat: follows the log")
                updates[ref] = (cursor, tracked.get(ref))
        return updates

    def given_back(self, rooms: Collection[RoomName], idle: Tips) -> dict[RefName, tuple[None, Oid]]:
        """The cursors in ``rooms`` that the remote should drop: of those that stand still, what nobody moved here."""
        return {ref: (None, oid) for ref, oid in idle.items() if room_of(ref) in rooms and self._store.tip(ref) == oid}

    # --- a ref ---------------------------------------------------------------------------

    def forward(self, ref: RefName, remote: Oid | None) -> None:
        """Move a local ref to what the remote has, where that loses nothing."""

        def build(local: Oid | None) -> Oid:
            assert remote is not None
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            return local

        if remote is not None and self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self._remote}")

    def _join_cursor(self, ref: RefName, remote: Oid) -> None:
        """What was read there is read here, and so at once: a position is nothing that anybody has to accept."""

        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            if reach.is_ancestor(remote, local, self._store.step):
                return local
            return self._merge(remote, local, "cursor", f"{ref.rpartition('/')[2]} has read in two clones")

        if self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self._remote}")

    def drop_cursors(self, room: RoomName, seen: Tips, tracked: Tips) -> None:
        """Remove cursors here that the remote had and has no more, and that nobody here has moved since."""
        for ref, oid in seen.items():
            if ref.startswith(cursors_prefix(room)) and ref not in tracked:
                self._store.remove(ref, oid, f"gitchat: dropped at {self._remote}")

    def keep(self, room: RoomName, seen: Tips, there: Tips) -> list[RefName]:
        """Let the log and the summaries here go on from what the remote had: nothing else points to that now.

        Returns those of which it was ``seen`` to have what is not ``there``, or not in that order.
        """
        kept = []
        for ref in (log_ref(room), summaries_ref(room)):
            old, new = seen.get(ref), there.get(ref)
            with suppress(FormatError) if ref != log_ref(room) else nullcontext():
                if old is not None and (new is None or not is_first_parent(self._store, old, new)):
                    self._keep(ref, old)
                    kept.append(ref)
        return kept

    def _keep(self, ref: RefName, old: Oid) -> None:
        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, old, self._store.step):
                return old
            return self.candidate(old, local)

        self._store.move(ref, build, f"gitchat: kept from {self._remote}")

    def candidate(self, remote: Oid | None, local: Oid, *, is_ours_first: bool = False) -> Oid:
        """What the remote should have: the local tip where that continues its own, else a merge of both.

        Its own goes first, unless it is what was left there when the rooms went elsewhere.
        """
        if remote is None or is_first_parent(self._store, remote, local):
            return local
        return self._merge_logs(local, remote) if is_ours_first else self._merge_logs(remote, local)

    def _merge_logs(self, remote: Oid, local: Oid) -> Oid:
        return self._merge(remote, local, "merge", f"{self.identity().name} brings what was said elsewhere")

    def _merge(self, remote: Oid, local: Oid, kind: str, body: str) -> Oid:
        """A commit of both, the remote's first, so that its order stands."""
        who, now = self.identity(), self._clock()
        committed = self._store.date_after((remote, local), now)
        return self._store.write_commit(
            codec.encode_commit(
                tree=self._store.empty_tree(),
                parents=(remote, local),
                author=Signature(who.name, who.email, now),
                committer=Signature(who.committer_name, who.committer_email, committed),
                body=body,
                block=(("Chat-Kind", kind),),
            )
        )
