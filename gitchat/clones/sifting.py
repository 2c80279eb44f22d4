"""Finding the record that a remote will never take, so that it holds up nobody else's.

A host may refuse what a push holds: a password that it found, a file that is too large, an author that it does not
know. Its answer names no record that we could rely on, so it is asked: the same again first; then the pending records
in their order, fewer at a time until one alone is refused, and more again after each that is taken. What was refused
alone while others were taken, and then once more, is set aside. Where nothing was taken the host may refuse whatever
comes, and all stay as they are.

Another way would have been to leave the log as it is and to push copies of the others: then each record would be in
it twice, and the culprit would come along with the next merge.
Source: docs/format.md section 12.20.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from gitchat.clones.accepting import Accepting
from gitchat.clones.answer import Pushed
from gitchat.clones.comparing import Tips
from gitchat.clones.joining import Joining
from gitchat.clones.report import Report
from gitchat.clones.wire import Updates
from gitchat.model.names import Oid, RefName, RoomName, handle_of
from gitchat.model.order import Key
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref, room_of, room_of_log, summaries_ref, tracking_ref
from gitchat.rooms import aside
from gitchat.rooms.rebuilding import NotPending, pending_keys, take_out, without
from gitchat.rooms.vouching import vouch
from gitchat.storage.store import Store

IN_VAIN = 12
"""How many pushes in a row may be refused before it is given up for this time: enough to halve 2,000 records."""

MOST = 60
"""How many pushes there are of one room in a round at the most."""

Push = Callable[[Updates], Sequence[Pushed]]


class _Late(Exception):
    """Somebody else pushed meanwhile: another round has to look first."""


class Sifting:
    """Who asks one remote about single records. For who holds ``sync.lock``."""

    def __init__(
        self, store: Store, remote: str, joining: Joining, accepting: Accepting, clock: Callable[[], Moment]
    ) -> None:
        self._store = store
        self._remote = remote
        self._joining = joining
        self._accepting = accepting
        self._clock = clock

    def sift(self, rooms: Collection[RoomName], there: Tips, report: Report, push: Push) -> None:
        """Set aside what the remote does not take of the logs that it has just refused; ``there`` is what it has.

        Only in ``rooms``, which follow it: what is pending there has no number that was shown.

        Tells it in the report, from which the refusals of such a room go: another round pushes what is left.

        Raises:
            RemoteError: the remote is not heard any more. What it took by then is noted.
        """
        if self._vouches(report):
            return
        is_together = len(report.refused) > 1
        for answer in [one for one in report.refused if not one.is_late]:
            room = room_of_log(answer.ref)
            if answer.ref == summaries_ref(room_of(answer.ref)):
                report.give_up[room_of(answer.ref)] = _giving_up(answer.ref, there.get(answer.ref))
            if room is None or room not in rooms or answer.oid is None:
                continue
            case = _Case(self, room, there.get(answer.ref), report, push, is_together=is_together)
            try:
                has_moved = case.run()
            except _Late:
                has_moved = True
            if has_moved:
                report.refused = [one for one in report.refused if room_of(one.ref) != room]
                report.is_overtaken = True

    def _vouches(self, report: Report) -> bool:
        """Where the host takes nothing of who wrote it: whether another round can push it under the user's own address.

        A room that has it already, and is refused all the same, stays among the refusals.
        """
        rooms = {room_of(one.ref) for one in report.refused if one.is_about_addresses}
        who = self._joining.identity() if rooms else None
        done = {room for room in rooms if who is not None and vouch(self._store, room, self._tracked, who)}
        report.refused = [one for one in report.refused if room_of(one.ref) not in done]
        report.is_overtaken = report.is_overtaken or bool(done)
        return bool(done)

    def _tracked(self, ref: RefName) -> Oid | None:
        return self._store.tip(tracking_ref(self._remote, ref))

    def ask(self, room: RoomName, tip: Oid, at: Oid | None, report: Report, push: Push) -> tuple[Oid | None, str]:
        """Where the remote's log is after it was asked to go on to ``tip``, and its words. Raises _Late."""
        ref = log_ref(room)
        candidate = self._joining.candidate(at, tip)
        report.pushes += 1
        (answer,) = push({ref: (candidate, at)})
        if answer.is_late:
            raise _Late
        if answer.is_accepted:
            before = report.pushed.get(room, 0)
            self._accepting.accept([answer], {ref: at} if at is not None else {}, report)
            report.pushed[room] = report.pushed.get(room, 0) + before
            return candidate, answer.words
        return at, answer.words

    def pending(self, room: RoomName, at: Oid | None) -> dict[Key, Oid]:
        """The records here that the remote does not have, oldest first."""
        return pending_keys(self._store, self._store.tip(log_ref(room)), at)

    def without(self, room: RoomName, at: Oid | None, dropped: Collection[Key]) -> Oid:
        """The log here without some of its pending records."""
        tip = self._store.tip(log_ref(room))
        assert tip is not None
        return without(self._store, tip, at, dropped)

    def set_aside(self, room: RoomName, key: Key, words: str, report: Report) -> None:
        """Let a record of the log stand aside, and say so."""
        oid = self._store.tip(log_ref(room))
        found = self.pending(room, self._store.tip(tracking_ref(self._remote, log_ref(room)))).get(key)
        if oid is None or found is None:
            return
        words = words.partition("; ")[2] or words  # the server's own, where it said more than git
        aside.put(self._store, room, found, self._remote, words, self._clock())
        try:
            take_out(
                self._store, room, self._tracked, {key},
                f"gitchat: {self._remote} does not take it",
            )  # fmt: skip
        except NotPending:
            return
        handle, author = handle_of(key[0]), self._store.read(found).author.name
        report.alarms.append(
            f"room '{room}': {handle} of {author} is set aside, because '{self._remote}' does not take it: {words}; "
            f"to take it back: git chat unsend --room {room} {handle}; to try it once more: git chat sync --retry"
        )


