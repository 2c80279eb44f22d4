"""Purging what a remote numbers: the log, the summaries and every cursor there move at once, or none of them.

What one ref alone would go on to reach stays in the remote's store for ever: in the trial a single cursor kept a secret
alive at the hub. Therefore one atomic push, with a lease on each. Somebody who was quicker only makes it begin again.

Source: docs/format.md sections 12.27 and 18.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitchat.clones.accepting import Accepting
from gitchat.clones.adopting import Adopting
from gitchat.clones.alone import alone
from gitchat.clones.comparing import Tips, is_first_parent
from gitchat.clones.joining import Joining
from gitchat.clones.target import push_address
from gitchat.clones.wire import Wire
from gitchat.model import reach
from gitchat.model.errors import ChatError, ConflictError, RemoteError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.order import Key
from gitchat.model.purge import Purged
from gitchat.model.refs import (
    ROOMS_PREFIX,
    fetched_prefix,
    fetched_ref,
    is_of_a_room,
    log_ref,
    room_of,
    tracking_ref,
)
from gitchat.rooms import purging
from gitchat.rooms.rewriting import Rewriting
from gitchat.storage.store import Store

Gated = Callable[[Oid], Oid]
"""A log that asks its writers to know of purges, made of one that may not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be purged."""

    room: RoomName
    keys: frozenset[Key]
    said: Purged


class Purging:
    """What purges rooms that one remote numbers."""

    def __init__(self, store: Store, wire: Wire, joining: Joining, accepting: Accepting, adopting: Adopting) -> None:
        self._store = store
        self._wire = wire
        self._joining = joining
        self._accepting = accepting
        self._adopting = adopting

    def purge(self, wanted: Wanted, gated: Gated) -> Oid | None:
        """Purge it at the remote, and then here; the log that both have then.

        None where somebody was quicker, and another round has to look.

        Killed before the remote has taken it all is as before, and after that the next round takes it over from there.

        Raises:
            RemoteError: the remote is not heard, or refused it: ``purge-refused``. Nothing was done then.
            ConflictError: ``sync-running``, ``behind``: the remote's log is not one that this clone goes on from.
            FormatError, StorageError: as Store.move.
        """
        room, log = wanted.room, log_ref(wanted.room)
        with alone(self._store.directory):
            self._wire.fetch(room)
            there, seen = self._fetched(room), self._store.tip(tracking_ref(self._wire.name, log))
            if log not in there or (seen is not None and not is_first_parent(self._store, seen, there[log])):
                raise ConflictError(
                    f"'{self._wire.name}' has another log of room '{room}' than this clone has seen",
                    hint=f"git chat sync {self._wire.name}",
                    code="behind",
                )
            local = self._store.tip(log)
            assert local is not None
            rewriting = Rewriting(self._store)
            new = gated(rewriting.blank(self._joining.candidate(there[log], local), wanted.keys, wanted.said))
            updates = {log: (new, there[log])}
            updates |= {
                ref: (image, oid) for ref, oid in there.items() if ref != log and (image := rewriting.image(oid)) != oid
            }
            purging.owe(self._store, room, rewriting)
            try:
                is_taken = self._push(updates, there)
            except ChatError:  # of what was not heard the next round knows more
                purging.Owed(self._store).settle(room)
                raise
            if is_taken:
                self._settle(room, updates, rewriting)
            else:
                purging.Owed(self._store).settle(room)
            return new if is_taken else None

    def _fetched(self, room: RoomName) -> dict[RefName, Oid]:
        prefix = fetched_prefix(self._wire.name)
        found = self._store.backend.list_refs(prefix)
        refs = {RefName(ROOMS_PREFIX + ref.removeprefix(prefix)): oid for ref, oid in found}
        return {ref: oid for ref, oid in refs.items() if room_of(ref) == room}

    def _push(self, updates: dict[RefName, tuple[Oid, Oid]], there: Tips) -> bool:
        """Whether the remote took all; it took nothing otherwise. Raises RemoteError ``purge-refused``."""
        places = self._wire.place_of(self._wire.fetch_addresses()[0])
        logs = {ref: oid for ref, oid in there.items() if is_of_a_room(ref)}
        address = push_address(self._store, self._wire, places, logs, logs)
        answers = self._wire.push(dict(updates), address, is_atomic=True)
        refused = [one for one in answers if not one.is_accepted]
        if not refused and answers:
            return True
        if any(one.is_late for one in refused):
            return False
        first = next((one for one in refused if "atomic" not in one.words), next(iter(refused), None))
        words = first.words if first is not None else "it said nothing"
        raise RemoteError(
            f"'{self._wire.name}' did not take the purge: {words}",
            hint="nothing was purged; the host has to allow a forced push of these refs "
            "(receive.denyNonFastForwards, protected refs)",
            code="purge-refused",
        )

    def _settle(self, room: RoomName, updates: dict[RefName, tuple[Oid, Oid]], rewriting: Rewriting) -> None:
        """What the remote took is tracked, and the log here becomes that, with what was said meanwhile behind it."""
        name = self._wire.name
        log = log_ref(room)
        new = updates[log][0]

        def build(tip: Oid | None) -> Oid:
            image = rewriting.image(tip) if tip is not None else new
            return new if reach.is_ancestor(image, new, self._store.step) else image

        self._store.move(log, build, purging.REASON)
        for ref, (taken, old) in updates.items():
            self._accepting.track(ref, taken, self._store.tip(tracking_ref(name, ref)) or old)
            self._store.point(fetched_ref(name, ref), taken, purging.REASON)

    def finish(self, room: RoomName) -> purging.Left:
        """Remove here what has to go of ``room``; what git still has. Raises ConflictError ``sync-running``."""
        with alone(self._store.directory):
            return self._adopting.finish_here(room)


def purge_here(store: Store, wanted: Wanted, gated: Gated, variables: Mapping[str, str]) -> purging.Left:
    """Purge it in a room that no remote numbers. Killed anywhere it is as before, or the same call goes on.

    ``variables`` are for git. Raises ConflictError ``sync-running``, and as purging.finish.
    """
    log = log_ref(wanted.room)
    with alone(store.directory):
        rewriting = Rewriting(store)
        tip = store.tip(log)
        assert tip is not None
        rewriting.blank(tip, wanted.keys, wanted.said)
        if rewriting.gone:
            purging.owe(store, wanted.room, rewriting)
            store.move(log, lambda now: gated(rewriting.image(now or tip)), purging.REASON)
        return purging.finish(store, wanted.room, [], variables)
