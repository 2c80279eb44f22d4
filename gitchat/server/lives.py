"""How long those that a server for many acts for live under their names: while something goes on, and 90 s after.

Who falls silent then rests: the names are free, as those of a client that went away without a word have to be, and
what was joined is kept. With the next request it lives again as before, unless somebody took a name meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Membership
from gitchat.workspace.environment import Environment

LIVES_SECONDS = 90.0
"""How long a name lives after its last request: three of the beats that clients send."""


@dataclass(frozen=True, slots=True)
class _Resting:
    """A name that was lived under, and as what."""

    name: Name
    label: str | None
    given: str | None
    rooms: dict[RoomName, Membership]


class Life:
    """The signs of life of one party. For the thread of the event loop, but for what says otherwise."""

    __slots__ = ("_open", "_resting", "_seen", "is_resting")

    def __init__(self) -> None:
        self._seen = time.monotonic()
        self._open = 0
        self._resting: list[_Resting] = []
        self.is_resting = False
        """Whether it has to be woken before it acts."""

    def heard(self) -> None:
        """A request came. In any thread."""
        self._seen = time.monotonic()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """A request, or a stream, is open meanwhile."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self.heard()

    @property
    def is_open(self) -> bool:
        """Whether something goes on."""
        return self._open > 0

    @property
    def is_silent(self) -> bool:
        """Whether nothing goes on, and nothing came for too long. In any thread."""
        return not self._open and time.monotonic() - self._seen >= LIVES_SECONDS

    # --- where a call acts -----------------------------------------------------------

    def rest(self, environment: Environment, keeps: Callable[[Name], bool] = lambda name: False) -> None:
        """Let go the names that the party of ``environment`` lives under, but for those that ``keeps`` names."""
        self.is_resting = True
        for name, held in environment.held().items():
            if keeps(name):
                continue
            presence = environment.roll.find(name)
            rooms = presence.rooms if presence is not None else {}
            here = {room: at for room, at in rooms.items() if at.left_at is None}
            self._resting.append(_Resting(name, held.holder.label, held.holder.given, here))
            held.release()

    def wake(self, environment: Environment) -> None:
        """Live again as before. Raises UserError ``name-taken``; what is taken is tried again at the next wake."""
        while self._resting:
            one = self._resting[0]
            held = environment.hold(one.name, label=one.label, given=one.given)
            for room, at in one.rooms.items():
                held.join(room, role=at.role, capabilities=at.capabilities, now=environment.now().seconds)
            del self._resting[0]
        self.is_resting = False
