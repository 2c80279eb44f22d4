"""Judging what a remote has of each room before anything of it counts: by the log, and by where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitchat.clones.address import parted
from gitchat.clones.comparing import Comparing, Tips
from gitchat.clones.marking import PATTERNS, has_leftovers, upstream
from gitchat.clones.moving import Told
from gitchat.clones.notes import Note, Notes
from gitchat.clones.place import Standing, Verdict, verdict
from gitchat.clones.report import Consent, OtherPlace, WouldRenumber, cleaning, leftovers
from gitchat.clones.spoiled import Spoiled
from gitchat.clones.wire import Wire
from gitchat.model.errors import UserError
from gitchat.model.layout import Layout
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import ROOMS_PREFIX, log_ref, room_of_log


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is done with one room, and why."""

    verdict: Verdict
    standing: Standing
    seen: Oid | None
    """The log as we last saw it numbered; None where nothing was."""
    there: Oid | None
    """The log as the remote has it now."""
    is_reordered: bool
    """Whether all that was seen is there, in another order."""
    new_place: Note | None
    """What has to be noted when the round goes on with the room; None when it is noted already."""
    is_same_address: bool
    """Whether it is the one that was noted."""
    has_moved: bool
    """Whether another place was noted before."""
    is_arriving: bool = False
    """Whether the rooms went to this place, and it has not all yet that was numbered at the one that they left."""

    @property
    def goes_on(self) -> bool:
        """Whether what was fetched counts."""
        return self.verdict not in (Verdict.WAIT, Verdict.LEAVE)

    @property
    def has_lost(self) -> bool:
        """Whether the remote does not have what we had seen there."""
        return self.verdict in (Verdict.BRING_BACK, Verdict.JOIN)

    @property
    def tells_drops(self) -> bool:
        """Whether a cursor that was seen and is not there was dropped on purpose."""
        return self.is_same_address and not self.has_lost

    def words(self, remote: str, room: RoomName) -> str | None:
        """What a person should hear of it; None for nothing."""
        brings_back = "nothing is lost here, and the next push brings it back"
        if self.is_arriving:
            return None
        if self.verdict is Verdict.WAIT:
            return (
                f"room '{room}': '{remote}' is at another address, and has only the beginning of what was seen: it is "
                f"left alone until it has caught up; to bring the rest there: git chat remote move {remote}"
            )
        if self.verdict is Verdict.JOIN:
            what = (
                f"{self.there} puts the log into another order than {self.seen}"
                if self.is_reordered
                else f"the remote goes another way than {self.seen}, and both are joined"
            )
            return f"room '{room}': {what}, so that numbers that were shown may stand for other messages now"
        if self.standing is Standing.UNSEEN and self.verdict is Verdict.LEAVE:
            return (
                f"room '{room}': '{remote}' is at another address than the one where its rooms were found, and nothing "
                f"was fetched from there yet: nothing is pushed; to follow it there: git chat sync {remote}"
            )
        if self.standing is Standing.BEHIND:
            return f"room '{room}': the remote went back behind {self.seen}; {brings_back}"
        if self.standing in (Standing.GONE, Standing.EMPTY) and self.verdict is Verdict.BRING_BACK:
            if not self.is_same_address:
                return None  # somebody has just said that it moves there
            return f"room '{room}': the remote has no such room any more; {brings_back}"
        if self.standing is Standing.GONE:
            return (
                f"room '{room}' was deleted at '{remote}', and nothing of it is pushed; to bring it back: "
                f"git chat sync {remote} --room {room} --restore; to drop it here, too: git chat room forget {room}"
            )
        if self.standing is Standing.CONTINUES and self.new_place is not None and self.has_moved:
            return (
                f"room '{room}': '{remote}' is at another address ({self.new_place.address}), where the same log stands"
            )
        if self.standing is Standing.EMPTY:
            return f"'{remote}' has no room any more, and nothing is pushed; to bring them back: git chat sync {remote}"
        return None


