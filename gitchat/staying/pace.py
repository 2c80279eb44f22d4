"""When to look at a remote, and when to push to it. Pure: told the time, given the chance.

Two kinds of time limits meet here. A forge counts pushes and looks of all clones together,
so a clone pushes at most so often, collects what comes in between, and looks less often
while nothing happens. And people wait: what is written after a pause goes out at once, and
as soon as anything happens, the looks are close together again.

Pushes are paid with tokens. A clone has three of them at a remote, and gets another each
interval until there are three again: a question, its answer and an afterthought go out at
once, and who talks without a pause is carried as often as the remote is asked to bear. What
is left of them is the clone's, whichever of its processes pushes: an :class:`Allowance`.
Looks are the affair of the process that looks.

Source: docs/format.md section 13, docs/decisions/0008-a-bucket-of-pushes.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["forge", "near"]

INTERVALS = {"forge": 10.0, "near": 2.0}
"""Seconds until a clone may push once more. GitHub asks for at most six pushes a minute and repository."""

CAPACITY = 3
"""How many pushes may follow each other at once."""

LONGEST_SECONDS = 300.0
"""The longest time to the next token, however often the remote refuses, and to the next look."""

TIDY_SECONDS, LONGEST_TIDY_SECONDS = 60.0, 300.0
"""How long after a push cursors alone are not pushed: that somebody has read is no hurry."""

TIDY_SECONDS_A_READER = 10.0
"""So much longer the more read there: six pushes a minute of all their clones together, as GitHub asks for."""

MOST_CROWDED = 4.0
"""By how much others who are quicker stretch the interval at most. What is said is to be heard while one talks."""

CALM = 0.95
"""What a push that is taken leaves of the wait that others cause. Who doubles it each time that he comes too late, and
takes a twentieth off each time that he does not, comes too late about once in fifteen times, however many push."""

CROWDED = 2.0
"""From here on a push that came too late is not tried again at once: others would do so, too."""

IDLE_FACTOR = 4.0
"""So many intervals lie between two looks at the most while nothing happens."""

BACK_OFF = 1.5
"""By how much the time to the next look grows when nothing happened."""

RELIED_SECONDS = 180.0
"""The time between two looks while whoever pushes is relied on to say so: for what goes without saying, as positions
do. A look over HTTP with a password is three requests."""

HASTE_SECONDS = 0.5
"""The shortest time between two looks that somebody asked for: whoever rings costs a fetch."""

_ROUNDING = 1e-6
"""What may be missing of a token or a second because numbers are rounded."""

_SLOW_DOWN = re.compile(
    r"\b(HTTP|error:?) 429\b|rate.?limit|too many requests|abuse detection|secondary rate", re.IGNORECASE
)


def kind_of(url: str) -> Kind:
    """What stands behind an address, by its transport: near is a path of this machine, and nothing else."""
    # As git tells a path from host:path. Source: git-clone(1), GIT URLS.
    is_path = url != "" and ":" not in url.partition("/")[0]
    return "near" if is_path or url.startswith("file://") else "forge"


def asks_to_slow_down(words: str) -> bool:
    """Whether a remote's answer is that it is asked too often, which only forges say."""
    return _SLOW_DOWN.search(words) is not None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a clone may push to a remote, at one moment, which who holds it has to know."""

    tokens: float = CAPACITY
    """Pushes that may be made; a part of one is on its way."""
    penalty: float = 1.0
    """By how much refusals have stretched the interval."""
    tidy_seconds: float = 0.0
    """In how many seconds cursors alone may be pushed."""
    crowd: float = 1.0
    """By how much others who were quicker have stretched the interval."""

    def gap_seconds(self, interval_seconds: float) -> float:
        """The time from one token to the next."""
        return max(interval_seconds, min(interval_seconds * self.crowd * self.penalty, LONGEST_SECONDS))

    def after(self, seconds: float, interval_seconds: float) -> Allowance:
        """What it is so many seconds later. Others are forgotten by half in five minutes."""
        more = self.with_more(seconds / self.gap_seconds(interval_seconds))
        crowd = max(1.0, self.crowd * 0.5 ** (seconds / LONGEST_SECONDS))
        return replace(more, tidy_seconds=max(0.0, self.tidy_seconds - seconds), crowd=crowd)

    def with_more(self, tokens: float) -> Allowance:
        """With so many more tokens, or fewer; never more than there may be."""
        return replace(self, tokens=min(float(CAPACITY), self.tokens + tokens))

    def accepted(self, interval_seconds: float, tidy_seconds: float, late: int) -> Allowance:
        """After a push that the remote took, the first time or after it came too ``late`` so often.

        The next token takes half the time, if refusals had stretched it.
        """
        penalty = self._stretched(0.5, interval_seconds)
        more = self.crowded(interval_seconds, late)
        return replace(more, penalty=penalty, tidy_seconds=tidy_seconds, crowd=max(1.0, more.crowd * CALM))

    def refused(self, interval_seconds: float, tidy_seconds: float) -> Allowance:
        """After one that it did not take: no token is left, and the next one takes twice the time."""
        return Allowance(0.0, self._stretched(2.0, interval_seconds), tidy_seconds, self.crowd)

    def crowded(self, interval_seconds: float, late: int) -> Allowance:
        """After pushes that came too late so often: the next token takes twice the time for each."""
        return replace(self, crowd=min(MOST_CROWDED, self.crowd * 2.0 ** min(late, 10)))

    def _stretched(self, factor: float, interval_seconds: float) -> float:
        longer = min(interval_seconds * self.penalty * factor, LONGEST_SECONDS)
        return max(1.0, longer / interval_seconds)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is here and not at the remote."""

    has_news: bool = False
    """Records, or anything else but cursors."""
    has_cursors: bool = False


