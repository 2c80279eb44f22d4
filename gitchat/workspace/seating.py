"""Whose position somebody reads by, and which records are its own: seats, and people who share a name.

An agent takes a seat in each room that it reads (:mod:`gitchat.rooms.seat`), so that two of one
name in two clones do not read, mark or hear for each other. A person reads by the position that
its name has in all clones, because it is one and the same; but where somebody else, with another
address, speaks under its name, it takes a seat, too. Source: docs/format.md sections 10.5 to 10.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from gitchat.clones.idle import STILL_SECONDS
from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, Spoken, among, authored_by, signed_by, spoken_in
from gitchat.index.places import Voice
from gitchat.model import codec
from gitchat.model.errors import ChatError
from gitchat.model.names import CloneId, Name, Oid, RoomName, parse_name, suggest_slug
from gitchat.model.record import address_of
from gitchat.model.refs import cursor_ref
from gitchat.presence.seats import Seats, Sitting
from gitchat.rooms.cursor import Cursor, beyond
from gitchat.rooms.seat import Seat, give_back, seated
from gitchat.rooms.summaries import EVERYONE
from gitchat.workspace.environment import Environment

DROPPED_SECONDS = STILL_SECONDS
"""How long after it was last moved the position of an agent's name is dropped. Source: docs/format.md section 12.15."""


