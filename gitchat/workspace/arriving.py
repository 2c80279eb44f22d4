"""Arriving in a clone: looking whether its remote has rooms, following them, and what a person is told of it.

One question (``git ls-remote``) to one remote. Which rooms are followed is noted first, under the
write lock, and then they are fetched; what takes longer than somebody waits goes on in a process
of its own. Nothing is pushed, and nobody is asked anything. Source: docs/format.md section 12.13.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from gitchat.clones import looking, whereabouts
from gitchat.clones.looking import Asker, Deed, Found, Look
from gitchat.clones.wire import Wire
from gitchat.model.errors import ChatError, ConflictError, FormatError, RemoteError
from gitchat.model.layout import BRANCHES, PLAIN
from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.storage import gate
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import open_remote, wire_to

LOCK_SECONDS = 10.0
"""How long who has time waits for another process that looks."""


def arrive(
    environment: Environment,
    asker: Asker,
    room: RoomName | None = None,
    *,
    limit_seconds: float = math.inf,
    only_tells: bool = False,
    is_forced: bool = False,
) -> list[str]:
    """Look whether the clone's remote has rooms, if it is time to, and follow those that are not here.

    Returns what a person should hear, in sentences. ``room`` is the one that is asked for; with None it is looked
    where nothing here follows the remote yet. ``only_tells`` follows nothing where nobody ever used us;
    ``is_forced`` is for who goes on with what another began. A remote that fails raises nothing.

    Raises:
        UserError: ``bad-config``.
        FormatError, StorageError, ConflictError: as Store.move.
    """
    remote = environment.repository.arrives_at()
    if remote is None:
        return []
    here = _Here(environment, remote)
    if not is_forced and not here.is_needed(room):
        return here.told(room)
    if not os.access(environment.repository.location.common_dir, os.W_OK):
        return [looking.cannot_follow(remote)]
    visit = _Visit(here, asker, time.monotonic() + limit_seconds, is_forced=is_forced)
    if only_tells and is_untouched(environment):
        return visit.tell()
    if not visit.is_due():
        return here.told(room)
    with ExitStack() as held:
        try:
            wait_seconds = min(limit_seconds, LOCK_SECONDS)
            held.enter_context(gate.hold(environment.repository.directory, wait_seconds, "look.lock"))
        except ConflictError:  # another process looks, and what it looks at is slow
            return here.told(room)
        if visit.is_due():  # still: another process may just have looked
            return visit.look(room)
    return here.told(room)


def is_due(environment: Environment, asker: Asker, room: RoomName | None) -> bool:
    """Whether ``asker`` should look before something is done in ``room``. Asks nobody. Raises as :func:`arrive`."""
    remote = environment.repository.arrives_at()
    if remote is None or not os.access(environment.repository.location.common_dir, os.W_OK):
        return False
    here = _Here(environment, remote)
    return here.is_needed(room) and _Visit(here, asker, math.inf, is_forced=False).is_due()


def told(environment: Environment, room: RoomName | None) -> list[str]:
    """What a person should hear about ``room`` and the clone's remote from the last look. Asks nobody."""
    remote = environment.repository.arrives_at()
    return _Here(environment, remote).told(room) if remote is not None else []


def undecided(environment: Environment) -> list[str]:
    """What the last look left to a person to decide, in sentences. Asks nobody."""
    remote = environment.repository.arrives_at()
    return _Here(environment, remote).both(None) if remote is not None else []


def is_untouched(environment: Environment) -> bool:
    """Whether nobody ever wrote with gitchat in this clone, or joined a room. Who only read left no sign of it."""
    directory = environment.repository.directory
    has_written = any((directory / name).exists() for name in ("write.lock", "authorities"))
    return not has_written and not environment.store.rooms()


def was_heard(environment: Environment, remote: str) -> None:
    """A person's sync heard ``remote``: what the last look found is old. Raises as Notes.put_look."""
    notes = environment.authorities.notes
    if notes.look(remote) is not None:
        notes.put_look(remote, None)


@dataclass(frozen=True)
class _Here:
    """What is known here of the clone's remote."""

    environment: Environment
    remote: str

    def is_needed(self, room: RoomName | None) -> bool:
        """Whether what is asked for may be at the remote."""
        if room is not None:
            return not self.has(room)
        return self.remote not in self.environment.authorities.all().values() or bool(self._coming())

    def has(self, room: RoomName) -> bool:
        """Whether a room of this name is here, whatever is wrong with it."""
        store = self.environment.store
        return store.is_damaged(log_ref(room)) or store.tip(log_ref(room)) is not None

    def _coming(self) -> list[RoomName]:
        """Rooms that follow the remote and are not here yet."""
        every = self.environment.authorities.all().items()
        return [room for room, remote in every if remote == self.remote and not self.has(room)]

    def told(self, room: RoomName | None) -> list[str]:
        """What is known already, and not decided: see :func:`told`."""
        words = self.both(room)
        look = self.environment.authorities.notes.look(self.remote)
        if room in self._coming() or (room is None and self._coming()):
            words.append(looking.is_coming(self.remote))
        if look is not None and look.found is Found.REFUSED:
            words.append(looking.not_heard(self.remote, look.words))
        if look is not None and look.found is Found.NONE and room is None:
            words += self.elsewhere()
        if (
            look is not None
            and look.found is Found.TWO
            and self.environment.authorities.known_layout(self.remote) is None
        ):
            words.append(look.words)
        return words

    def both(self, room: RoomName | None) -> list[str]:
        """That a room, or with None any, is here and at the remote as another, where nobody has decided yet."""
        authorities = self.environment.authorities
        look = authorities.notes.look(self.remote)
        both = [one for one in (look.both if look is not None else ()) if room in (None, one) and self.has(one)]
        names = [one for one in both if not authorities.is_settled(one)]
        return [looking.is_both(names, self.remote)] if names else []

    def elsewhere(self) -> list[str]:
        """Where else the rooms may be that the remote has not."""
        others = [name for name in self.environment.repository.remotes() if name != self.remote]
        return [looking.nowhere(self.remote, others)] if others else []


