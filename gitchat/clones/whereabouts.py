"""Below which prefix a remote has its rooms, where nobody said it: one question for all places that they can have.

Rooms in two places are left alone, for the wrong ones would part a clone from its team; unless one of the two was
left for the other, which its log says, or is what ``git push --mirror`` left there of a clone.
Source: docs/format.md section 12.23.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from gitchat.clones.comparing import is_first_parent
from gitchat.clones.looking import named
from gitchat.clones.marking import PATTERNS, has_leftovers, upstream
from gitchat.clones.moving import said_near
from gitchat.clones.wire import Listed, Wire
from gitchat.model.errors import ConflictError, FormatError
from gitchat.model.layout import BRANCHES, PLAIN, Layout
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import ROOMS_PREFIX, log_ref, room_of_log
from gitchat.storage.store import Store

MOST_ROOMS = 4
"""The logs of so many rooms are read for such a word."""

Logs = Mapping[RoomName, Oid]


class TwoPlaces(ConflictError):
    """A remote has rooms in two places, and nothing there tells which are the ones that are used."""

    def __init__(self, remote: str, places: Mapping[Layout, Logs]) -> None:
        found = " and ".join(f"{layout.prefix} ({named(sorted(logs))})" for layout, logs in places.items())
        ways = (
            f"git chat remote attach {sorted(logs)[0]} {remote} --prefix {layout.prefix}"
            for layout, logs in places.items()
        )
        super().__init__(
            f"'{remote}' has rooms in two places: {found}",
            hint=f"say which is the one that is used: {'; or: '.join(ways)}",
            code="two-places",
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What one remote has."""

    upstream: str | None
    """The remote that it follows itself, where it is a clone: then it counts as having no room."""
    places: Mapping[Layout, Logs]
    """The logs in each place that has any."""
    has_leftovers: bool

    def rooms(self, layout: Layout) -> list[RoomName]:
        """The rooms in one place."""
        return sorted(self.places.get(layout, ()))


def look(wire: Wire, *layouts: Layout) -> Found:
    """Ask the remote what it has in each of these places. Raises as Wire.listed."""
    listed = wire.laid(PLAIN).look(*(layout.there(f"{ROOMS_PREFIX}*") for layout in layouts), *PATTERNS)
    followed = upstream(listed)
    places = {layout: _logs(listed, layout) for layout in layouts} if followed is None else {}
    return Found(followed, {layout: logs for layout, logs in places.items() if logs}, has_leftovers(listed))


def _logs(listed: Listed, layout: Layout) -> dict[RoomName, Oid]:
    below = {layout.here(ref): oid for ref, oid in listed.refs.items() if ref.startswith(layout.prefix)}
    return {room: oid for ref, oid in below.items() if (room := room_of_log(ref)) is not None}


def decided(store: Store, wire: Wire, found: Found) -> Layout | None:
    """The place whose rooms count; None where there is no room.

    Raises:
        TwoPlaces: and nobody said which.
        RemoteError: a log that is read for a word is not to be had.
    """
    places = found.places
    if len(places) < 2:
        return next(iter(places), None)
    if found.has_leftovers and BRANCHES in places:
        return BRANCHES
    words = {layout: _said_last(store, wire, layout, logs) for layout, logs in places.items()}
    newest = next((one for one in places if all(_go_on(store, places[one], other) for other in places.values())), None)
    said = {words[newest]} if newest is not None else set(words.values())
    said -= {None}
    address = wire.fetch_addresses()[0]
    told = [layout for layout in places if wire.laid(layout).place_of(address) in said]
    if len(said) == 1 and told:
        return told[0]
    if newest is not None and not said and len({tuple(sorted(logs.items())) for logs in places.values()}) > 1:
        return newest  # a move began, and was never said
    raise TwoPlaces(wire.name, places)


def _go_on(store: Store, newer: Logs, older: Logs) -> bool:
    """Whether the logs of one place go on from those of another, as far as they are looked at."""
    with suppress(FormatError):
        rooms = sorted(older)[:MOST_ROOMS]
        return older.keys() <= newer.keys() and all(is_first_parent(store, older[one], newer[one]) for one in rooms)
    return False


def _said_last(store: Store, wire: Wire, layout: Layout, logs: Logs) -> str | None:
    """Where the rooms at ``layout`` say that they went, as two places are compared; None where they do not.

    The word stands at both places, where both can be written to; at one of them, and it is the new one, else.
    """
    rooms = sorted(logs)[:MOST_ROOMS]
    wire.laid(layout).fetch_objects([log_ref(room) for room in rooms])
    return next((said for room in rooms if (said := _said_in(store, wire, logs[room])) is not None), None)


def _said_in(store: Store, wire: Wire, tip: Oid) -> str | None:
    moved = said_near(store, tip)
    return wire.laid(moved.layout).place_of(moved.address) if moved is not None else None