class _Case:
    """One room whose log was refused."""

    def __init__(
        self, sifting: Sifting, room: RoomName, at: Oid | None, report: Report, push: Push, *, is_together: bool
    ) -> None:
        """``is_together`` is whether something else was refused in the same push, which may be why it was."""
        self._is_together = is_together
        self._sifting = sifting
        self._room = room
        self._at = at
        self._report = report
        self._push = push
        self._taken: set[Key] = set()
        self._words: dict[Key, str] = {}
        """Of records that were refused alone."""
        self._asked = 0
        self._in_vain = 0

    def run(self) -> bool:
        """Whether the remote took something. Raises _Late."""
        keys = list(self._sifting.pending(self._room, self._at))
        if (len(keys) > 1 or self._is_together) and self._takes(keys):
            return True
        if len(keys) < 2:
            self._report.alone.update((self._room, handle_of(key[0])) for key in keys)
            return False  # nothing is held up by it
        self._go_through(keys)
        if not self._taken:
            return False
        for key in [*self._words]:
            if not self._takes([key]):
                self._sifting.set_aside(self._room, key, self._words[key], self._report)
        return True

    def _go_through(self, keys: Sequence[Key]) -> None:
        place, size = 0, max(1, len(keys) // 2)
        while place < len(keys) and self._in_vain < IN_VAIN and self._asked < MOST:
            part = keys[place : place + size]
            if self._takes(part):
                place, size = place + len(part), size * 2
            elif len(part) == 1:
                place += 1
            else:
                size = len(part) // 2

    def _takes(self, part: Sequence[Key]) -> bool:
        """Whether the remote takes these, of all that it has not taken yet."""
        others = self._sifting.pending(self._room, self._at).keys() - self._taken - set(part)
        tip = self._sifting.without(self._room, self._at, others)
        before = self._at
        self._at, words = self._sifting.ask(self._room, tip, self._at, self._report, self._push)
        self._asked += 1
        if self._at != before:
            self._taken |= set(part)
            self._in_vain = 0
            return True
        self._in_vain += 1
        if len(part) == 1:
            self._words[part[0]] = words
        return False


def _giving_up(ref: RefName, there: Oid | None) -> str:
    """The command after which ``ref`` has here what it has at the remote."""
    return f"git update-ref {ref} {there}" if there is not None else f"git update-ref -d {ref}"