class Pace:
    """When the next round is due, and what it may do. Times are seconds of any clock that goes on evenly."""

    def __init__(
        self, interval_seconds: float, jitter: Callable[[], float], allowance: Allowance | None = None, now: float = 0.0
    ) -> None:
        """``allowance`` is what there was at ``now``; None: a clone that has not pushed yet.

        ``jitter`` gives what a time is multiplied by, at least 1, so that clones do not march in step.
        """
        self._interval = interval_seconds
        self._jitter = jitter
        self._allowance = allowance or Allowance()
        self._as_of = now
        self._taken = 0
        self._stretch = 1.0
        self._look = interval_seconds
        self._looks_at = now
        self._hastened = -math.inf
        self._failures = 0
        self._is_relied = False
        self._tidy_seconds = TIDY_SECONDS

    def allowance(self, now: float) -> Allowance:
        """What may be pushed at ``now``, to be kept for who comes after."""
        return self._allowance.after(max(0.0, now - self._as_of), self._interval)

    def due(self, waiting: Waiting) -> float:
        """When the next round is due: with records to push, with cursors to push, or only to look.

        While the remote is not heard, all of it waits for the next look.
        """
        if self._failures:
            return self._looks_at
        tidies_at = self._as_of + self._allowance.tidy_seconds
        return min(
            [self._looks_at]
            + ([self._has_tokens_at(1)] if waiting.has_news else [])
            + ([max(self._has_tokens_at(2), tidies_at)] if waiting.has_cursors else [])
        )

    def _has_tokens_at(self, count: int) -> float:
        missing = max(0.0, count - self._allowance.tokens)
        return self._as_of + missing * self._allowance.gap_seconds(self._interval) * self._stretch

    def share(self, readers: int) -> None:
        """So many read at the remote, whose positions all go there."""
        wanted = readers * TIDY_SECONDS_A_READER
        self._tidy_seconds = min(LONGEST_TIDY_SECONDS, max(TIDY_SECONDS, wanted))

    def take(self, now: float, waiting: Waiting) -> int:
        """Take the tokens of a round at ``now``: how often it may push; 0 when it only looks.

        Records are pushed as soon as a token is there, and cursors go with them. Cursors alone wait for
        their minute, and leave a token to what is said next.
        """
        self._age(now)
        tokens = int(self._allowance.tokens + _ROUNDING)
        if self._allowance.crowd >= CROWDED:
            tokens = min(tokens, 1)
        may_tidy = waiting.has_cursors and self._allowance.tidy_seconds <= _ROUNDING
        self._taken = tokens if waiting.has_news else max(0, tokens - 1) if may_tidy else 0
        self._allowance = self._allowance.with_more(-self._taken)
        return self._taken

    def spend(self, now: float, pushes: int) -> None:
        """So many pushes were made that waited for no token."""
        self._age(now)
        left = max(0.0, self._allowance.tokens - pushes)
        self._allowance = replace(self._allowance, tokens=left, tidy_seconds=self._tidy_seconds)

    def lower(self, now: float, other: Allowance) -> None:
        """Another process of the clone has spent something, and left ``other``."""
        self._age(now)
        mine = self._allowance
        tidy_seconds = max(mine.tidy_seconds, other.tidy_seconds)
        self._allowance = replace(mine, tokens=min(mine.tokens, other.tokens), tidy_seconds=tidy_seconds)

    def rely(self, now: float, *, is_relied: bool) -> None:
        """Whether, from now on, all that comes to the remote is said here by who brings it."""
        if self._is_relied and not is_relied:
            self._looks_at = min(self._looks_at, now + self._interval)
        self._is_relied = is_relied

    def stirred(self, now: float) -> None:
        """Somebody here wrote: an answer may come soon."""
        if self._is_relied:
            return  # it will be said
        self._look = self._interval
        self._looks_at = min(self._looks_at, now + self._look)

    def hastened(self, now: float) -> None:
        """Somebody said that there is something at the remote: the next look is due now, whatever went before.

        Once in :data:`HASTE_SECONDS`; what is said in between counts as one more. Nothing is pushed sooner for it.
        """
        at = max(now, self._hastened + HASTE_SECONDS)
        if at < self._looks_at:
            self._looks_at = self._hastened = at

    def done(self, now: float, *, is_news: bool, pushes: int = 0) -> None:
        """A round ended well at ``now``, after so many pushes; ``is_news``: it brought something.

        What it took and did not use is given back, but for one: should something wait here that no round
        ever pushes, rounds must not follow each other without a pause.
        """
        self._age(now)
        unused, self._taken = max(0, self._taken - max(1, pushes)), 0
        left = self._allowance.with_more(unused)
        self._allowance = left.accepted(self._interval, self._tidy_seconds, pushes - 1) if pushes else left
        self._plan(now, is_busy=is_news or pushes > 0)

    def refused(self, now: float, *, is_news: bool) -> None:
        """The remote was heard and did not take everything: pushes come after twice the time, looks as ever."""
        self._age(now)
        self._allowance, self._taken = self._allowance.refused(self._interval, self._tidy_seconds), 0
        self._plan(now, is_busy=is_news)

    def late(self, now: float, *, is_news: bool, pushes: int) -> None:
        """Others were quicker each time: no token is left, and pushes come less often."""
        self._age(now)
        self._allowance, self._taken = replace(self._allowance.crowded(self._interval, pushes), tokens=0.0), 0
        self._plan(now, is_busy=is_news)

    def failed(self, now: float, *, is_refusal: bool = False) -> None:
        """Nobody was heard: the next look comes after twice the time.

        What was taken is spent, as it may have come there. ``is_refusal``: all that was heard is to slow down.
        """
        self._age(now)
        if is_refusal:
            self._allowance = self._allowance.refused(self._interval, self._tidy_seconds)
        self._taken = 0
        self._failures += 1
        doubled = self._interval * 2.0 ** min(self._failures, 30)
        self._look = max(self._interval, min(doubled, LONGEST_SECONDS))
        self._looks_at = now + self._look * self._jitter()

    def change_interval(self, now: float, interval_seconds: float) -> None:
        """From now on tokens and looks come at another interval."""
        self._age(now)
        self._interval = interval_seconds
        self._look = max(self._look, interval_seconds)

    def _age(self, now: float) -> None:
        self._allowance, self._as_of = self.allowance(now), max(now, self._as_of)

    def _plan(self, now: float, *, is_busy: bool) -> None:
        longer = min(self._look * BACK_OFF, self._interval * IDLE_FACTOR)
        self._failures, self._look = 0, self._interval if is_busy or self._failures else longer
        self._stretch = self._jitter()
        self._looks_at = now + (RELIED_SECONDS if self._is_relied else self._look) * self._stretch
