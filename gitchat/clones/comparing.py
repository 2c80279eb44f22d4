"""What a round compares before it joins or pushes anything: the logs here, those of a remote, and what it had before.

A remote can forget: it is restored, or somebody pushes by force. Its name can stand for another
place. What it had is still here, and is told; what is done then, ``place`` says.

Source: docs/format.md sections 5 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import takewhile

from gitchat.clones.place import Standing, standing
from gitchat.model import codec, reach
from gitchat.model.limits import OLDER_IN_A_ROW
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.order import Key, Node, drop_repeated, linearize
from gitchat.model.refs import (
    ROOMS_PREFIX,
    fetched_prefix,
    is_cursor,
    is_of_a_room,
    log_ref,
    room_of,
    room_of_log,
    seen_ref,
    tracking_prefix,
)
from gitchat.rooms.numbering import rule
from gitchat.storage.store import Store

Tips = Mapping[RefName, Oid]
"""The refs of rooms, as a remote had them at one moment."""


class Comparing:
    """The logs of one clone beside those of one remote. Moves nothing."""

    def __init__(self, store: Store, remote: str, attached: Callable[[RoomName], str | None]) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None."""
        self._store = store
        self._remote = remote
        self._attached = attached

    def tracked(self) -> dict[RefName, Oid]:
        """The refs of rooms as the remote had them when we last went on from them."""
        return self._below(tracking_prefix(self._remote))

    def logs(self, rooms: Collection[RoomName]) -> dict[RefName, Oid]:
        """Those of the logs of rooms that follow the remote, and of ``rooms``."""
        tracked = self.tracked().items()
        return {
            ref: oid
            for ref, oid in tracked
            if (room := room_of_log(ref)) is not None and (room in rooms or self._attached(room) == self._remote)
        }

    def fetched(self) -> dict[RefName, Oid]:
        """The refs of rooms as the last fetch found them, without what is no ref of a room."""
        return {ref: oid for ref, oid in self.found().items() if is_of_a_room(ref)}

    def readers(self) -> int:
        """How many names read there, in any room."""
        return len({ref.rpartition("/")[2] for ref in self.fetched() if is_cursor(ref)})

    def found(self) -> dict[RefName, Oid]:
        """All refs below those of rooms as the last fetch found them, also those that are none of a room's."""
        return self._below(fetched_prefix(self._remote))

    def _below(self, prefix: RefName) -> dict[RefName, Oid]:
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
            if is_of_a_room(ref) and tracked.get(ref) != oid and self._attached(room_of(ref)) == self._remote
        }

    # --- with what the remote had ------------------------------------------------------

    def last_seen(self, room: RoomName, seen: Tips, there: Tips) -> Oid | None:
        """The log of ``room`` as we last saw it numbered; None where nothing was.

        A version before this one noted it apart before a fetch, and a round of it may have ended there.
        """
        noted = self._store.tip(seen_ref(self._remote, room))
        known = [tip for tip in (there.get(log_ref(room)), self._store.tip(log_ref(room))) if tip is not None]
        if noted is not None and not any(reach.is_ancestor(noted, tip, self._store.step) for tip in known):
            return noted
        return seen.get(log_ref(room))

    def standing(self, old: Oid | None, new: Oid | None, *, has_others: bool) -> Standing:
        """How the log ``new`` that the remote has of a room stands to ``old`` that was last seen. Raises FormatError.

        ``has_others`` is whether the remote has another room.
        """
        if old is None or new is None:
            return standing(None if old is None else [], None, has_others=has_others)
        if is_first_parent(self._store, old, new):
            return Standing.CONTINUES  # what it adds stands behind what was seen, so nothing has to be read
        if is_first_parent(self._store, new, old):
            return Standing.BEHIND
        return standing(keys_of(self._store, old), keys_of(self._store, new), has_others=has_others)

    def reaches(self, tip: Oid | None, old: Oid | None) -> bool:
        """Whether all of ``old`` is in the history of ``tip``. Raises FormatError."""
        return tip is not None and old is not None and reach.is_ancestor(old, tip, self._store.step)

    def has_record(self, tip: Oid, oid: Oid) -> bool:
        """Whether the log ``tip`` has the record of ``oid``, in that commit or in another. Raises FormatError."""
        if self.reaches(tip, oid):
            return True
        return codec.identity_key(oid, self._store.read(oid)) in keys_of(self._store, tip)

    def parts_at(self, old: Oid | None, new: Oid | None) -> int:
        """The last number that two logs have in common. Raises FormatError."""
        keys = [keys_of(self._store, tip) if tip is not None else [] for tip in (old, new)]
        pairs = zip(*keys, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

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


def keys_of(store: Store, tip: Oid) -> list[Key]:
    """What the numbers up to ``tip`` stand for, in their order. Reads the whole log. Raises FormatError."""
    return [key for _, key in _numbered(store, tip)]


def records_of(store: Store, tip: Oid) -> list[Oid]:
    """The commits of the records up to ``tip``, in their order. Reads the whole log. Raises FormatError."""
    return [oid for oid, _ in _numbered(store, tip)]


def _numbered(store: Store, tip: Oid) -> list[tuple[Oid, Key]]:
    nodes: dict[Oid, Node] = {}

    def node_of(oid: Oid) -> Node:
        if oid not in nodes:
            nodes[oid] = rule(oid, store.read(oid))
        return nodes[oid]

    kept = drop_repeated(linearize(tip, node_of), node_of)
    return [(oid, key) for oid in kept if (key := nodes[oid].key) is not None]


def is_first_parent(store: Store, ancestor: Oid, tip: Oid) -> bool:
    """Whether ``ancestor`` is on the first-parent chain of ``tip``, which then goes on from its numbers.

    False, too, where it stands behind many commits that are dated before it, as after a clock that was far ahead.
    """
    least = store.step(ancestor).seconds
    here: Oid | None = tip
    older = 0
    while here is not None and here != ancestor:
        step = store.step(here)
        older = older + 1 if step.seconds < least else 0
        if older > OLDER_IN_A_ROW:
            return False
        here = next(iter(step.parents), None)
    return here is not None


def records_beyond(store: Store, tip: Oid, base: Oid | None) -> Iterator[codec.Commit]:
    """The records that ``tip`` reaches and ``base`` does not, in no order. Raises FormatError."""
    for oid in reach.difference([tip], [base] if base is not None else [], store.step):
        commit = store.read(oid)
        if commit.takes_number:
            yield commit


def count_beyond(store: Store, tip: Oid, base: Oid | None) -> int:
    """How many records ``tip`` reaches and ``base`` does not. Raises FormatError."""
    return sum(1 for _ in records_beyond(store, tip, base))
