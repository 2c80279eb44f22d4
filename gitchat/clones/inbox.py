"""The inbox of this clone in its fork: where what is said here waits when the room's remote lets us read and not push.

It is one ref a room, which this clone alone moves, so that a push of it never comes too late. What it holds is the log
as it is here; whoever may push to the room's remote takes it in, and it comes back from there with its number. Then
the inbox has done its work, and goes.

Source: docs/format.md section 12.25.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

from gitchat.clones.answer import Pushed
from gitchat.clones.wire import Wire
from gitchat.model import reach
from gitchat.model.errors import FormatError, RemoteError
from gitchat.model.names import CloneId, Oid, RefName, RoomName
from gitchat.model.refs import inbox_ref, log_ref, tracking_ref
from gitchat.rooms.rebuilding import NotPending, pending_keys, take_out
from gitchat.storage.store import Store


class Inbox:
    """The inboxes of one clone at one fork, for the rooms that follow ``remote``. For who holds ``sync.lock``."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        remote: str,
        *,
        clone: Callable[[], CloneId],
        known_clone: Callable[[], CloneId | None],
        waits: Callable[[RoomName], bool],
    ) -> None:
        """``wire`` leads to the fork. ``clone`` gives the clone's id, and makes one; ``known_clone`` the one it has.

        ``waits`` tells whether a record of a room has no number yet.
        """
        self._store = store
        self._wire = wire
        self._remote = remote
        self._clone = clone
        self._known_clone = known_clone
        self._waits = waits

    @property
    def fork(self) -> str:
        """The remote that the fork is called here."""
        return self._wire.name

    def holds(self, room: RoomName) -> bool:
        """Whether all that is said in ``room`` here is in the fork, as far as it has answered."""
        tip = self._store.tip(log_ref(room))
        return tip is not None and self._there(room) == tip

    def put(self, rooms: Iterable[RoomName], alarms: list[str]) -> dict[RoomName, bool]:
        """Push the logs of ``rooms``, which their remote does not take. Of which the fork has all then, or all needs
        no push; and whether something waits there.

        ``alarms`` gets why it did not take one. Raises FormatError, and as Store.move.
        """
        settled = {room: False for room in rooms if self._drops_copies(room)}
        rooms = [room for room in rooms if room not in settled]
        wanted = {inbox_ref(room, self._clone()): room for room in rooms if not self.holds(room)}
        tips = {ref: self._store.tip(log_ref(room)) for ref, room in wanted.items()}
        answers: list[Pushed] = []
        try:
            answers = self._push(tips)
        except RemoteError as error:
            alarms.append(
                f"'{self._remote}' lets you read and not push, and your fork does not take it either: {error}"
            )
        for one in answers:
            if one.is_accepted and one.oid is not None:
                self._store.point(tracking_ref(self.fork, one.ref), one.oid, f"gitchat: at {self.fork}")
            else:
                alarms.append(f"your fork '{self.fork}' did not take {one.ref}: {one.words}")
        return settled | {room: True for room in rooms if self.holds(room)}

    def tidy(self, rooms: Collection[RoomName]) -> None:
        """Remove from the fork what has its number by now, or was taken back. A fork that is not heard keeps it."""
        clone = self._known_clone()
        if clone is None:
            return
        done = {
            ref: tip
            for room in rooms
            if (tip := self._there(room)) is not None and (ref := inbox_ref(room, clone)) and not self._is_waiting(room)
        }
        with suppress(RemoteError):
            for one in self._wire.push({ref: (None, tip) for ref, tip in done.items()}) if done else ():
                if one.is_accepted or one.is_late:
                    self._store.remove(tracking_ref(self.fork, one.ref), done[one.ref], "gitchat: has its number")

    # --- its steps ---------------------------------------------------------------------

    def _there(self, room: RoomName) -> Oid | None:
        """Where the inbox of ``room`` is at the fork, as far as is known."""
        clone = self._known_clone()
        return self._store.tip(tracking_ref(self.fork, inbox_ref(room, clone))) if clone is not None else None

    def _is_waiting(self, room: RoomName) -> bool:
        """Whether the room's remote lacks something that is said here. What cannot be read waits."""
        try:
            return not self._is_numbered(room) and self._waits(room)
        except FormatError:
            return True

    def _is_numbered(self, room: RoomName) -> bool:
        tip, accepted = self._store.tip(log_ref(room)), self._accepted(log_ref(room))
        return tip is None or (accepted is not None and reach.is_ancestor(tip, accepted, self._store.step))

    def _accepted(self, ref: RefName) -> Oid | None:
        return self._store.tip(tracking_ref(self._remote, ref))

    def _drops_copies(self, room: RoomName) -> bool:
        """Whether all that ``room`` has here beyond its remote are copies of what has a number there.

        Whoever took the records in may have written them once more (12.25). Ours are taken out then: nobody would
        ever take them.
        """
        if self._waits(room):
            return False
        copies = pending_keys(self._store, self._store.tip(log_ref(room)), self._accepted(log_ref(room)))
        with suppress(NotPending):
            take_out(self._store, room, self._accepted, copies.keys(), "gitchat: has its number")
        return True

    def _push(self, tips: Mapping[RefName, Oid | None]) -> list[Pushed]:
        """Ask the fork, and once more from where its refs are: this clone alone moves them. Raises RemoteError."""
        if not tips:
            return []
        leases = {ref: self._store.tip(tracking_ref(self.fork, ref)) for ref in tips}
        answers = self._wire.push({ref: (tip, leases[ref]) for ref, tip in tips.items()})
        late = [one.ref for one in answers if one.is_late]
        if not late:
            return answers
        there = self._wire.listed(*late)
        again = self._wire.push({ref: (tips[ref], there.get(ref)) for ref in late})
        return [*(one for one in answers if not one.is_late), *again]
