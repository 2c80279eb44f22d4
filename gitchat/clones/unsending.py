"""Taking back what the remote of its room has not numbered: nobody else has it, so nobody misses it.

A push whose answer was lost may have brought it there all the same, so the remote is asked first. Where it
cannot be heard that stays unknown: what it has comes back with a number then.
Source: docs/format.md section 12.18.
"""

from __future__ import annotations

from gitchat.clones.alone import alone
from gitchat.clones.wire import Wire
from gitchat.model.errors import RemoteError
from gitchat.model.names import RoomName
from gitchat.model.order import Key
from gitchat.model.refs import fetched_ref, log_ref, tracking_ref
from gitchat.rooms.rebuilding import pending_keys, take_out
from gitchat.storage.store import Store


class Taken(Exception):
    """The remote has it: it has a number there, whether that is known here or not."""


def unsend(store: Store, wire: Wire, room: RoomName, key: Key) -> str | None:
    """Take the pending record ``key`` back; why the remote could not be asked, or None when it was.

    Waits for a push that is under way.

    Raises:
        Taken: the remote has it, as it says itself.
        NotPending: it is not pending any more; a push may have had its number.
        ConflictError: ``sync-running`` when that push takes too long, and what Store.move raises.
    """
    unheard = None
    with alone(store.directory):
        try:
            if _is_there(store, wire, room, key):
                raise Taken
        except RemoteError as error:
            unheard = str(error)
        take_out(store, room, lambda ref: store.tip(tracking_ref(wire.name, ref)), {key}, "gitchat: taken back")
    return unheard


def _is_there(store: Store, wire: Wire, room: RoomName, key: Key) -> bool:
    """Whether the remote has the record, as far as it does not stand where we know it. Raises as Wire.fetch."""
    ref = log_ref(room)
    known = store.tip(tracking_ref(wire.name, ref))
    if wire.listed(ref).get(ref) in (None, known):
        return False
    wire.fetch(room)  # to where nothing counts yet
    return key in pending_keys(store, store.tip(fetched_ref(wire.name, ref)), known)
