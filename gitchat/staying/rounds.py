"""Rounds with one remote at the pace of this clone, and what is noted of them. For who holds the keeper's lock."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.clones.trouble import Trouble, TroubleFile
from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.names import RoomName
from gitchat.model.refs import is_cursor, room_of
from gitchat.staying.pace import LONGEST_SECONDS, Waiting
from gitchat.staying.turns import Turns
from gitchat.workspace.pushing import Hurry

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.workspace.environment import Environment


class Rounds:
    """What waits here for ``remote``, when a round with it is due, and rounds. For one thread."""

    def __init__(self, environment: Environment, remote: str, interval_seconds: float | None) -> None:
        """``interval_seconds`` as for Turns."""
        from gitchat.workspace.remotes import open_remote  # for who pushes

        self._environment = environment
        self._remote = open_remote(environment, remote)
        self._turns = Turns(environment, remote, interval_seconds)
        self._file = TroubleFile(environment.repository.directory, remote)
        self._hurry = Hurry(environment, remote)
        self.trouble: Trouble | None = None
        """What was wrong in the last round; None where nothing was."""

    def waiting(self) -> Waiting:
        """What is here and may be pushed. Positions that somebody asked to be carried at once count as records.

        Nothing where we may only read, as was said more than once: a person's sync finds out when that is over.
        """
        return Waiting() if self._remote.is_denied and self._needs_a_person() else self._ahead()

    def _needs_a_person(self) -> bool:
        noted = self._file.load()
        return noted is not None and noted.needs_a_person

    def _ahead(self) -> Waiting:
        try:
            ahead = self._remote.ahead()
        except ChatError:  # the round meets it, too, and tells
            return Waiting()
        cursors = set(filter(is_cursor, ahead))
        has_hurry = bool(cursors) and self._hurry.is_asked()
        return Waiting(has_news=ahead > cursors or has_hurry, has_cursors=bool(cursors))

    def seconds_to(self, waiting: Waiting) -> float:
        """In how many seconds a round is due; none or fewer: now.

        Where somebody would have had to answer, again and again, it is looked whether somebody did.
        """
        is_waiting = self.trouble is not None and self.trouble.needs_a_person and not self._remote.is_denied
        if is_waiting and self._needs_a_person():
            return LONGEST_SECONDS
        return self._turns.seconds_to(waiting)

    def stirred(self) -> None:
        """Somebody here wrote: an answer may come soon."""
        self._turns.stirred()

    def hastened(self) -> None:
        """Somebody said that there is something at the remote: a round is due, at most every half second."""
        self._turns.hastened()

    def rely(self, *, is_relied: bool) -> None:
        """Whether what comes to the remote is said here by who brings it: then nobody has to look often."""
        self._turns.rely(is_relied=is_relied)

    def go(self, waiting: Waiting) -> Report | ChatError:
        """One round, or some where others push, too: what it did, or why it failed. Notes trouble, and its end."""
        from gitchat.clones.settling import settle  # for who pushes
        from gitchat.workspace.guarding import refresh_after

        pushes = self._turns.take(waiting)
        # Taken before: who asks during the round may have moved a cursor that it does not push.
        has_hurry = pushes > 0 and self._hurry.take()
        done: Report | ChatError
        try:
            done = settle(
                self._remote,
                None,
                random=self._environment.random,
                pushes=pushes > 0,
                is_asked=False,
                rounds=max(1, pushes),
            )
        except ChatError as error:
            done = error
        if not isinstance(done, ChatError):
            refresh_after(self._environment, has_come=any(done.fetched.values()))
        self._turns.share(self._remote.readers())
        self._turns.note(done)
        self._note(done, has_pushed=pushes > 0)
        if has_hurry and (isinstance(done, ChatError) or done.refused):
            with suppress(OSError):
                self._hurry.ask()
        return done

    def _note(self, done: Report | ChatError, *, has_pushed: bool) -> None:
        self.trouble = None
        if is_busy(done):
            return
        why, rooms = self._wrong(done)
        if why is not None:
            is_denial = not isinstance(done, ChatError) and bool(done.denial)
            self.trouble = self._file.add(why, self._environment.now().seconds, rooms, is_denial=is_denial)
        # Who only looks does not learn whether the remote takes by now what it has refused.
        elif has_pushed or not self._ahead().has_news:
            self._file.clear()

    def _wrong(self, done: Report | ChatError) -> tuple[str | None, set[RoomName]]:
        """Why something was not pushed, or None, and of which rooms; of none: of all."""
        if isinstance(done, ChatError):
            # Each face that tells it names the remote.
            return str(done).removeprefix(f"the remote '{self._remote.name}' cannot be used: "), set()
        error = lasting(done)
        if error is not None:
            refused = [one for one in done.refused if not one.is_late]
            why = f"not taken: {refused[0].words}" if refused else str(error)
            if done.denial:
                why = f"you may read there and not push: {done.denial}"
            return why, {room_of(one.ref) for one in refused} | done.newer.keys()
        with suppress(ChatError):
            for room in sorted(self._remote.left & self._environment.authorities.all().keys()):
                said = [alarm for alarm in done.alarms if f"'{room}'" in alarm] or done.alarms[-1:]
                if said and self._environment.log(room).pending():
                    return said[0], {room}
        return None, set()


def is_busy(done: Report | ChatError) -> bool:
    """Whether another process of this clone was in the middle of a round."""
    return isinstance(done, ConflictError) and done.code == "sync-running"


def lasting(report: Report) -> ChatError | None:
    """Why something was not pushed; None also where somebody else was just quicker."""
    from gitchat.rooms.refusing import newer_format  # for who is told

    if any(not one.is_late for one in report.refused):
        return report.refusal
    return next((newer_format(room, asked) for room, asked in report.newer.items()), None)
