"""How often somebody may ask: a bucket of tokens for each key. Pure: it is told what time it is."""

from __future__ import annotations

from collections.abc import Hashable

_MOST = 10_000
"""How many buckets are kept before those that are full again, and so say nothing, are dropped."""


class Buckets:
    """For each key ``burst`` requests at once, and ``per_second`` more each second."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def spend(self, key: Hashable, now: float) -> float:
        """Take one request of ``key`` at ``now``, in seconds of any clock that never goes back.

        0.0 when it was there; else nothing is taken, and in so many seconds there is one.
        """
        level = self._level(key, now)
        if level >= 1:
            if len(self._levels) >= _MOST and key not in self._levels:
                self._drop_full(now)
            self._levels[key] = (level - 1, now)
            return 0.0
        return (1 - level) / self._per_second

    def __len__(self) -> int:
        return len(self._levels)

    def _level(self, key: Hashable, now: float) -> float:
        level, then = self._levels.get(key, (self._burst, now))
        return min(self._burst, level + (now - then) * self._per_second)

    def _drop_full(self, now: float) -> None:
        self._levels = {key: kept for key, kept in self._levels.items() if self._level(key, now) < self._burst}
