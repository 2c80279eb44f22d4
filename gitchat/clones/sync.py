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

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitchat.clones.wire import Pushed, Wire
from gitchat.model import codec, reach
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import (
    ROOMS_PREFIX,
    TRACKING_PREFIX,
    Oid,
    RefName,
    RoomName,
    cursors_prefix,
    log_ref,
    refs_of,
    room_of,
    room_of_log,
    seen_ref,
    summaries_ref,
    tracking_prefix,
    tracking_ref,
)
from gitchat.model.record import Identity, Moment
from gitchat.storage import gate
from gitchat.storage.store import Store

LOCK_SECONDS = 10.0
"""How long to wait for another pusher, or for the packer, of this clone."""

ROUNDS = 6
"""How often a push that came too late is tried again while somebody waits."""

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
"""Bounds of the pause after the first push that came too late; it is as long as a round takes, and doubles."""


class WouldRenumber(UserError):
    """Messages of ``room`` here would lose the numbers that were shown, and nobody agreed to that."""

    def __init__(self, remote: str, room: RoomName, count: int) -> None:
        which = f"{count} message{'s' if count != 1 else ''}" if count else "the messages"
        super().__init__(
            f"the remote '{remote}' has a room '{room}' of its own: {which} here would get new numbers",
            hint=f"agree to it: git chat sync {remote} --yes; or keep it apart: git chat sync --room OTHER",
            code="would-renumber",
        )
        self.room = room


@dataclass(slots=True)
class Report:
    """What a round did, or some of them together."""

    remote: str
    fetched: dict[RoomName, int] = field(default_factory=dict)
    """How many records came in."""
    pushed: dict[RoomName, int] = field(default_factory=dict)
    """How many records the remote accepted."""
    renumbered: dict[RoomName, int] = field(default_factory=dict)
    """How many records here get new numbers; told by a preview alone."""
    refused: list[Pushed] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    attached: list[RoomName] = field(default_factory=list)
    accepted: int = 0
    """How many refs the remote took, cursors and summaries among them."""
    is_overtaken: bool = False
    """Whether somebody wrote here while a room was being attached, which another round has to push first."""

    @property
    def is_late(self) -> bool:
        """Whether somebody else was quicker, so that another round may do."""
        return self.is_overtaken or any(one.is_late for one in self.refused)

    def add(self, later: Report) -> None:
        """Take in what the next round did."""
        for total, counts in ((self.fetched, later.fetched), (self.pushed, later.pushed)):
            for room, count in counts.items():
                total[room] = total.get(room, 0) + count
        self.accepted += later.accepted
        self.refused = later.refused
        self.alarms += later.alarms
        self.attached += later.attached
        self.is_overtaken = later.is_overtaken


Agreed = Callable[[RoomName], bool]
"""Whether somebody agreed that the records of a room here get new numbers."""


