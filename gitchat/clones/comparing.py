"""What a round compares before it joins or pushes anything: the logs here, those of a remote, and what it had before.

A remote can forget: it is restored, or somebody pushes by force. What it had is still here and
is told; only a remote that puts records into another order takes back numbers that were shown.

Source: docs/format.md sections 5 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitchat.model import reach
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, log_ref, room_of, room_of_log, seen_ref, tracking_prefix
from gitchat.storage.store import Store

Tips = Mapping[RefName, Oid]
"""The refs of rooms, as a remote had them at one moment."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """That a remote's log does not continue what was seen of it."""

    words: str
    lost: Oid | None = None
    """What the remote had and has no more, so that it has to be kept here; None when all is there in another order."""


class Comparing:
    """The logs of one clone beside those of one remote. Moves nothing but what keeps hold of the remote's."""

    def __init__(self, store: Store, remote: str, attached: Callable[[RoomName], str | None]) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None."""
        self._store = store
        self._remote = remote
        self._attached = attached

    def tracked(self) -> dict[RefName, Oid]:
        """The refs of rooms as the remote had them when it last answered."""
        prefix = tracking_prefix(self._remote)
        found = self._store.backend.list_refs(prefix)
        return {RefName(ROOMS_PREFIX + ref.removeprefix(prefix)): oid for ref, oid in found}

    def rooms(self, tracked: Tips, room: RoomName | None, is_asked: bool) -> list[RoomName]:
        """Rooms that are here or there, but for those that another remote numbers, or none that nobody asked for."""
        here = set(self._store.rooms())
        known = {name for ref in tracked if (name := room_of_log(ref)) is not None} | here
        chosen = known if room is None else known & {room}
        authorities = {name: self._attached(name) for name in chosen}
        return sorted(
            name
            for name, authority in authorities.items()
            if authority == self._remote or (authority is None and (is_asked or name not in here))
        )

    def ahead(self) -> set[RefName]:
        """The refs of attached rooms here that the remote does not have as they are, as far as is known."""
        tracked = self.tracked()
        return {
            ref
            for ref, oid in self._store.tips()
            if tracked.get(ref) != oid and self._attached(room_of(ref)) == self._remote
        }

    # --- with what the remote had ------------------------------------------------------

    def note_seen(self, tracked: Tips) -> None:
        """Keep hold of what only a tracking ref reaches, before a fetch may take it away."""
        for ref, oid in tracked.items():
            room = room_of_log(ref)
            local = self._store.tip(ref) if room is not None else None
            if room is None or local is None or reach.is_ancestor(oid, local, self._store.step):
                continue
            self._hold(room, oid)

    def _hold(self, room: RoomName, oid: Oid) -> None:
        self._store.move(seen_ref(self._remote, room), lambda _: oid, f"gitchat: seen at {self._remote}")

    def check_order(self, room: RoomName, before: Tips, after: Tips) -> Alarm | None:
        """What is wrong with the remote's log, ``before`` the last fetch and ``after`` it; None when nothing is."""
        old, new = before.get(log_ref(room)), after.get(log_ref(room))
        if self._attached(room) is None:
            return None  # what was fetched of a room that is not attached was never shown
        if old == new:
            old = self._lost_before(room, new)
        if old is None or (new is not None and is_first_parent(self._store, old, new)):
            return None
        if new is not None and reach.is_ancestor(old, new, self._store.step):
            return Alarm(
                f"room '{room}': {new} puts the log into another order than {old}, so that numbers that were shown "
                "may stand for other messages now"
            )
        what = f"went back behind {old}" if new is not None else "has no such room any more"
        return Alarm(f"room '{room}': the remote {what}; nothing is lost here, and the next push brings it back", old)

    def _lost_before(self, room: RoomName, new: Oid | None) -> Oid | None:
        """What the remote had when a round ended between its fetch and this check, and what nobody has since."""
        seen, local = self._store.tip(seen_ref(self._remote, room)), self._store.tip(log_ref(room))
        known = [tip for tip in (new, local) if tip is not None]
        is_here = seen is None or any(reach.is_ancestor(seen, tip, self._store.step) for tip in known)
        return None if is_here else seen

    # --- with what is here -------------------------------------------------------------

    def renumbered(self, room: RoomName, tracked: Tips, pushes: bool) -> int | None:
        """How many records here would lose the numbers that were shown; None when numbers stand."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if self._attached(room) is not None or local is None or remote is None:
            return None
        # What goes on from the remote's log keeps its numbers once the remote has taken it: not by a pull.
        is_same = is_first_parent(self._store, local, remote) or (
            pushes and is_first_parent(self._store, remote, local)
        )
        return None if is_same else count_beyond(self._store, local, remote)


def is_first_parent(store: Store, ancestor: Oid, tip: Oid) -> bool:
    """Whether ``ancestor`` is on the first-parent chain of ``tip``, which then goes on from its numbers."""
    least = store.step(ancestor).seconds
    here: Oid | None = tip
    while here is not None and here != ancestor:
        step = store.step(here)
        if step.seconds < least:
            return False
        here = next(iter(step.parents), None)
    return here is not None


def count_beyond(store: Store, tip: Oid, base: Oid | None) -> int:
    """How many records ``tip`` reaches and ``base`` does not."""
    steps = reach.difference([tip], [base] if base is not None else [], store.step)
    return sum(store.read(oid).takes_number for oid in steps)
