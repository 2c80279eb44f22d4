"""Where what is said here is pushed to: where the rooms stand that we follow, and nowhere else.

git pushes to all push addresses of a remote, and they can be others than the one that is fetched
from. Source: docs/format.md section 12.10; git-push(1), git-remote(1) on ``set-url --push``.
"""

from __future__ import annotations

from gitchat.clones.comparing import Tips, is_first_parent
from gitchat.clones.report import OtherPushPlace
from gitchat.clones.wire import Wire
from gitchat.model.errors import FormatError, RemoteError
from gitchat.model.names import Oid
from gitchat.model.refs import ROOMS_PREFIX, is_of_a_room, room_of_log
from gitchat.storage.store import Store


def push_address(store: Store, wire: Wire, fetched: str, seen: Tips, there: Tips) -> str | None:
    """The address to push to; None where the remote's name stands for just the one that is fetched from.

    ``fetched`` is the place that was fetched from, ``seen`` what we last saw at the remote, and ``there`` what it has.

    Raises:
        OtherPushPlace: none of them has the rooms.
        RemoteError: ``remote-failed``.
    """
    addresses = wire.push_addresses()
    if [wire.place_of(address) for address in addresses] == [fetched]:
        return None
    for address in addresses:
        if wire.place_of(address) == fetched or _holds(store, wire, address, seen, there):
            return address
    rooms = sorted(room for ref in seen if (room := room_of_log(ref)) is not None)
    raise OtherPushPlace(wire.name, fetched, wire.place_of(addresses[0]), rooms)


def _holds(store: Store, wire: Wire, address: str, seen: Tips, there: Tips) -> bool:
    """Whether another place has what we last saw at the remote; where that was nothing, just what it has now."""
    try:
        listed = wire.listed(f"{ROOMS_PREFIX}*", address=address)
    except RemoteError:
        return False
    logs = {ref: oid for ref, oid in seen.items() if room_of_log(ref) is not None}
    if not logs:
        return bool(listed) and {ref: oid for ref, oid in listed.items() if is_of_a_room(ref)} == dict(there)
    return all(ref in listed and _continues(store, oid, listed[ref]) for ref, oid in logs.items())


def _continues(store: Store, old: Oid, new: Oid) -> bool:
    try:
        return is_first_parent(store, old, new)
    except FormatError:
        return False  # of a commit that is not here nothing can be said