def nobody(room: RoomName) -> bool:
    """Nobody agreed to anything."""
    return False


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
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None; ``attach`` makes it this one.

        ``identity`` is asked for when two clones' histories are joined by a commit.
        """
        self._store = store
        self._wire = wire
        self.name = wire.name
        self._identity = identity
        self._clock = clock
        self._attached = attached
        self._attach_room = attach

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
        again: Callable[[], object] = lambda: None,
    ) -> Report:
        """Rounds until the remote took everything, or said no for another reason than that somebody was quicker.

        ``again`` is called before each round but the first. Raises as :meth:`round`.
        """
        total = Report(self.name)
        pause_seconds = 0.0
        for number in range(ROUNDS):
            if number:
                again()
                time.sleep(random.uniform(0, pause_seconds))  # so that two who collided do not collide again
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
        try:
            with gate.hold(self._store.directory, LOCK_SECONDS, "sync.lock"):
                before = self._tracked()
                self._note_seen(before)
                self._fetch(room)
                after = self._tracked()
                rooms = self._rooms(after, room, is_asked)
                if any(self._attached(one) is None for one in rooms):
                    self.refuse_follower()
                for one in rooms:
                    self._check_order(one, before, after, report)
                    count = self._renumbered(one, after, pushes)
                    if count is not None and not agreed(one):
                        raise WouldRenumber(self.name, one, count)
                updates: dict[RefName, tuple[Oid, Oid | None]] = {}
                for one in rooms:
                    self._join(one, after, report)
                    updates |= self._updates(one, after) if pushes else {}
                if updates:
                    self._settle(self._push(updates), after, report)
                for one in rooms:
                    self._attach(one, report, agreed, pushes)
        except ConflictError as error:
            if error.code != "write-lock-held":
                raise
            raise ConflictError(
                "another process of this clone is syncing", hint="wait for it", code="sync-running"
            ) from error
        return report

    def preview(self, room: RoomName | None, *, pushes: bool = True) -> Report:
        """What a round would bring and push. Moves nothing here or there. Raises as :meth:`round`."""
        report = Report(self.name)
        self.refuse_follower()
        there = self._wire.listed(ROOMS_PREFIX + refs_of(room))
        logs = [ref for ref in there if room_of_log(ref) is not None]
        if logs:
            self._wire.fetch_objects(logs)
        for one in self._rooms(there, room, is_asked=True):
            local, remote = self._store.tip(log_ref(one)), there.get(log_ref(one))
            report.fetched[one] = self._count_beyond(remote, local) if remote is not None else 0
            if pushes:
                report.pushed[one] = self._count_beyond(local, remote) if local is not None else 0
            count = self._renumbered(one, there, pushes)
            if count is not None:
                report.renumbered[one] = count
        return report

    def ahead(self) -> set[RefName]:
        """The refs of attached rooms here that the remote does not have as they are, as far as is known."""
        tracked = self._tracked()
        return {
            ref
            for ref, oid in self._store.tips()
            if tracked.get(ref) != oid and self._attached(room_of(ref)) == self.name
        }

    def _tracked(self) -> dict[RefName, Oid]:
        prefix = tracking_prefix(self.name)
        found = self._store.backend.list_refs(prefix)
        return {RefName(ROOMS_PREFIX + ref.removeprefix(prefix)): oid for ref, oid in found}

    def _rooms(self, tracked: Mapping[RefName, Oid], room: RoomName | None, is_asked: bool) -> list[RoomName]:
        """Rooms that are here or there, but for those that another remote numbers, or none that nobody asked for."""
        here = set(self._store.rooms())
        known = {name for ref in tracked if (name := room_of_log(ref)) is not None} | here
        chosen = known if room is None else known & {room}
        authorities = {name: self._attached(name) for name in chosen}
        return sorted(
            name
            for name, authority in authorities.items()
            if authority == self.name or (authority is None and (is_asked or name not in here))
        )

    def _note_seen(self, tracked: Mapping[RefName, Oid]) -> None:
        """Keep hold of what only a tracking ref reaches, before a fetch may take it away."""
        for ref, oid in tracked.items():
            room = room_of_log(ref)
            local = self._store.tip(ref) if room is not None else None
            if room is None or local is None or reach.is_ancestor(oid, local, self._store.step):
                continue
            self._point(seen_ref(self.name, room), oid, f"gitchat: seen at {self.name}")

    def _check_order(
        self, room: RoomName, before: Mapping[RefName, Oid], after: Mapping[RefName, Oid], report: Report
    ) -> None:
        """Tell of a remote's log that does not continue what we have seen of it, and keep what that had."""
        old, new = before.get(log_ref(room)), after.get(log_ref(room))
        if self._attached(room) is None:
            return  # what was fetched of a room that is not attached was never shown
        if old == new:
            old = self._lost_before(room, new)
        if old is None:
            return
        if new is not None and self._is_first_parent(old, new):
            return
        if new is not None and reach.is_ancestor(old, new, self._store.step):
            report.alarms.append(
                f"room '{room}': {new} puts the log into another order than {old}, so that numbers that were shown "
                "may stand for other messages now"
            )
            return
        self._keep(room, old)
        what = f"went back behind {old}" if new is not None else "has no such room any more"
        report.alarms.append(
            f"room '{room}': the remote {what}; nothing is lost here, and the next push brings it back"
        )

    def _lost_before(self, room: RoomName, new: Oid | None) -> Oid | None:
        """What the remote had when a round ended between its fetch and this check, and what nobody has since."""
        seen, local = self._store.tip(seen_ref(self.name, room)), self._store.tip(log_ref(room))
        known = [tip for tip in (new, local) if tip is not None]
        is_here = seen is None or any(reach.is_ancestor(seen, tip, self._store.step) for tip in known)
        return None if is_here else seen

    def _keep(self, room: RoomName, old: Oid) -> None:
        """Let the local log go on from what the remote had: nothing else points to that now."""

        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, old, self._store.step):
                return old
            if reach.is_ancestor(old, local, self._store.step):
                return local
            return self._merge_logs(old, local)

        self._store.move(log_ref(room), build, f"gitchat: kept from {self.name}")

    def _is_first_parent(self, ancestor: Oid, tip: Oid) -> bool:
        """Whether ``ancestor`` is on the first-parent chain of ``tip``."""
        least = self._store.step(ancestor).seconds
        here: Oid | None = tip
        while here is not None and here != ancestor:
            step = self._store.step(here)
            if step.seconds < least:
                return False
            here = next(iter(step.parents), None)
        return here is not None

    def _renumbered(self, room: RoomName, tracked: Mapping[RefName, Oid], pushes: bool) -> int | None:
        """How many records here would lose the numbers that were shown; None when numbers stand."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if self._attached(room) is not None or local is None or remote is None:
            return None
        # What goes on from the remote's log keeps its numbers once the remote has taken it: not by a pull.
        is_same = self._is_first_parent(local, remote) or (pushes and self._is_first_parent(remote, local))
        return None if is_same else self._count_beyond(local, remote)

    def _count_beyond(self, tip: Oid, base: Oid | None) -> int:
        steps = reach.difference([tip], [base] if base is not None else [], self._store.step)
        return sum(self._store.read(oid).takes_number for oid in steps)

    # --- joining -----------------------------------------------------------------------

    def _join(self, room: RoomName, tracked: Mapping[RefName, Oid], report: Report) -> None:
        """Take in what the remote has."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if remote is not None:
            report.fetched[room] = self._count_beyond(remote, local)
        for ref in (log_ref(room), summaries_ref(room)):
            self._forward(ref, tracked.get(ref))
        for ref in tracked:
            if ref.startswith(cursors_prefix(room)):
                self._join_cursor(ref, tracked[ref])

    def _updates(self, room: RoomName, tracked: Mapping[RefName, Oid]) -> dict[RefName, tuple[Oid, Oid | None]]:
        """What the remote should take, each with the value that it must still have."""
        updates: dict[RefName, tuple[Oid, Oid | None]] = {}
        for ref in (log_ref(room), summaries_ref(room)):
            local, remote = self._store.tip(ref), tracked.get(ref)
            if local is not None and local != remote:
                updates[ref] = (self._candidate(remote, local), remote)
        for ref, cursor in self._store.backend.list_refs(cursors_prefix(room)):
            if cursor != tracked.get(ref):
                updates[ref] = (cursor, tracked.get(ref))
        return updates

    def _forward(self, ref: RefName, remote: Oid | None) -> None:
        """Move a local ref to what the remote has, where that loses nothing."""

        def build(local: Oid | None) -> Oid:
            assert remote is not None
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            return local

        if remote is not None and self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self.name}")

    def _candidate(self, remote: Oid | None, local: Oid) -> Oid:
        """What the remote should have: the local tip where that continues its own, else a merge of both."""
        if remote is None or self._is_first_parent(remote, local):
            return local
        return self._merge_logs(remote, local)

    def _join_cursor(self, ref: RefName, remote: Oid) -> None:
        """What was read there is read here, and so at once: a position is nothing that anybody has to accept."""

        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            if reach.is_ancestor(remote, local, self._store.step):
                return local
            return self._merge(remote, local, "cursor", f"{ref.rpartition('/')[2]} has read in two clones")

        if self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self.name}")

    def _merge_logs(self, remote: Oid, local: Oid) -> Oid:
        return self._merge(remote, local, "merge", f"{self._identity().name} brings what was said elsewhere")

    def _merge(self, remote: Oid, local: Oid, kind: str, body: str) -> Oid:
        """A commit of both, the remote's first, so that its order stands."""
        who, now = self._identity(), self._clock()
        committed = max([now.seconds, self._store.step(remote).seconds, self._store.step(local).seconds])
        return self._store.write_commit(
            codec.encode_commit(
                tree=self._store.empty_tree(),
                parents=(remote, local),
                author=codec.Signature(who.name, who.email, now),
                committer=codec.Signature(who.committer_name, who.committer_email, replace(now, seconds=committed)),
                body=body,
                block=(("Chat-Kind", kind),),
            )
        )

    # --- after the answer ----------------------------------------------------------------

    def _settle(self, answers: Sequence[Pushed], tracked: Mapping[RefName, Oid], report: Report) -> None:
        """Write down what the remote accepted, and show it."""
        for answer in answers:
            if not answer.is_accepted:
                report.refused.append(answer)
                continue
            report.accepted += 1
            self._track(answer.ref, answer.oid)
            self._forward(answer.ref, answer.oid)
            room = room_of_log(answer.ref)
            if room is not None:
                report.pushed[room] = self._count_beyond(answer.oid, tracked.get(answer.ref))

    def _attach(self, room: RoomName, report: Report, agreed: Agreed, pushes: bool) -> None:
        """From now on the remote numbers a room that it has, unless records here would lose their numbers by that."""
        tracked = self._store.tip(tracking_ref(self.name, log_ref(room)))
        if tracked is None or self._attached(room) is not None:
            return

        def attach(local: Oid | None) -> Oid:
            # The write lock is held: nobody gives a number here between the look and the setting.
            assert local is not None
            if local == tracked or (agreed(room) and not self._is_first_parent(tracked, local)):
                self._attach_room(room)
                report.attached.append(room)
            elif pushes and not report.refused:
                report.is_overtaken = True
            return local

        self._store.move(log_ref(room), attach, "gitchat: attached")

    def _track(self, ref: RefName, oid: Oid) -> None:
        self._point(tracking_ref(self.name, ref), oid, f"gitchat: pushed to {self.name}")

    def _point(self, ref: RefName, oid: Oid, reason: str) -> None:
        self._store.move(ref, lambda _: oid, reason)
