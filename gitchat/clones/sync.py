"""Bringing a room and its authority together: one git remote that gives the numbers.

A round fetches what the remote has, joins what both sides have, pushes the result, and only
when the remote has accepted it moves anything here that readers see. What was accepted is
what the tracking refs say; the first parent of a merge is always the remote's tip, so that
a number that was shown never changes. An answer that got lost costs nothing: the next
fetch finds our commit there.

Every byte on the wire goes through git itself, with the user's credentials and settings.
All agents of a clone are one pusher, under ``sync.lock``.
Source: docs/format.md section 12; git-push(1) on ``--force-with-lease`` and ``--porcelain``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from gitchat.clones.accepting import Accepting
from gitchat.clones.admission import Admission
from gitchat.clones.adopting import Adopting
from gitchat.clones.alone import alone
from gitchat.clones.answer import Pushed
from gitchat.clones.attaching import Attaching
from gitchat.clones.comparing import Comparing
from gitchat.clones.counting import Counting
from gitchat.clones.dropping import Dropped
from gitchat.clones.following import Following
from gitchat.clones.idle import Idle
from gitchat.clones.inbox import Inbox
from gitchat.clones.joining import Guard, Joining
from gitchat.clones.judging import Judgement, Judging
from gitchat.clones.marking import mark
from gitchat.clones.moving import Moves, Told
from gitchat.clones.notes import Notes
from gitchat.clones.offering import Offering
from gitchat.clones.previewing import preview
from gitchat.clones.purging import Purging
from gitchat.clones.report import Consent, Report
from gitchat.clones.sifting import Sifting
from gitchat.clones.spoiled import Spoiled, fetch
from gitchat.clones.wire import Updates, Wire
from gitchat.model.errors import FormatError
from gitchat.model.layout import Layout
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import (
    ROOMS_PREFIX,
    is_of_a_room,
    log_ref,
    refs_of,
    room_of,
    room_of_log,
    tracking_ref,
)
from gitchat.storage.store import Store


class Remote:
    """A named remote of one clone, to bring rooms together with."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        *,
        identity: Callable[[], Identity],
        clock: Callable[[], Moment],
        attached: Callable[[RoomName], str | None],
        attach: Callable[[RoomName], object],
        notes: Notes,
        asked_format: Callable[[RoomName, Oid], int],
        guard: Guard,
        stays_here: Callable[[RoomName], bool],
        moved: Told = lambda room, tip: None,
        layout: Callable[[], Layout] | None = None,
        lay: Callable[[Layout], object] = lambda layout: None,
        inbox: Inbox | None = None,
        adopting: Adopting,
        keep_up: Callable[[RoomName], object] = lambda room: None,
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None; ``attach`` makes it this one because
        somebody asked for it: otherwise it is noted. ``identity`` is asked for when two clones' histories are joined by
        a commit; ``asked_format`` tells what a log asks of its writers, ``stays_here`` whether somebody said that it is
        for this clone alone; ``guard`` looks at what comes in; ``moved`` tells where a log says that its room went;
        ``layout`` tells what the remote calls the refs of rooms now, and ``lay`` writes that down; ``inbox`` is where
        records go that may not be pushed there; ``adopting`` takes over what was purged there; ``keep_up`` notes ends.
        """
        self._store = store
        self._wire = wire
        self.name = wire.name
        self._attached = attached
        self._notes = notes
        self._admission = Admission(asked_format)
        self._stays_here = stays_here
        self._keep_up = keep_up
        self._moves = Moves(wire, moved)
        self._comparing = Comparing(store, wire.name, attached)
        self._following = Following(store, wire, self._comparing, notes, moved=moved, lay=lay)
        self._judging = Judging(wire, self._comparing, notes, attached, layout, moved)
        self.attaching = Attaching(store, wire.name, notes, attached=attached, attach=attach)
        """What lets rooms follow this remote."""
        self._idle = Idle(store.directory, wire.name, now=lambda: clock().seconds, is_agents=guard.is_agents)
        self._joining = Joining(store, wire.name, identity=identity, clock=clock, guard=guard)
        self._dropped = Dropped(store)
        self._accepting = Accepting(store, wire.name, self._joining, self._idle, self._dropped)
        self._adopting = adopting
        self._counting = Counting(wire.name, self._joining, self._accepting, self._admission, notes, attached, adopting)
        self.purging = Purging(store, wire, self._joining, self._accepting, adopting)
        self._offering = Offering(
            store,
            wire,
            self._accepting,
            Sifting(store, wire.name, self._joining, self._accepting, clock),
            push=lambda updates, address: self._push(updates, address),
            now=lambda: clock().seconds,
            attached=attached,
            inbox=inbox,
        )
        self._left: frozenset[RoomName] = frozenset()
        """Rooms that the last round left as they are."""

    def _fetch(self, room: RoomName | None) -> dict[RoomName, str]:
        self._adopting.clear_up()
        return fetch(self._wire, room)

    def _push(self, updates: Updates, address: str | None) -> list[Pushed]:
        return self._wire.push(updates, address)

    # --- one round -----------------------------------------------------------------

    def round(
        self,
        room: RoomName | None,
        *,
        consent: Consent = Consent(),  # noqa: B008 - frozen
        pushes: bool = True,
        drops: bool = False,
        is_asked: bool = True,
    ) -> Report:
        """Fetch, compare, join and, with ``pushes``, push; with ``drops`` at least what is to be dropped there.

        What was fetched counts only when it was compared with what we knew. Unasked, rooms that none numbers stay so.

        Raises:
            RemoteError: the remote cannot be reached, or refused everything.
            WouldRenumber, OtherPlace, OtherPushPlace: and nobody agreed. Nothing was joined or pushed then, but for
                the last, where what was fetched is joined.
            UserError: ``follows-another``, before a room is attached.
            ConflictError: ``sync-running``.
        """
        with alone(self._store.directory):
            spoiled, (seen, places) = Spoiled(), (self._comparing.tracked(), self._judging.places())
            report = Report(self.name, layout=self._wire.layout, has_seen=bool(seen))
            spoiled.why |= self._fetch(room)
            there = self._comparing.fetched()
            rooms = self._shared(self._comparing.rooms(there, room, is_asked), report, spoiled)
            report.alarms += self._judging.unused(places, is_asked=is_asked)
            judgements = self._judging.judge(
                rooms, places[0], seen, there, consent, has_all=room is None, spoiled=spoiled
            )
            judgements = self._judging.agreed(judgements, there, consent, report.alarms, pushes=pushes, spoiled=spoiled)
            if not is_asked:
                judgements = self._adopted(judgements, places[0], report)
            free = [one for one in judgements if self._attached(one) is None]  # before refs may tell otherwise
            judgements = self._adopting.going(judgements, there, consent, report, spoiled)
            going = self._counting.go_on(judgements, seen, there, report, spoiled)
            self._left = frozenset(rooms) - frozenset(going)
            due, kept = self._dropped.due(self.name, going, there)
            updates: dict[RefName, tuple[Oid | None, Oid | None]] = {**due} if pushes or drops else {}
            for one in going:
                with spoiled.apart(one):
                    fetched = self._joining.take_in(one, kept, is_first=log_ref(one) not in seen)
                    report.fetched |= {one: fetched} if fetched is not None else {}
                    # Of a remote that has lost what was seen nothing was dropped on purpose: it is all brought back.
                    known, first = seen if judgements[one].tells_drops else {}, judgements[one].is_arriving
                    updates |= self._joining.updates(one, known, there, is_ours_first=first) if pushes else {}
            going = [one for one in going if one not in spoiled]
            numbered = [one for one in going if one not in free and not judgements[one].is_arriving]
            if self._following.leads(going, places[0], report, is_asked=is_asked, is_said=consent.has_moved):
                return report
            updates |= self._joining.given_back(going, self._idle.look(kept)) if pushes and going else {}
            updates = self._admission.writable(self._following.open(updates), there, report, spoiled)
            allowed = self._offering.allowed(updates, places[0], self._comparing.found(), report, is_asked=is_asked)
            self._left |= report.newer.keys() | spoiled.tell(report)
            if allowed:
                self._offering.push(allowed, places[0], seen, there, report, numbered)
            report.alarms += self._moves.heard(self._following.staying(going), places[0], report, is_asked=is_asked)
            self._follow(going, free, places[0], report, consent, pushes=pushes)
        self._store.pack_what_came()
        return report

    def _follow(
        self,
        going: Sequence[RoomName],
        free: Sequence[RoomName],
        place: str,
        report: Report,
        consent: Consent,
        *,
        pushes: bool,
    ) -> None:
        """Attach those that were free, and note at the clone that it follows the remote."""
        for one in going:
            if one in free:
                self._attach(one, place, report, consent, pushes=pushes)
        following = [one for one in going if self._attached(one) is not None]
        self._offering.tidy(following)
        for one in following:
            with suppress(FormatError):  # who needs it meets it
                self._keep_up(one)
        if following:
            mark(self._store, self._wire, following[0])

    def _adopted(
        self, judgements: Mapping[RoomName, Judgement], place: str, report: Report
    ) -> dict[RoomName, Judgement]:
        """Those of rooms that follow the remote, where nobody asked: the ones that are new there follow from now on."""
        new = [room for room in judgements if self._attached(room) is None]
        report.attached += self.attaching.adopt(new, place) if new else []
        return {room: one for room, one in judgements.items() if self._attached(room) is not None}

    def preview(self, room: RoomName | None, *, pushes: bool = True) -> Report:
        """What a round would bring and push. Moves nothing here or there. Raises as :meth:`round`."""
        report, place = Report(self.name), self._judging.places()[0]
        report.alarms += self._judging.refuse_follower()
        listed = self._wire.listed(ROOMS_PREFIX + refs_of(room))
        there = {ref: oid for ref, oid in listed.items() if is_of_a_room(ref)}
        logs = [ref for ref in there if room_of_log(ref) is not None]
        if logs:
            self._wire.fetch_objects(logs)
        spoiled = Spoiled()
        rooms = self._shared(self._comparing.rooms(there, room, is_asked=True), report, spoiled)
        seen = self._comparing.tracked()
        for one in self._judging.judge(rooms, place, seen, there, Consent(), has_all=room is None, spoiled=spoiled):
            with spoiled.apart(one):
                preview(self._store, self._comparing, one, there, report, pushes=pushes)
        spoiled.tell(report)
        return report

    def _shared(self, rooms: Sequence[RoomName], report: Report, spoiled: Spoiled) -> list[RoomName]:
        """``rooms`` without those that are for this clone alone, which the report names.

        What a remote numbers already is there, whatever its log says.
        """
        for one in self._store.rooms():
            if one in rooms and self._attached(one) is None:
                with spoiled.apart(one):
                    report.staying += [one] if self._stays_here(one) else []
        return [one for one in rooms if one not in report.staying and one not in spoiled]

    def ahead(self) -> set[RefName]:
        """The refs of attached rooms here that the remote does not have as they are, as far as is known.

        But for rooms that the last round left as they are, and for what is pushed no more where we may only read.
        """
        return self._offering.still_ahead({ref for ref in self._comparing.ahead() if room_of(ref) not in self._left})

    def readers(self) -> int:
        """How many names read at the remote, as the last fetch found it."""
        return self._comparing.readers()

    @property
    def is_denied(self) -> bool:
        """Whether the remote lets us read and not push, as far as is known."""
        return self._offering.is_denied

    @property
    def left(self) -> frozenset[RoomName]:
        """Rooms that the last round left as they are."""
        return self._left

    # --- its steps -----------------------------------------------------------------------

    def _attach(self, room: RoomName, place: str, report: Report, consent: Consent, *, pushes: bool) -> None:
        """From now on the remote numbers a room that it has."""
        if self._store.tip(tracking_ref(self.name, log_ref(room))) is None:
            return
        self.attaching.attach(room, place, report, consent, pushes=pushes)
