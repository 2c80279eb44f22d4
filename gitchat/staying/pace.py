"""When to look at a remote, and when to push to it.

Two kinds of time limits meet here. A forge counts pushes and looks of all clones together,
so a clone pushes at most so often, collects what comes in between, and looks less often
while nothing happens. And people wait: what is written after a pause goes out at once, and
as soon as anything happens, the looks are close together again.

Source: docs/format.md section 13, docs/decisions/0006-when-to-look-and-push.md.
"""

from __future__ import annotations

from collections.abc import Callable

QUICK_SECONDS = 2.0
"""Between two pushes to a path or a machine behind ssh."""

FORGE_SECONDS = 15.0
"""Between two pushes to a forge. GitHub asks for at most six a minute and repository, of all clones together."""

IDLE_FACTOR = 4.0
"""So many intervals lie between two looks at the most while nothing happens, and before a cursor alone is pushed."""

BACK_OFF = 1.5
"""By how much the time to the next look grows when nothing happened."""

LONGEST_SECONDS = 300.0
"""The longest interval, however often the remote refuses."""

_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com", "sr.ht")
"""Also behind ssh."""


def interval_of(url: str) -> float:
    """Seconds between two pushes to what stands behind ``url``."""
    is_forge = url.startswith(("http://", "https://")) or any(
        f"{host}:" in url or f"{host}/" in url for host in _FORGES
    )
    return FORGE_SECONDS if is_forge else QUICK_SECONDS


class Pace:
    """When to look at a remote and when to push to it. Pure: it is told the time, in seconds of any clock."""

    def __init__(self, interval_seconds: float, jitter: Callable[[], float]) -> None:
        """``jitter`` gives what an interval is multiplied by, so that clones do not march in step."""
        self._interval = interval_seconds
        self._jitter = jitter
        self._penalty = 1.0
        self._look = interval_seconds
        self._looks_at = 0.0
        self._pushes_at = 0.0
        self._tidies_at = 0.0

    def due(self, *, has_news: bool, has_cursors: bool) -> float:
        """When the next round is due: with records to push, with cursors to push, or only to look."""
        return min(
            [self._looks_at]
            + ([self._pushes_at] if has_news else [])
            + ([max(self._pushes_at, self._tidies_at)] if has_cursors else [])
        )

    def may_push(self, now: float) -> bool:
        """Whether a round at ``now`` may push, too, or only look."""
        return now >= self._pushes_at

    def stirred(self, now: float) -> None:
        """Somebody here wrote: an answer may come soon."""
        self._look = self._interval
        self._looks_at = min(self._looks_at, now + self._look)

    def done(self, now: float, *, is_news: bool, has_pushed: bool) -> None:
        """A round ended well at ``now``; ``is_news``: it brought something."""
        self._look = self._interval if is_news or has_pushed else self._longer(self._look)
        self._penalty = max(1.0, self._penalty / 2) if has_pushed else self._penalty
        self._plan(now, has_pushed)

    def refused(self, now: float, *, is_news: bool) -> None:
        """The remote was heard and took nothing: the next push comes after twice the time, the looks as ever."""
        self._penalty = self._doubled()
        self._look = self._interval if is_news else self._longer(self._look)
        self._plan(now, True)

    def failed(self, now: float) -> None:
        """Nobody was heard: everything comes after twice the time."""
        self._penalty = self._doubled()
        self._look = self._interval * self._penalty
        self._plan(now, True)

    def _doubled(self) -> float:
        return min(self._penalty * 2, LONGEST_SECONDS / self._interval)

    def _longer(self, seconds: float) -> float:
        return min(seconds * BACK_OFF, self._interval * IDLE_FACTOR)

    def _plan(self, now: float, has_pushed: bool) -> None:
        self._looks_at = now + self._look * self._jitter()
        if has_pushed:
            self._pushes_at = now + self._interval * self._penalty * self._jitter()
            self._tidies_at = now + self._interval * IDLE_FACTOR
