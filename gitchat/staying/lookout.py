"""Looking, as long as somebody stays, whether the clone's remote has rooms by now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.clones.looking import AGAIN_SECONDS, Asker
from gitchat.model.errors import ChatError

if TYPE_CHECKING:
    from gitchat.workspace.environment import Environment


class Lookout:
    """Looks at the clone's remote until a room here follows it. For one thread, which :meth:`run` has."""

    def __init__(
        self,
        environment: Environment,
        *,
        begins_session: bool,
        only_tells: bool,
        tell: Callable[[str], object],
        arrived: Callable[[], object],
    ) -> None:
        """``environment`` must be the thread's own. ``begins_session``: a session begins with it.

        ``only_tells`` as for arriving.arrive. ``tell`` gets a sentence once; ``arrived`` is called when a room
        follows the remote.
        """
        self._environment = environment
        self._asker = Asker.SESSION if begins_session else Asker.STAYING
        self._only_tells = only_tells
        self._tell = tell
        self._arrived = arrived
        self._told: set[str] = set()
        self._stop = threading.Event()
        self._has_looked = threading.Event()

    def run(self) -> None:
        """Until something follows the remote, or it is closed."""
        from gitchat.workspace.arriving import is_untouched  # for who has a remote

        try:
            while not self._stop.is_set():
                self._look()
                if self._follows():
                    self._arrived()
                    return
                self._has_looked.set()
                if self._only_tells and is_untouched(self._environment):
                    return  # a stranger's clone: it was said, and nothing more is asked
                self._asker = Asker.STAYING
                self._stop.wait(self._pause_seconds())
        finally:
            self._has_looked.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the first look is over; False when that takes longer."""
        return self._has_looked.wait(seconds)

    def close(self) -> None:
        """End; a look that is under way is not waited for."""
        self._stop.set()

    def _look(self) -> None:
        from gitchat.workspace.arriving import arrive  # for who has a remote

        try:
            said = arrive(self._environment, self._asker, only_tells=self._only_tells)
        except ChatError as error:
            said = [str(error)]
        for sentence in said:
            if sentence not in self._told and not self._stop.is_set():
                self._told.add(sentence)
                self._tell(sentence)

    def _follows(self) -> bool:
        with suppress(ChatError):  # who uses the rooms meets it, too
            return self._environment.repository.arrives_at() in self._environment.authorities.all().values()
        return False

    def _pause_seconds(self) -> float:
        """How long until it is looked again, at most as long as what was heard holds."""
        remote, now = self._environment.repository.arrives_at(), self._environment.now().seconds
        last = self._environment.authorities.notes.look(remote) if remote is not None else None
        again = last.again_at(Asker.STAYING) if last is not None else None
        return max(1.0, min(again - now, AGAIN_SECONDS)) if again is not None else AGAIN_SECONDS
