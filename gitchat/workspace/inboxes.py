"""Taking in what waits in a fork: the inboxes of clones that may not push to the room's remote themselves.

Whoever may push to the fork can write any name there, as whoever may push to a room can: who takes an inbox in answers
for that. Source: docs/format.md section 12.25.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress

from gitchat.clones.alone import alone
from gitchat.clones.bringing import Brought, Taken
from gitchat.clones.report import Agreed, nobody
from gitchat.clones.wire import Wire
from gitchat.model.errors import ChatError, ConflictError, FormatError, RemoteError, UserError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import INBOX_PATTERN, fetched_ref, inbox_of
from gitchat.workspace.carrying import Arrival, bringing
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import wire_to

MOST_INBOXES = 256
"""How many inboxes of one fork are looked at. Anybody who may push there can make any number."""

Tips = Mapping[RefName, Oid]


def take(
    environment: Environment,
    name: str,
    room: RoomName | None = None,
    *,
    follows: str | None = None,
    is_known: Callable[[RefName, Oid], bool] = lambda ref, tip: False,
    agreed: Agreed = nobody,
    is_typed: bool = False,
    is_dry_run: bool = False,
    limit_seconds: float = math.inf,
) -> Arrival | None:
    """Take in what the inboxes at the remote ``name`` have of the rooms here, or of ``room``. None: it has no inbox.

    ``follows`` keeps it to rooms that follow that remote; ``is_known`` passes over an inbox that stands where it stood.
    Rooms that are not here are left alone.

    Raises:
        RemoteError: the fork is not heard.
        ConflictError: ``sync-running``.
    """
    wire = wire_to(environment, name, is_typed=is_typed, limit_seconds=limit_seconds)
    found = {ref: tip for ref, tip in wire.listed(INBOX_PATTERN).items() if _is_meant(ref, room)}
    if not found:
        return None
    new = {ref: tip for ref, tip in sorted(found.items()) if not is_known(ref, tip)}
    taking = _Taking(environment, name, wire, agreed, is_dry_run=is_dry_run)
    here = set(environment.store.rooms())
    for ref, tip in [*new.items()][:MOST_INBOXES]:
        one = _room(ref)
        if one not in here:
            taking.arrival.left[one] = f"it is not here, and '{name}' has no more of it than an inbox"
        elif follows is None or environment.authorities.of(one) == follows:
            taking.take(ref, tip)
    return taking.arrival


def _is_meant(ref: RefName, room: RoomName | None) -> bool:
    inbox = inbox_of(ref)
    return inbox is not None and room in (None, inbox[0])


def _room(ref: RefName) -> RoomName:
    inbox = inbox_of(ref)
    assert inbox is not None
    return inbox[0]


class _Taking:
    """One look at a fork."""

    def __init__(self, environment: Environment, name: str, wire: Wire, agreed: Agreed, *, is_dry_run: bool) -> None:
        self._environment = environment
        self._name = name
        self._wire = wire
        self._agreed = agreed
        self._is_dry_run = is_dry_run
        self._brings = bringing(environment, name)
        self.arrival = Arrival()

    def take(self, ref: RefName, tip: Oid) -> None:
        """Take one inbox in; what is wrong with it ends nothing for the others."""
        room, here = _room(ref), fetched_ref(self._name, ref)
        try:
            with alone(self._environment.store.directory):
                self._wire.fetch_checked({ref: here})
                try:
                    taken = self._brings.bring(
                        room, Brought(self._environment.store.tip(here) or tip), self._name, agreed=self._agreed,
                        only_said=True, is_dry_run=self._is_dry_run,
                    )  # fmt: skip
                finally:
                    self._forget(here)
        except (FormatError, UserError, RemoteError) as error:
            self.arrival.refuse(room, error)
        except ConflictError as error:
            if error.code != "another-room":
                raise
            self.arrival.refuse(room, error)
        else:
            self.arrival.taken[room] = _together(self.arrival.taken.get(room), taken)

    def _forget(self, here: RefName) -> None:
        store = self._environment.store
        with suppress(ChatError):
            tip = store.tip(here)
            if tip is not None:
                store.remove(here, tip, "gitchat: was in an inbox")


def _together(before: Taken | None, taken: Taken) -> Taken:
    """What two inboxes of one room brought."""
    if before is None:
        return taken
    authors = tuple(dict.fromkeys((*before.authors, *taken.authors)))
    return Taken(before.count + taken.count, authors, before.left_out + taken.left_out)
