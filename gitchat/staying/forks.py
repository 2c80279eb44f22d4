"""Looking at the forks that ``chat.forks`` names, for who stays: what waits there is taken in, and pushed.

Source: docs/format.md section 12.25.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RefName
from gitchat.workspace.forks import looked_at

if TYPE_CHECKING:
    from gitchat.workspace.environment import Environment

EVERY_SECONDS = 60.0
"""How often they are looked at, at the most: nobody is known to wait there."""

LIMIT_SECONDS = 30.0
"""How long one fork may keep us from the room's own remote."""


FORGET_AFTER = 30
"""After how many looks an inbox is looked at again that could not be taken in and has not moved."""


class Forks:
    """The forks whose inboxes go to ``remote``. For one thread, which holds the keeper's lock."""

    def __init__(self, environment: Environment, remote: str) -> None:
        self._environment = environment
        self._remote = remote
        self._due = 0.0
        self._known: dict[tuple[str, RefName], Oid] = {}
        """Where the inboxes stood that were looked at."""
        self._looks = 0

    def look(self) -> bool:
        """Take in what is new, if it is time to; whether something was. A fork that fails ends nothing."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + EVERY_SECONDS
        self._looks += 1
        if self._looks % FORGET_AFTER == 0:
            self._known.clear()
        names = [name for name in looked_at(self._environment) if name != self._remote]
        taken = [self._take(name) for name in names]  # all of them, whatever the first has
        return any(taken)

    def _take(self, name: str) -> bool:
        from gitchat.workspace.inboxes import take  # for who has forks

        def is_known(ref: RefName, tip: Oid) -> bool:
            was = self._known.get((name, ref))
            self._known[name, ref] = tip
            return was == tip

        with suppress(ChatError):
            arrival = take(
                self._environment, name, follows=self._remote, is_known=is_known, limit_seconds=LIMIT_SECONDS
            )
            return arrival is not None and any(taken.count for taken in arrival.taken.values())
        return False
