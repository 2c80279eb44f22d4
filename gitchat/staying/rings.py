"""When a session's bell may ring: one notice at a time, each heard or not, and a budget. Pure: no clock, no disk.

A client takes a ring as a turn of its model, which somebody pays for, and two agents could thank each other for
ever, each waking the other. So an hour has 20 rings, whatever room they are for. A few are kept for people, and no
sender has more than some, so that a third is heard while two others talk. Who has heard nothing of a ring is
rung no more before it shows life. Source: docs/format.md section 14.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

HOUR_SECONDS = 3600

RINGS_PER_HOUR = 20
"""Of one session, for all rooms together."""

KEPT_FOR_PEOPLE = 5
"""So many of them are for people who name the seat: agents alone cannot use them up."""

RINGS_PER_SENDER = 5
"""Of one session, for what one name wrote."""

LEASE_SECONDS = 30
"""How long what was rung counts as told, unheard: a client that took it and died has told nobody."""

UNHEARD_SECONDS = 60
"""After so long a ring that nothing showed to be heard was not."""

TURN_SECONDS = 60
"""So long after the last sign of life a turn counts as over of which nobody tells the end."""

Event = Literal["session-start", "prompt", "tool", "stop", "session-end", "call"]
"""What shows that a session lives: a hook, or a call of a tool."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote something that would ring."""

    name: str
    is_person: bool = False
    """Whether a person wrote it, to this seat by name or role."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring, in seconds since the epoch."""

    at: int
    senders: tuple[str, ...]
    """Whose messages it was for."""
    is_for_person: bool = False
    heard_at: int | None = None
    """When its session showed life; None as long as it did not."""
    is_over: bool = False
    """Whether the turn that took it has ended, or none will take it."""
    is_failed: bool = False
    """Whether the client could not be rung at all."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What a session was rung for lately. The methods give what it becomes; nothing changes in place."""

    rings: tuple[Ring, ...] = ()
    """Those of the last hour, and the last one, oldest first."""
    seen_at: int = 0
    """When the session last showed life."""
    has_ended: bool = False
    held_back_at: int | None = None
    """When the budget held something back that was not said yet; None when it did not."""

    def in_last_hour(self, now: int) -> Sequence[Ring]:
        """The rings that count against the budget. What lies ahead, for a clock was set back, counts, too."""
        return [ring for ring in self.rings if now - ring.at < HOUR_SECONDS]

    @property
    def outstanding(self) -> Ring | None:
        """The notice that a turn may still have to take, or has taken and not ended."""
        return self.rings[-1] if self.rings and not self.rings[-1].is_over else None

    def pause_seconds(self, now: int) -> float:
        """How long one has to wait for the last ring: 0 for no more, inf until the session shows life."""
        last = self.outstanding
        if self.has_ended:
            return math.inf
        if last is None:
            return 0.0
        if last.heard_at is not None:
            return max(0.0, self.seen_at + TURN_SECONDS - now)
        left = last.at + UNHEARD_SECONDS - now
        return float(left) if left > 0 and not last.is_failed else math.inf

    def allowed(self, senders: Iterable[Sender], now: int) -> list[Sender]:
        """Those of ``senders`` whom the budget lets ring now; none when it is used up."""
        rings = self.in_last_hour(now)
        for_people = sum(ring.is_for_person for ring in rings)
        left = RINGS_PER_HOUR - len(rings)
        left_for_agents = left - max(0, KEPT_FOR_PEOPLE - for_people)
        return [
            sender
            for sender in senders
            if (left if sender.is_person else left_for_agents) > 0
            and sum(sender.name in ring.senders for ring in rings) < RINGS_PER_SENDER
        ]

    def allows_in(self, now: int) -> float:
        """In how many seconds the budget has more; 0 where nothing of it is used."""
        rings = self.in_last_hour(now)
        return float(min(max(1, ring.at + HOUR_SECONDS - now) for ring in rings)) if rings else 0.0

    # --- what it becomes --------------------------------------------------------

    def with_ring(self, senders: Iterable[Sender], now: int) -> Rung:
        """After a ring for these, who are allowed."""
        asked = list(senders)
        ring = Ring(now, tuple(sorted({one.name for one in asked})), any(one.is_person for one in asked))
        return replace(self, rings=(*self.in_last_hour(now), ring))

    def after_failure(self) -> Rung:
        """After the last ring could not be made: nobody hears it, and none is made before the session shows life."""
        return replace(self, rings=(*self.rings[:-1], replace(self.rings[-1], is_failed=True)))

    def after(self, event: Event, now: int) -> Rung:
        """After its session showed life by ``event``."""
        last = self.outstanding
        rings = self.rings
        if last is not None:
            # Who starts has not heard what its session was rung for before; a later sign of life than the limit
            # says only that somebody may be rung again.
            is_late = last.is_failed or (last.heard_at is None and not 0 <= now - last.at <= UNHEARD_SECONDS)
            is_heard = last.heard_at is None and not is_late and event not in ("session-start", "session-end")
            is_over = is_late or event in ("session-start", "stop", "session-end")
            rings = (*rings[:-1], replace(last, heard_at=now if is_heard else last.heard_at, is_over=is_over))
        return replace(self, rings=rings, seen_at=now, has_ended=event == "session-end")

    def holding_back(self, now: int) -> Rung:
        """After the budget held something back; see :attr:`held_back_at`."""
        return replace(self, held_back_at=now) if self.held_back_at is None else self

    def having_said_so(self) -> Rung:
        """After that was said."""
        return replace(self, held_back_at=None)

    def is_heard(self, now: int) -> Iterator[bool | None]:
        """Of each ring of the last hour: whether it was heard; None as long as it can still be."""
        for ring in self.in_last_hour(now):
            is_open = ring is self.outstanding and not ring.is_failed and now - ring.at < UNHEARD_SECONDS
            yield True if ring.heard_at is not None else None if is_open else False
