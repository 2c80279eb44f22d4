"""Letting a room follow a remote: by a note before anything of it is here, or by what the remote has accepted.

Either way it is done under the write lock, so that nobody gives a number here between the look and the note.
Source: docs/format.md sections 12.9 and 12.13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitchat.clones.comparing import is_first_parent
from gitchat.clones.notes import HERE, Note, Notes
from gitchat.clones.report import Consent, Report
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.storage.store import Store

MOST_ROOMS = 4096
"""How many rooms that nobody asked for are taken in at once. A remote may have any number of them."""


class Attaching:
    """What lets rooms follow one remote."""

    def __init__(
        self,
        store: Store,
        remote: str,
        notes: Notes,
        *,
        attached: Callable[[RoomName], str | None],
        attach: Callable[[RoomName], object],
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None; ``attach`` makes it a setting."""
        self._store = store
        self._remote = remote
        self._notes = notes
        self._attached = attached
        self._attach = attach

    def adopt(self, rooms: Sequence[RoomName], place: str) -> list[RoomName]:
        """Note that those of ``rooms`` follow the remote, at ``place``, which are not here; which they are.

        Before anything of them is: what is written here from now on waits for a number of the remote's. Whoever
        took a room in first and noted it then could give a number to a message that another one has there.

        None where rooms follow the remote and none of them at this place: nobody agreed to it yet.
        """
        with self._store.writing():
            noted = self._notes.all()
            if not self.is_agreed(place):
                return []
            adopted = [room for room in rooms if room not in noted and self._is_free(room)][:MOST_ROOMS]
            if adopted:
                self._notes.put({room: Note(self._remote, place) for room in adopted})
        return adopted

    def is_agreed(self, place: str) -> bool:
        """Whether a room follows the remote at ``place``, or none at a place that is known."""
        places = {note.address for note in self._notes.all().values() if note.remote == self._remote and note.address}
        return not places or place in places

    def _is_free(self, room: RoomName) -> bool:
        """Whether nothing of ``room`` is here, or was."""
        is_here = self._store.is_damaged(log_ref(room)) or self._store.tip(log_ref(room)) is not None
        return not is_here and self._attached(room) is None and not self._store.is_lost(room)

    def attach(self, room: RoomName, place: str, report: Report, consent: Consent, *, pushes: bool) -> None:
        """Let ``room``, which the remote has and which follows nothing, follow it because somebody asked for it.

        Not where records would lose their numbers by that.
        """
        tracked = self._store.tip(tracking_ref(self._remote, log_ref(room)))
        assert tracked is not None

        def attach(local: Oid | None) -> Oid:
            assert local is not None
            if local == tracked or (consent.renumbers(room) and not is_first_parent(self._store, tracked, local)):
                self._notes.put({room: Note(self._remote, place)})
                self._attach(room)
                report.attached.append(room)
                return local
            if pushes and not report.refused:
                report.is_overtaken = True
            # Its tracking ref alone must not tell that it follows.
            self._notes.put({room: HERE})
            return local

        self._store.move(log_ref(room), attach, "gitchat: attached")