class Judging:
    """What judges the rooms of one remote. Moves nothing."""

    def __init__(
        self,
        wire: Wire,
        comparing: Comparing,
        notes: Notes,
        attached: Callable[[RoomName], str | None],
        layout: Callable[[], Layout] | None,
        moved: Told,
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None; ``layout`` what that calls the refs;
        ``moved`` what a log said last of where it went.
        """
        self._layout = layout
        self._wire = wire
        self._comparing = comparing
        self._notes = notes
        self._attached = attached
        self._moved = moved
        self._has_named_unused = False

    def places(self) -> list[str]:
        """Where the remote's fetch addresses stand, as two are compared: the first counts. Raises RemoteError.

        Asked once, before the fetch: an address that changes during a round must not be taken for the one that
        was fetched from. From here on the remote is spoken to by what it calls the refs of rooms now.
        """
        self._wire.layout = self._layout() if self._layout is not None else self._wire.layout
        return [self._wire.place_of(address) for address in self._wire.fetch_addresses()]

    def unused(self, places: Sequence[str], *, is_asked: bool) -> list[str]:
        """What should be heard of places that git does not fetch from: by who asked each time, by who stays once."""
        first, *others = places
        others = others if is_asked or not self._has_named_unused else []
        self._has_named_unused = True
        return [
            f"url {place} is not used: '{self._wire.name}' has several, and the first counts"
            for place in dict.fromkeys(others)
            if place != first
        ]

    def judge(
        self,
        rooms: Sequence[RoomName],
        place: str,
        seen: Tips,
        there: Tips,
        consent: Consent,
        *,
        has_all: bool,
        spoiled: Spoiled,
    ) -> dict[RoomName, Judgement]:
        """What is done with each of ``rooms``, of which ``there`` was fetched from ``place``.

        One that cannot be read is ``spoiled`` from then on, and has no judgement. ``has_all`` is whether ``there`` has
        all rooms of the remote.

        Raises:
            OtherPlace: with one of them nothing may be done, and so with none.
        """
        notes = self._notes.all()
        found: dict[RoomName, Judgement] = {}
        for room in rooms:
            with spoiled.apart(room):
                found[room] = self._judgement(room, notes.get(room), place, seen, there, consent, has_all=has_all)
        return found

    def _judgement(
        self, room: RoomName, note: Note | None, place: str, seen: Tips, there: Tips, consent: Consent, *, has_all: bool
    ) -> Judgement:
        """What is done with one room. Raises OtherPlace, FormatError."""
        old = self._comparing.last_seen(room, seen, there) if self._attached(room) is not None else None
        has_others = old is not None and self._has_others(room, there, has_all)
        standing = self._comparing.standing(old, there.get(log_ref(room)), has_others=has_others)
        is_same, stands = note is not None and note.address == place, Note(self._wire.name, place)
        what = verdict(
            standing,
            is_same_address=is_same,
            has_moved=consent.has_moved,
            brought_back=consent.brings_back,
            is_strange=note is not None and bool(note.address) and not consent.goes_anywhere,
        )
        known = old or seen.get(log_ref(room))  # also of a room that is not attached yet
        is_arriving = self._is_arriving(room, known, there.get(log_ref(room)), place)
        if is_arriving and what in (Verdict.BRING_BACK, Verdict.JOIN, Verdict.GO_ON):
            what = Verdict.BRING_BACK  # what was numbered stands first
        if what is Verdict.REFUSE and consent.takes(room):
            what = Verdict.JOIN if log_ref(room) in there else Verdict.BRING_BACK
        if what is Verdict.REFUSE:
            upto = self._comparing.parts_at(old, there.get(log_ref(room)))
            raise OtherPlace(self._wire.name, room, standing, place, is_same=is_same, upto=upto)
        return Judgement(
            verdict=what,
            standing=standing,
            seen=known if is_arriving else old,
            there=there.get(log_ref(room)),
            is_reordered=what is Verdict.JOIN and self._comparing.reaches(there.get(log_ref(room)), old),
            new_place=stands if note != stands else None,
            is_same_address=is_same,
            has_moved=note is not None and not is_same,
            is_arriving=is_arriving and what is Verdict.BRING_BACK,
        )

    def _is_arriving(self, room: RoomName, old: Oid | None, there: Oid | None, place: str) -> bool:
        """Whether the log that was seen up to ``old`` says that it went from another place of the remote to this one,
        and what is ``there`` was left by others, and has not that word. Raises FormatError.
        """
        if old is None or there is None:
            return False
        if self._comparing.standing(old, there, has_others=True) not in (Standing.BEHIND, Standing.PARTED):
            return False
        moved = self._moved(room, old)
        if moved is None or moved.place == place or parted(moved.place)[0] != parted(place)[0]:
            return False
        went = self._wire.laid(moved.layout).place_of(moved.address)
        return went == place and not self._comparing.has_record(there, moved.oid)

    def agreed(
        self,
        rooms: Mapping[RoomName, Judgement],
        there: Tips,
        consent: Consent,
        alarms: list[str],
        *,
        pushes: bool,
        spoiled: Spoiled,
    ) -> dict[RoomName, Judgement]:
        """``rooms`` that can be read, before anything is joined or pushed. ``alarms`` gets what should be heard.

        Raises:
            WouldRenumber: records here would get new numbers.
            UserError: ``follows-another``: a room would be attached to a clone that follows another remote.
        """
        if any(self._attached(one) is None for one in rooms):
            alarms += self.refuse_follower()
        for one in rooms:
            count = None
            with spoiled.apart(one):
                count = self._comparing.renumbered(one, there, pushes)
            if count is not None and not consent.renumbers(one):
                raise WouldRenumber(self._wire.name, one, count)
        return {one: judged for one, judged in rooms.items() if one not in spoiled}

    def refuse_follower(self) -> list[str]:
        """What a person should hear of a remote that holds refs of a clone, and is none.

        Raises UserError ``follows-another`` when it is a clone that takes its numbers from elsewhere.
        """
        listed, name, layout = self._wire.look(*PATTERNS), self._wire.name, self._wire.layout
        followed = upstream(listed)
        if followed is not None:
            raise UserError(
                f"the remote '{name}' is a clone whose rooms follow its own remote '{followed}'",
                hint="use that one here, too: git remote add UPSTREAM URL; git chat sync UPSTREAM; "
                f"or, if it was copied to be a hub: {cleaning(name, layout)}",
                code="follows-another",
            )
        return [leftovers(name, layout)] if has_leftovers(listed) else []

    def _has_others(self, room: RoomName, there: Tips, has_all: bool) -> bool:
        """Whether the remote has another room. It is asked where only this one was fetched, and is missing."""
        if log_ref(room) not in there and not has_all:
            there = self._wire.listed(f"{ROOMS_PREFIX}*")
        return any(other not in (None, room) for other in map(room_of_log, there))