@dataclass
class _Visit:
    """One look of one asker, that has to be over at ``ends_at`` of the monotonic clock."""

    here: _Here
    asker: Asker
    ends_at: float
    is_forced: bool
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.environment, self.remote = self.here.environment, self.here.remote
        self.notes = self.environment.authorities.notes
        self.wire = wire_to(self.environment, self.remote, limit_seconds=self._left_seconds())

    def _left_seconds(self) -> float:
        return self.ends_at - time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time to look; at another address than last time it is."""
        last, now = self.notes.look(self.remote), self.environment.now().seconds
        if self.is_forced or looking.is_due(self.asker, last, now, is_ci=self.environment.is_ci):
            return True
        has_failed = last is not None and last.found in (Found.REFUSED, Found.UNHEARD)
        return has_failed and last is not None and self._place() not in ("", last.address)

    def _place(self) -> str:
        """Where the remote stands, as two are compared; nothing where git cannot tell."""
        try:
            return self.wire.place_of(self.wire.fetch_addresses()[0])
        except (RemoteError, IndexError):
            return ""

    def tell(self) -> list[str]:
        """Look, and only say which rooms there are. Nothing is written."""
        try:
            rooms, _ = self._rooms()
        except ChatError:
            return []
        return [looking.only_there(rooms, self.remote)] if rooms else []

    def look(self, room: RoomName | None) -> list[str]:
        """Ask the remote, note what it has, and fetch what follows it from now on."""
        place = self._place()
        try:
            there, place = self._rooms()
        except ChatError as error:
            return self._note_failure(place, error)
        deeds = {one: self._deed(one) for one in there}
        wanted = sorted((one for one in there if deeds[one] is Deed.FOLLOW), key=lambda one: (one != room, one))
        both = tuple(one for one in there if deeds[one] is Deed.DECIDE)[: looking.MAX_NAMED]
        remote = open_remote(self.environment, self.remote, limit_seconds=self._left_seconds())
        adopted = remote.attaching.adopt(wanted, place) if wanted else []
        self._note(place, Found.ROOMS if there else Found.NONE, both=both)
        words = [looking.follows(adopted, self.remote)] if adopted else []
        if wanted and not remote.attaching.is_agreed(place):
            words.append(looking.has_moved(wanted, self.remote))
        if self._has_news(there):
            try:
                report = remote.round(None, pushes=False, is_asked=False)
            except ChatError as error:
                return words + self._note_failure(place, error)
            words += report.alarms
        words += self.here.told(room)
        if not there and room is not None:
            words += self.here.elsewhere()
        return words

    def _rooms(self) -> tuple[list[RoomName], str]:
        """The rooms that the remote has, and the place where they stand.

        None of a clone that follows a hub: a sync that is typed names the one to use. Raises as Wire.listed, TwoPlaces.
        """
        known = self.environment.authorities.known_layout(self.remote)
        # Before the question: an address that changes meanwhile is not the one that was asked.
        address = self.wire.fetch_addresses()[0]
        found = whereabouts.look(self.wire, *((known,) if known is not None else (PLAIN, BRANCHES)))
        self.wire.layout = whereabouts.decided(self.environment.store, self.wire, found) or known or PLAIN
        return found.rooms(self.wire.layout), self.wire.place_of(address)

    def _deed(self, room: RoomName) -> Deed:
        here = self.here.has(room)
        is_settled = self.environment.authorities.is_settled(room) or (here and self._stays_here(room))
        return looking.deed(is_here=here, is_settled=is_settled, only_tells=False)

    def _stays_here(self, room: RoomName) -> bool:
        with suppress(FormatError):  # a damaged room: whoever uses it meets it
            return self.environment.numbering(room).stays_here()
        return False

    def _has_news(self, there: Iterable[RoomName]) -> bool:
        """Whether the remote has a room that follows it and was never fetched."""
        authorities, store = self.environment.authorities, self.environment.store
        followed = (room for room in there if authorities.of(room) == self.remote)
        return any(store.tip(tracking_ref(self.remote, log_ref(room))) is None for room in followed)

    def _note(self, place: str, found: Found, *, both: tuple[RoomName, ...] = (), words: str = "") -> None:
        look = Look(place, self.environment.now().seconds, found, both=both, words=words)
        self.notes.put_look(self.remote, looking.after(self.notes.look(self.remote), look))

    def _note_failure(self, place: str, error: ChatError) -> list[str]:
        """Remember that the remote was not heard; what was only slow goes on in a process that nobody waits for."""
        if isinstance(error, whereabouts.TwoPlaces):
            words = f"{error}; {error.hint}"
            self._note(place, Found.TWO, words=words)
            return [words]
        found = Found.REFUSED if looking.is_refusal(str(error)) else Found.UNHEARD
        self._note(place, found, words=str(error))
        if found is Found.UNHEARD and self.ends_at <= time.monotonic():
            self.environment.start_aside("look")
        return [looking.not_heard(self.remote, str(error))]