class Seating:
    """The seats of one clone, for who acts in ``environment``."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._caller = environment.caller
        self._seats = Seats(environment.repository.directory)

    # --- whose position it is --------------------------------------------------------

    def position(self, room: RoomName, name: Name, chain: Chain, *, may_sit: bool) -> Cursor:
        """What ``name`` reads ``room`` by: its seat, taken where it may be, else what all clones share.

        Never fails for a seat that cannot be taken or noted: a look at a clone that cannot be written shows what it
        can. Raises FormatError.
        """
        store = self._environment.store
        seat = Seat(store, room, name)
        is_person = not self._caller.has_seat
        if self._is_others(name, is_person):
            return Cursor(store, room, name)
        if is_person and not seat.is_taken and not self.namesakes(name, chain):
            return Cursor(store, room, name)
        if chain.tips and may_sit:
            with suppress(ChatError):
                self._sit(room, name, seat, is_person)
                return seat
        return seat if seat.is_taken else Cursor(store, room, name)

    def _is_others(self, name: Name, is_person: bool) -> bool:
        """Whether an agent sits under a person's name here, or the other way round: neither reads for the other."""
        sitting = self._seats.of(name)
        return sitting is not None and sitting.is_person != is_person

    def sit_down(self, room: RoomName, name: Name) -> None:
        """Take the seat of an agent that speaks or joins before it has read: what comes next is then said to it.

        Nothing for a person, and never fails. Who sat down in this second, and still has its seat, need not look again.
        """
        if not self._caller.has_seat:
            return
        with suppress(ChatError):
            seat, sat = Seat(self._environment.store, room, name), self._environment.sat
            second = self._environment.now().seconds
            if sat.get((room, name)) == (second, self._seats.look()) and seat.is_taken:
                return
            if not self._is_others(name, is_person=False):
                self._sit(room, name, seat, is_person=False)
                sat[room, name] = (second, self._seats.look())

    def _sit(self, room: RoomName, name: Name, seat: Seat, is_person: bool) -> None:
        """Take the seat of ``name`` in ``room``, unless who acts here sits there already."""
        if not is_person:
            self._environment.clone.id()  # in a copy the seats are those of another clone until it has an id
        session = None if is_person else self._caller.session
        now = self._environment.now()
        sitting = self._seats.of(name)
        is_mine = sitting is not None and seat.is_taken and not sitting.is_over(session, now.seconds)
        if sitting is not None and is_mine and sitting.is_used(session, now.seconds) == sitting:
            return
        with self._seats.turn() as note:
            sitting = self._seats.of(name)
            if sitting is not None and sitting.is_over(session, now.seconds):
                give_back(self._environment.store, name)
                sitting = None
            if not seat.is_taken:
                chain = self._environment.numbering(room).chain()
                begin = self._begin(room, name, chain, is_person)
                seat.take(begin, chain.tips, self._caller.identity(name, is_seated=False), now)
            sitting = sitting or Sitting(session or "", now.seconds, is_person)
            note({name: sitting.is_used(session, now.seconds)})

    def _begin(self, room: RoomName, name: Name, chain: Chain, is_person: bool) -> Sequence[Oid]:
        """What a new seat has read: what its name has.

        Where that never read here, a person has what the newest summary has; and so has an agent whose name was in
        use long ago, because what it had read was dropped since.
        """
        value = Cursor(self._environment.store, room, name).value
        if value is not None:
            return [value]
        if not is_person and not self._was_dropped(room, name, chain):
            return []
        summary = self._environment.summaries(room).latest([EVERYONE, name])
        return summary.covers if summary is not None else []

    def _was_dropped(self, room: RoomName, name: Name, chain: Chain) -> bool:
        """Whether what ``name`` had read was dropped: it was in use long ago, or a person has given it back."""
        from gitchat.clones.dropping import Dropped  # for who sits down

        wrote = chain.newest_by_author().get(name)
        is_old = wrote is not None and self._environment.now().seconds - wrote[1] >= DROPPED_SECONDS
        return is_old or cursor_ref(room, name) in Dropped(self._environment.store).all()

    def give_back(self, name: Name, room: RoomName | None = None) -> None:
        """Give the seat ``name`` back, in one room or in all. Raises what Seats and Store.remove raise."""
        with self._seats.turn() as note:
            give_back(self._environment.store, name, room)
            if all(of_name != name for _, of_name in seated(self._environment.store)):
                note({name: None})

    def end_session(self) -> set[RoomName]:
        """Give back all seats of the session that acts here; the rooms they were in. Raises as :meth:`give_back`."""
        session = self._caller.session
        taken = self._seats.all().items()
        names = {name for name, one in taken if session and one.session == session and not one.is_person}
        rooms = {room for room, name in seated(self._environment.store) if name in names}
        for name in names:
            self.give_back(name)
        return rooms

    # --- whose records they are --------------------------------------------------------

    def own(self, room: RoomName, name: Name, chain: Chain) -> Condition:
        """The records of ``chain`` that whoever acts here as ``name`` wrote. Raises FormatError."""
        return self.own_and_spoken(room, name, chain)[0]

    def own_and_spoken(self, room: RoomName, name: Name, chain: Chain) -> tuple[Condition, list[Spoken] | None]:
        """As :meth:`own`, and the same in other words, where it can be said so."""
        mine = authored_by(name)
        voices = chain.voices(name)
        elsewhere = self._elsewhere(voices)
        others = self._other_addresses(name, voices)
        mine_too = [voice for voice in voices if voice.address not in others]
        spoken: list[Spoken] | None = [Spoken(name, voice) for voice in mine_too if voice.clone not in elsewhere]
        if elsewhere:
            before = list(self._said_before(room, name, chain, elsewhere))
            here = [spoken_in(elsewhere).denied(), *(condition for condition, _, _ in before)]
            mine = Condition.all_of([mine, Condition.any_of(here)])
            for voice in [voice for voice in mine_too if voice.clone in elsewhere]:
                ends = [upto for _, clone, upto in before if clone in (None, voice.clone)]
                known = [upto for upto in ends if upto is not None]
                if spoken is not None and ends:
                    spoken = [*spoken, Spoken(name, voice, max(known))] if len(known) == len(ends) else None
        return Condition.all_of([mine, signed_by(others).denied()]) if others else mine, spoken

    def _said_before(
        self, room: RoomName, name: Name, chain: Chain, elsewhere: frozenset[CloneId]
    ) -> Iterable[tuple[Condition, CloneId | None, int | None]]:
        """What carries another clone's id and is its own: what was there when it sat down, or before a renewal.

        With the clone, unless it is any, and the number up to which all of that is meant, where one tells it.
        """
        foreign = Condition.all_of([authored_by(name), spoken_in(elsewhere)])
        taken_at = Seat(self._environment.store, room, name).taken_at
        if taken_at is not None:
            yield self._reached(chain, taken_at, foreign), None, chain.upto(taken_at)
        for clone, tip in self._environment.clone.former(room).items():
            if clone in elsewhere:
                yield Condition.all_of([spoken_in([clone]), self._reached(chain, tip, foreign)]), clone, chain.upto(tip)

    def _reached(self, chain: Chain, tip: Oid, foreign: Condition) -> Condition:
        """The records of ``chain`` that ``tip`` reaches, of those that fulfil ``foreign``."""
        upto = chain.upto(tip)
        if upto is not None:
            return Condition("number <= ?", (upto,))
        later = set(beyond(self._environment.store, chain, [tip]).numbers)
        return among(place.oid for place in chain.select(foreign) if place.number not in later)

    def _elsewhere(self, voices: Iterable[Voice]) -> frozenset[CloneId]:
        """The other clones in which somebody of this name has a seat."""
        clones = frozenset(voice.clone for voice in voices if voice.clone is not None)
        return clones - {self._environment.clone.known()} if clones else clones

    # --- who else has this name ----------------------------------------------------------

    def namesakes(self, name: Name, chain: Chain) -> list[str]:
        """The addresses of others who speak under the name of the person who acts here, sorted."""
        return self._other_addresses(name, chain.voices(name))

    def _other_addresses(self, name: Name, voices: Sequence[Voice]) -> list[str]:
        """Addresses of other people among ``voices``, sorted; none under a name that is not a person's own."""
        found = {voice.address for voice in voices if voice.clone is None and voice.address is not None}
        if not found or self._caller.has_seat or name != self._me():
            return []
        mine = self._caller.addresses()
        return sorted(found - mine) if mine else []

    def _me(self) -> Name | None:
        """The name that who acts here has without asking for another."""
        with suppress(ChatError):
            return self._caller.name()
        return None

    # --- what a fetch brings -----------------------------------------------------------

    def see(self, commits: Iterable[codec.Commit]) -> frozenset[Name]:
        """Look at what comes into a log, before any of it is there; for which people :meth:`sit_apart` is due.

        An id that somebody else writes under is given up.
        """
        clone, people, mine = self._environment.clone.known(), self._people(), self._caller.addresses()
        apart = set()
        for commit in commits:
            written_in = commit.value(codec.CLONE)
            if clone is not None and written_in == clone:
                self._environment.clone.renew(clone)
                clone = None
            is_of_people = commit.author.name in people and written_in in (None, codec.NO_CLONE)
            if mine and is_of_people and address_of(commit.author.email) not in {None, *mine}:
                apart.add(Name(commit.author.name))
        return frozenset(apart)

    def sit_apart(self, room: RoomName, name: Name) -> None:
        """Let the person called ``name`` here read ``room`` by its own position from now on, as far as it has read.

        Somebody else speaks under its name, and what that one has read comes in next. Never fails.
        """
        seat = Seat(self._environment.store, room, name)
        with suppress(ChatError):
            if not seat.is_taken and not self._is_others(name, is_person=True):
                self._sit(room, name, seat, is_person=True)

    def begin(self, room: RoomName) -> None:
        """Let seats that were taken before anything came from the remote begin where their names have read there.

        As far as they have read nothing yet. Never fails.
        """
        store = self._environment.store
        with suppress(ChatError):
            for _, name in [one for one in seated(store) if one[0] == room]:
                Seat(store, room, name).begin()

    def is_agents(self, room: RoomName, name: Name) -> bool:
        """Whether an agent goes by ``name`` in ``room``: its newest record has a clone, and none is a person's.

        Reads all that it wrote there. Raises FormatError.
        """
        store = self._environment.store
        chain = self._environment.numbering(room).chain()
        wrote = [store.read(place.oid) for place in chain.select(authored_by(name))]
        has_seat = bool(wrote) and (wrote[-1].value(codec.CLONE) or codec.NO_CLONE) != codec.NO_CLONE
        return has_seat and all(commit.value("Chat-Origin") != "human" for commit in wrote)

    def _people(self) -> frozenset[Name]:
        """The names that a person here goes by, whoever brings the rooms together."""
        config = self._environment.repository.config
        slug = config.get("chat.name") or suggest_slug(config.get("user.name") or "")
        names = {self._me()} if not self._caller.has_seat else set()
        with suppress(ChatError):
            names.add(parse_name(slug) if slug else None)
        return frozenset(name for name in names if name is not None)
