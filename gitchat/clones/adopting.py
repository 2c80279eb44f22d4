"""Taking over what was purged at a remote: what is blank there becomes blank here, and what it was goes.

The log there does not go on from the one that was seen, so by the table of ``place`` both would be joined, and what was
purged would be back. So it is looked first whether the new one is the old one with records blank and nothing else done
to it. Then the log here becomes that, with what is pending here written again behind it under its uids, and every
position follows by its place.

Source: docs/format.md sections 12.28 and 18.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from gitchat.clones.comparing import Tips, is_first_parent, records_of
from gitchat.clones.judging import Judgement
from gitchat.clones.report import Consent, Report
from gitchat.clones.spoiled import Spoiled
from gitchat.model import purge
from gitchat.model.names import Oid, RoomName, Uid
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.rooms import purging
from gitchat.rooms.rebuilding import pending_keys
from gitchat.rooms.rewriting import Rewriting
from gitchat.storage.store import Store

MOST_NUMBERS = 5
"""How many numbers a note names."""

Numbers = Mapping[int, purge.Purged]
"""The numbers that were purged, and who did it."""


class Adopting:
    """What one clone takes over of purges at one remote. For who holds ``sync.lock``."""

    def __init__(
        self,
        store: Store,
        remote: str,
        variables: Mapping[str, str],
        *,
        numbered: Callable[[RoomName, Oid, Collection[Uid]], Mapping[Uid, Oid]],
        is_asked_for: Callable[[], bool] = lambda: False,
        done: Callable[[], object] = lambda: None,
    ) -> None:
        """``variables`` are for git. ``numbered`` tells which of some uids have a number in a log, and by which commit.
        ``is_asked_for`` is whether somebody wants to agree to each (``chat.purge``); ``done`` is called when something
        was taken over.
        """
        self._store = store
        self._remote = remote
        self._variables = variables
        self._numbered = numbered
        self._is_asked_for = is_asked_for
        self._done = done
        self._told_of: set[Oid] = set()
        """Logs of which it was said that somebody has to agree: once by who stays, each time by who asks."""
        self._known: dict[tuple[Oid, Oid], Numbers | None] = {}

    def clear_up(self) -> None:
        """Clear up behind a purge that was killed: a lock that it left at a ref would stop git's fetch.

        Raises as Store.writing.
        """
        if purging.Owed(self._store).all():
            with self._store.writing():
                pass

    def purged(self, old: Oid | None, new: Oid | None) -> Numbers | None:
        """What was purged between two logs of a room; None where that is not what was done. Raises FormatError."""
        if old is None or new is None or old == new:
            return None
        if (old, new) not in self._known:
            self._known = {(old, new): self._compared(old, new)}
        return self._known[old, new]

    def _compared(self, old: Oid, new: Oid) -> Numbers | None:
        if is_first_parent(self._store, old, new):
            return None
        records = records_of(self._store, new)
        places = purge.purged_places(records_of(self._store, old), records, self._store.read)
        said = ((place, self._store.read(records[place]).block or ()) for place in places or ())
        return {place + 1: found for place, block in said if (found := purge.purged_in(block)) is not None} or None

    def going(
        self, judgements: Mapping[RoomName, Judgement], there: Tips, consent: Consent, report: Report, spoiled: Spoiled
    ) -> dict[RoomName, Judgement]:
        """``judgements`` without rooms of which somebody wants to be asked first; the report says so."""
        if consent.takes_purges or not self._is_asked_for():
            return dict(judgements)
        held = {}
        for room, judged in judgements.items():
            with spoiled.apart(room):
                numbers = self.purged(judged.seen, there.get(log_ref(room))) if judged.goes_on else None
                if numbers:
                    held[room] = numbers
        report.alarms += [
            f"room '{room}': {_told(numbers)} at '{self._remote}'; it is here as before, and nothing is joined or "
            f"pushed until you agree: git chat sync {self._remote} --accept-purge"
            for room, numbers in held.items()
            if there[log_ref(room)] not in self._told_of
        ]
        self._told_of |= {there[log_ref(room)] for room in held}
        return {room: judged for room, judged in judgements.items() if room not in held}

    def adopt(self, room: RoomName, old: Oid | None, new: Oid | None, report: Report) -> bool:
        """Let the log of ``room`` be what was purged at the remote; whether it was. :meth:`finish` does the rest.

        Nothing is done where something else stands there, unless the log here would bring back what is blank there:
        this clone may have fetched it before it knew of purges. Raises FormatError, and what Store.move raises.
        """
        local = self._store.tip(log_ref(room))
        numbers = self.purged(old, new)
        if old is None or new is None or not (numbers or self._would_bring_back(room, local, new)):
            return False
        rewriting = Rewriting(self._store)
        rewriting.pair([tip for tip in (old, local) if tip is not None], [new])
        purging.owe(self._store, room, rewriting)
        if local is not None:
            self._store.move(log_ref(room), lambda tip: rewriting.image(tip or local), purging.REASON)
        report.notes += [f"{_told(numbers)} of room '{room}'; it was removed here, too"] if numbers else []
        return bool(numbers)

    def _would_bring_back(self, room: RoomName, local: Oid | None, new: Oid) -> bool:
        """Whether the log here, of which the remote has not all, says what is blank there."""
        if local is None or is_first_parent(self._store, new, local) or self._store.tip(log_ref(room)) == new:
            return False
        mine = {key for key, oid in pending_keys(self._store, local, new).items() if not self._is_blank(oid)}
        known = self._numbered(room, new, {uid for uid, _ in mine}) if mine else {}
        return any(self._is_blank(oid) for oid in known.values())

    def _is_blank(self, oid: Oid) -> bool:
        return purge.is_blank(self._store.read(oid))

    def finish(self, room: RoomName, report: Report) -> None:
        """Remove what has to go of ``room``, whose log is new here and in what is tracked; a kill may have left it.

        Raises as purging.finish.
        """
        if room in purging.Owed(self._store).all():
            left = self.finish_here(room)
            report.notes += [told_left(left)] if left.count else []

    def finish_here(self, room: RoomName) -> purging.Left:
        """As :meth:`finish`: what git still has here then."""
        tracked = self._store.tip(tracking_ref(self._remote, log_ref(room)))
        left = purging.finish(self._store, room, [tracked], self._variables)
        self._done()
        return left


def told_left(left: purging.Left) -> str:
    """Where objects of what was purged still are, and how they go."""
    if left.holders:
        return f"git keeps it here by {', '.join(left.holders[:3])}: remove that, and then: git gc --prune=now"
    return "git still has it here, where nothing reaches it, until: git gc --prune=now"


def _told(numbers: Numbers) -> str:
    """``alice purged #2 and #5``."""
    who = list(dict.fromkeys(said.name for said in numbers.values()))
    first = [f"#{number}" for number in sorted(numbers)[:MOST_NUMBERS]]
    more = [f"{len(numbers) - MOST_NUMBERS} more"] if len(numbers) > MOST_NUMBERS else []
    listed = [*first, *more]
    said = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
    return f"{' and '.join(who[:3])} purged {said}"
