"""What a round would do with one room, counted before anything is moved."""

from __future__ import annotations

from gitchat.clones.comparing import Comparing, Tips, count_beyond
from gitchat.clones.report import Report
from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref
from gitchat.storage.store import Store


def preview(store: Store, comparing: Comparing, room: RoomName, there: Tips, report: Report, *, pushes: bool) -> None:
    """Note in the report what would come of ``room``, of which the remote has ``there``, and what would be pushed.

    Raises:
        FormatError: a commit of it cannot be read.
    """
    local, remote = store.tip(log_ref(room)), there.get(log_ref(room))
    report.fetched[room] = count_beyond(store, remote, local) if remote is not None else 0
    if pushes:
        report.pushed[room] = count_beyond(store, local, remote) if local is not None else 0
    count = comparing.renumbered(room, there, pushes)
    if count is not None:
        report.renumbered[room] = count
