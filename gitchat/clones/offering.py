"""Offering the remote what is here: one push, and what its answer comes to.

It can take a ref or not; it can let us read and nothing else; and it can take what it shows to nobody.
Source: docs/format.md sections 12.3, steps 5 and 6, 12.16 and 12.17.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from gitchat.clones.accepting import Accepting
from gitchat.clones.answer import Pushed
from gitchat.clones.comparing import Tips
from gitchat.clones.denial import DenialFile, is_denial
from gitchat.clones.inbox import Inbox
from gitchat.clones.report import Report
from gitchat.clones.sifting import Sifting
from gitchat.clones.spoiled import odd_refs, without_blocked
from gitchat.clones.target import push_address
from gitchat.clones.wire import Updates, Wire
from gitchat.model.errors import RemoteError
from gitchat.model.names import RefName, RoomName
from gitchat.model.refs import is_cursor, room_of, room_of_log
from gitchat.storage.store import Store


class Offering:
    """What pushes to one remote."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        accepting: Accepting,
        sifting: Sifting,
        *,
        push: Callable[[Updates, str | None], Sequence[Pushed]],
        now: Callable[[], int],
        attached: Callable[[RoomName], str | None],
        inbox: Inbox | None,
    ) -> None:
        """``push`` asks the remote, as Wire.push; ``now`` gives seconds since the epoch.

        ``attached`` tells the remote that gives a room its numbers, or None. ``inbox`` is where records go that may
        not be pushed there; None where there is no fork.
        """
        self._store = store
        self._wire = wire
        self._accepting = accepting
        self._sifting = sifting
        self._push = push
        self._now = now
        self._attached = attached
        self._inbox = inbox
        self._denials = DenialFile(store.directory, wire.name)

    @property
    def is_denied(self) -> bool:
        """Whether the remote lets us read only, as far as is known."""
        return self._denials.load() is not None

    def still_ahead(self, ahead: set[RefName]) -> set[RefName]:
        """Those of the refs ``ahead`` of the remote that are worth a push: where we may only read neither positions,
        nor what waits in our fork.
        """
        if not ahead or not self.is_denied:
            return ahead
        waiting = {room for room in map(room_of, ahead) if self._inbox is not None and self._inbox.holds(room)}
        return {ref for ref in ahead if not is_cursor(ref) and room_of(ref) not in waiting}

    def tidy(self, rooms: Collection[RoomName]) -> None:
        """Remove from the fork what has come from there to the remote of ``rooms``."""
        if self._inbox is not None:
            self._inbox.tidy(rooms)

    def allowed(self, updates: Updates, place: str, found: Tips, report: Report, *, is_asked: bool) -> Updates:
        """Those of ``updates`` that are worth a push to ``place``, where all of ``found`` is.

        Who may only read pushes no cursor by itself; and nothing is pushed that something else stands in the place of.
        """
        updates = without_blocked(updates, odd_refs(found), report)
        denial = self._denials.load()
        if denial is None or is_asked:
            return updates
        if denial.place != place:  # nobody has said anything there
            self._denials.clear()
            return updates
        return {ref: update for ref, update in updates.items() if not is_cursor(ref)}

    def push(
        self, updates: Updates, place: str, seen: Tips, there: Tips, report: Report, numbered: Collection[RoomName]
    ) -> None:
        """Push ``updates`` to where the rooms stand that were fetched from ``place``, and note what the remote took.

        ``seen`` is what we last saw at the remote, ``there`` what it has. What it never takes of
        the rooms ``numbered``, which follow it, is set aside.

        Raises:
            OtherPushPlace: none of its addresses for pushing is that place.
            RemoteError: ``remote-hangs``, ``remote-failed``; ``hidden-refs``: it took a room that it shows to nobody.
        """
        address = push_address(self._store, self._wire, place, seen, there)
        report.pushes += 1
        try:
            answers = self._push(updates, address)
        except RemoteError as error:
            words = str(error).partition(" cannot be used: ")[2]
            if error.code != "remote-failed" or not is_denial(words):
                raise
            self._deny(updates, words, place, report, numbered)
            return
        if answers and all(map(_is_denied, answers)):
            self._deny(updates, answers[0].words, place, report, numbered)
            return
        if any(one.is_accepted for one in answers):
            self._denials.clear()
        hidden = self._hidden(answers, there)
        self._accepting.accept([one for one in answers if one.ref not in hidden], there, report)
        if hidden:
            self._track_again({room_of(ref) for ref in hidden}, seen, there)
            raise self._is_hidden(sorted(hidden)[0])
        self._sifting.sift(numbered, there, report, lambda asked: self._push(asked, address))

    def _track_again(self, rooms: Collection[RoomName], seen: Tips, there: Tips) -> None:
        """What was seen of rooms before they were hidden has its numbers still."""
        for ref, oid in seen.items():
            if room_of(ref) in rooms:
                self._accepting.track(ref, oid, there.get(ref))

    def _deny(self, updates: Updates, words: str, place: str, report: Report, numbered: Collection[RoomName]) -> None:
        """Note that nothing may be pushed. Positions can do without; that records wait is said each time.

        Where there is a fork they wait there, which is no failure.
        """
        report.denial = words
        refused = [Pushed(ref, new, False, words) for ref, (new, _) in updates.items() if not is_cursor(ref)]
        if self._inbox is not None:
            logs = {room_of(one.ref) for one in refused if room_of_log(one.ref) in numbered}
            settled = self._inbox.put(logs, report.alarms)
            report.in_fork |= {room: self._inbox.fork for room, waits in settled.items() if waits}
            refused = [one for one in refused if room_of(one.ref) not in settled]
        report.refused += refused
        is_new = self._denials.add(words, place, self._now())
        if is_new and not refused:
            report.alarms.append(
                f"'{self._wire.name}' lets you read and not push ({words}): "
                "how far you have read is known in this clone alone"
            )

    def _hidden(self, answers: Sequence[Pushed], there: Tips) -> Collection[RefName]:
        """The refs that the remote has and shows to nobody who fetches.

        Asked of a room that it took for the first time, and of any ref that it has and did not show.
        """
        new = [
            one.ref
            for one in answers
            if one.ref not in there and (one.is_late or (one.is_accepted and room_of_log(one.ref) is not None))
        ]
        listed = self._wire.listed(*new) if new else {}
        return {ref for ref in new if ref not in listed}

    def _is_hidden(self, ref: RefName) -> RemoteError:
        name, room = self._wire.name, room_of(ref)
        there, prefix = self._wire.layout.there(ref), self._wire.layout.prefix
        ask = f"ask who runs '{name}' to show {prefix}* (uploadpack.hideRefs), and then: git chat sync {name}"
        alone = f"or number it here: git chat remote detach {room} --yes"
        return RemoteError(
            f"'{name}' has {there} and does not show it: nobody could fetch what is pushed there",
            hint=f"{ask}; {alone if self._attached(room) is not None else 'the room keeps its own numbers'}",
            code="hidden-refs",
        )


def _is_denied(answer: Pushed) -> bool:
    return not answer.is_accepted and not answer.is_late and not answer.is_unwanted and is_denial(answer.words)
