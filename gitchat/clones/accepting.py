"""Writing down what a remote has: what was fetched of it, and what it took of a push.

Only then does anything here move that readers see, so that an answer that got lost costs nothing.
Source: docs/format.md sections 12.2 and 12.3, step 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.clones.answer import Pushed
from gitchat.clones.comparing import Tips, count_beyond
from gitchat.clones.dropping import Dropped
from gitchat.clones.idle import Idle
from gitchat.clones.joining import Joining
from gitchat.clones.report import Report
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import fetched_ref, is_cursor, room_of_log, tracking_ref
from gitchat.storage.store import Store


class Accepting:
    """What notes where the refs of one remote are."""

    def __init__(self, store: Store, remote: str, joining: Joining, idle: Idle, dropped: Dropped) -> None:
        self._store = store
        self._remote = remote
        self._joining = joining
        self._idle = idle
        self._dropped = dropped

    def accept(self, answers: Sequence[Pushed], there: Tips, report: Report) -> None:
        """Write down what the remote accepted of a push, and show it. ``there`` is what it had before."""
        for answer in answers:
            if answer.is_accepted:
                report.accepted += 1
                self.track(answer.ref, answer.oid, there.get(answer.ref))
                self._show(answer.ref, answer.oid, there.get(answer.ref), report)
            elif answer.oid is None:
                self._stays(answer, report)
            else:
                report.refused.append(answer)

    def _stays(self, answer: Pushed, report: Report) -> None:
        """A cursor stays there: somebody moves it, or the remote lets nobody remove a ref.

        Only where a person asked for it anybody has to hear of that.
        """
        self._idle.stay(answer.ref)
        if not answer.is_late and self._dropped.settle(answer.ref, is_gone=False):
            stays = report.layout.there(answer.ref)
            report.alarms.append(f"'{self._remote}' does not remove {stays}, which comes back: {answer.words}")

    def _show(self, ref: RefName, new: Oid | None, old: Oid | None, report: Report) -> None:
        if new is None:
            self._dropped.settle(ref, is_gone=True)
            if old is not None:
                for gone in (ref, fetched_ref(self._remote, ref)):
                    self._store.remove(gone, old, f"gitchat: nobody reads by it at {self._remote}")
            return
        self._joining.forward(ref, new)
        if not is_cursor(ref):
            report.taken[ref] = new
        room = room_of_log(ref)
        if room is not None:
            report.begun += [room] if old is None else []
            report.pushed[room] = count_beyond(self._store, new, old)

    def track(self, ref: RefName, new: Oid | None, old: Oid | None) -> None:
        """Write down that the remote has ``ref`` at ``new``, or no more."""
        tracking = tracking_ref(self._remote, ref)
        if new is not None and new != old:
            self._store.point(tracking, new, f"gitchat: at {self._remote}")
        elif new is None and old is not None:
            self._store.remove(tracking, old, f"gitchat: gone at {self._remote}")
