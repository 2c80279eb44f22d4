"""Letting what was fetched of a room be what the remote has: from here on it counts.

First goes what only the tracking refs tell: what the remote has lost is kept, what it dropped goes here, and what was
purged there is taken over. Source: docs/format.md sections 12.3, 12.7 and 12.28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitchat.clones.accepting import Accepting
from gitchat.clones.admission import Admission
from gitchat.clones.adopting import Adopting
from gitchat.clones.comparing import Tips
from gitchat.clones.joining import Joining
from gitchat.clones.judging import Judgement
from gitchat.clones.notes import Notes
from gitchat.clones.report import Report
from gitchat.clones.spoiled import Spoiled
from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref, room_of


class Counting:
    """What moves the tracking refs of one remote to what was fetched. For who holds ``sync.lock``."""

    def __init__(
        self,
        remote: str,
        joining: Joining,
        accepting: Accepting,
        admission: Admission,
        notes: Notes,
        attached: Callable[[RoomName], str | None],
        adopting: Adopting,
    ) -> None:
        self._remote = remote
        self._joining = joining
        self._accepting = accepting
        self._admission = admission
        self._notes = notes
        self._attached = attached
        self._adopting = adopting

    def go_on(
        self, judgements: Mapping[RoomName, Judgement], seen: Tips, there: Tips, report: Report, spoiled: Spoiled
    ) -> list[RoomName]:
        """The rooms with which something is done; for each, what was fetched counts from here on."""
        going = []
        for room, judgement in judgements.items():
            words = judgement.words(self._remote, room)
            report.alarms += [words] if words else []
            with spoiled.apart(room):
                if judgement.goes_on and (not judgement.has_lost or self._admission.may_write(room, there, report)):
                    going.append(room)
        for room in going:
            with spoiled.apart(room):
                self._count_from_here(room, judgements[room], seen, there, report)
                self._adopting.finish(room, report)
        return [room for room in going if room not in spoiled]

    def _count_from_here(self, room: RoomName, judgement: Judgement, seen: Tips, there: Tips, report: Report) -> None:
        """Let what was fetched of ``room`` be what the remote has."""
        if judgement.tells_drops:
            self._joining.drop_cursors(room, seen, there)
        if self._adopting.adopt(room, judgement.seen, there.get(log_ref(room)), report):
            pass  # of the old log nothing is kept
        elif judgement.has_lost and judgement.seen is not None:
            kept = self._joining.keep(room, {**seen, log_ref(room): judgement.seen}, there)
            if judgement.is_arriving:  # what they are numbered by, until the new place has it
                seen, there = ({ref: oid for ref, oid in tips.items() if ref not in kept} for tips in (seen, there))
        if judgement.new_place is not None and self._attached(room) is not None:
            self._notes.put({room: judgement.new_place})
        for ref in {*seen, *there}:
            if room_of(ref) == room:
                self._accepting.track(ref, there.get(ref), seen.get(ref))
