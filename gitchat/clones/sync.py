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

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from gitchat.clones.comparing import Comparing, Tips, count_beyond, is_first_parent
from gitchat.clones.joining import Joining
from gitchat.clones.report import Agreed, Report, WouldRenumber, nobody
from gitchat.clones.wire import Pushed, Wire
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import ROOMS_PREFIX, TRACKING_PREFIX, log_ref, refs_of, room_of_log, tracking_ref
from gitchat.storage import gate
from gitchat.storage.store import Store

LOCK_SECONDS = 10.0
"""How long to wait for another pusher, or for the packer, of this clone."""

ROUNDS = 6
"""How often a push that came too late is tried again while somebody waits."""

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
"""Bounds of the pause after the first push that came too late; it is as long as a round takes, and doubles."""


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
        random: Callable[[], float],
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None; ``attach`` makes it this one.

        ``identity`` is asked for when two clones' histories are joined by a commit; ``random`` gives
        numbers from 0 to 1, which spread the pauses of clones that collide.
        """
        self._store = store
        self._wire = wire
        self.name = wire.name
        self._attached = attached
        self._attach_room = attach
        self._random = random
        self._comparing = Comparing(store, wire.name, attached)
        self._joining = Joining(store, wire.name, identity=identity, clock=clock)

    def _fetch(self, room: RoomName | None) -> None:
        self._wire.fetch(room)

    def _push(self, updates: Mapping[RefName, tuple[Oid, Oid | None]]) -> list[Pushed]:
        return self._wire.push(updates)

    def settle(
        self,
        room: RoomName | None,
        *,
        agreed: Agreed = nobody,
        pushes: bool = True,
        is_asked: bool = True,
        rounds: int = ROUNDS,
        again: Callable[[], object] = lambda: None,
    ) -> Report:
        """Rounds until the remote took everything, or said no for another reason than that somebody was quicker.

        There are ``rounds`` of them at the most, each with one push; ``again`` is called before each but the
        first. Raises as :meth:`round`.
        """
        total = Report(self.name)
        pause_seconds = 0.0
        for number in range(rounds):
            if number:
                again()
                time.sleep(pause_seconds * self._random())  # so that two who collided do not collide again
            begin = time.monotonic()
            total.add(self.round(room, agreed=agreed, pushes=pushes, is_asked=is_asked))
            if not total.is_late:
                break
            wanted = pause_seconds * 2 or max(SHORTEST_PAUSE_SECONDS, time.monotonic() - begin)
            pause_seconds = min(wanted, LONGEST_PAUSE_SECONDS)
        return total

    # --- one round -----------------------------------------------------------------

    def refuse_follower(self) -> None:
        """Raise UserError ``follows-another`` when the remote is a clone that takes its numbers from elsewhere."""
        for ref in self._wire.listed(f"{TRACKING_PREFIX}*"):
            upstream = ref.removeprefix(TRACKING_PREFIX).split("/", 1)[0]
            raise UserError(
                f"the remote '{self.name}' is a clone whose rooms follow its own remote '{upstream}'",
                hint="use that one here, too: git remote add UPSTREAM URL; git chat sync UPSTREAM",
                code="follows-another",
            )

    def round(
        self, room: RoomName | None, *, agreed: Agreed = nobody, pushes: bool = True, is_asked: bool = True
    ) -> Report:
        """Fetch, join and, with ``pushes``, push; report what the remote answered.

        Unless somebody asked for it, rooms here that no remote numbers stay so.

        Raises:
            RemoteError: the remote cannot be reached, or refused everything.
            WouldRenumber: and nobody agreed.
            UserError: ``follows-another``, before a room is attached.
            ConflictError: ``sync-running``.
        """
        report = Report(self.name)
        with self._alone():
            before = self._comparing.tracked()
            self._comparing.note_seen(before)
            self._fetch(room)
            after = self._comparing.tracked()
            rooms = self._comparing.rooms(after, room, is_asked)
            self._compare(rooms, before, after, report, agreed, pushes)
            updates: dict[RefName, tuple[Oid, Oid | None]] = {}
            for one in rooms:
                self._join(one, after, report)
                updates |= self._joining.updates(one, after) if pushes else {}
            if updates:
                report.pushes += 1
                self._accept(self._push(updates), after, report)
            for one in rooms:
                self._attach(one, report, agreed, pushes)
        return report

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The only pusher of this clone. Raises ConflictError ``sync-running``."""
        try:
            with gate.hold(self._store.directory, LOCK_SECONDS, "sync.lock"):
                yield
        except ConflictError as error:
            if error.code != "write-lock-held":
                raise
            raise ConflictError(
                "another process of this clone is syncing", hint="wait for it", code="sync-running"
            ) from error

    def preview(self, room: RoomName | None, *, pushes: bool = True) -> Report:
        """What a round would bring and push. Moves nothing here or there. Raises as :meth:`round`."""
        report = Report(self.name)
        self.refuse_follower()
        there = self._wire.listed(ROOMS_PREFIX + refs_of(room))
        logs = [ref for ref in there if room_of_log(ref) is not None]
        if logs:
            self._wire.fetch_objects(logs)
        for one in self._comparing.rooms(there, room, is_asked=True):
            local, remote = self._store.tip(log_ref(one)), there.get(log_ref(one))
            report.fetched[one] = count_beyond(self._store, remote, local) if remote is not None else 0
            if pushes:
                report.pushed[one] = count_beyond(self._store, local, remote) if local is not None else 0
            count = self._comparing.renumbered(one, there, pushes)
            if count is not None:
                report.renumbered[one] = count
        return report

    def ahead(self) -> set[RefName]:
        """The refs of attached rooms here that the remote does not have as they are, as far as is known."""
        return self._comparing.ahead()

    # --- its steps ---------------------------------------------------------------------

    def _compare(
        self, rooms: Sequence[RoomName], before: Tips, after: Tips, report: Report, agreed: Agreed, pushes: bool
    ) -> None:
        """Tell of what the remote has lost, and refuse what nobody agreed to, before anything is joined or pushed.

        Raises as :meth:`round`.
        """
        if any(self._attached(one) is None for one in rooms):
            self.refuse_follower()
        for one in rooms:
            alarm = self._comparing.check_order(one, before, after)
            if alarm is not None:
                if alarm.lost is not None:
                    self._joining.keep(one, alarm.lost)
                report.alarms.append(alarm.words)
            count = self._comparing.renumbered(one, after, pushes)
            if count is not None and not agreed(one):
                raise WouldRenumber(self.name, one, count)

    def _join(self, room: RoomName, tracked: Tips, report: Report) -> None:
        """Take in what the remote has, and count it."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if remote is not None:
            report.fetched[room] = count_beyond(self._store, remote, local)
        self._joining.take_in(room, tracked)

    def _accept(self, answers: Sequence[Pushed], tracked: Tips, report: Report) -> None:
        """Write down what the remote accepted, and show it."""
        for answer in answers:
            if not answer.is_accepted:
                report.refused.append(answer)
                continue
            report.accepted += 1
            self._track(answer.ref, answer.oid)
            self._joining.forward(answer.ref, answer.oid)
            room = room_of_log(answer.ref)
            if room is not None:
                report.pushed[room] = count_beyond(self._store, answer.oid, tracked.get(answer.ref))

    def _attach(self, room: RoomName, report: Report, agreed: Agreed, pushes: bool) -> None:
        """From now on the remote numbers a room that it has, unless records here would lose their numbers by that."""
        tracked = self._store.tip(tracking_ref(self.name, log_ref(room)))
        if tracked is None or self._attached(room) is not None:
            return

        def attach(local: Oid | None) -> Oid:
            # The write lock is held: nobody gives a number here between the look and the setting.
            assert local is not None
            if local == tracked or (agreed(room) and not is_first_parent(self._store, tracked, local)):
                self._attach_room(room)
                report.attached.append(room)
            elif pushes and not report.refused:
                report.is_overtaken = True
            return local

        self._store.move(log_ref(room), attach, "gitchat: attached")

    def _track(self, ref: RefName, oid: Oid) -> None:
        self._store.move(tracking_ref(self.name, ref), lambda _: oid, f"gitchat: pushed to {self.name}")
