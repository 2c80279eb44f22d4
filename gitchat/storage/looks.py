"""When a store looks again at what it wrote, and at how much of that: every look is a call of the system an object."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gitchat.model.names import Oid

AGAIN_SECONDS = 0.2
"""How soon a store looks again at what it wrote."""

AT_ONCE = 16
"""How many objects it looks at before a record: who writes now and then must not pay for all that is not packed yet."""


class Looks:
    """The looks of one store at the objects of its journal: at all of them first, and then a part of them each time."""

    def __init__(self) -> None:
        self._looked_at: float | None = None
        self._has_seen_all = False
        self._left: Sequence[Oid] = ()
        """What is still to be looked at in this turn."""

    def begin(self, *, is_forced: bool = False) -> bool:
        """Whether to look now: nobody did a moment ago, or it ``is_forced``. From now on somebody did."""
        now = time.monotonic()
        is_time = self._looked_at is None or is_forced or now - self._looked_at >= AGAIN_SECONDS
        if is_time:
            self._looked_at = now
        return is_time

    def all(self, read: Callable[[], Sequence[Oid]]) -> Sequence[Oid]:
        """All that ``read`` gives."""
        self._has_seen_all = True
        return read()

    def part(self, read: Callable[[], Sequence[Oid]]) -> Sequence[Oid]:
        """The next ones of those that ``read`` gives, which is called where a turn begins; all at the first time."""
        if not self._has_seen_all:
            return self.all(read)
        oids = self._left or read()
        self._left = oids[AT_ONCE:]
        return oids[:AT_ONCE]


def not_loose(common_dir: Path, oids: Iterable[Oid]) -> list[Oid]:
    """Those of ``oids`` of which there is no loose copy."""
    objects = f"{common_dir}/objects"
    return [oid for oid in oids if not os.path.exists(f"{objects}/{oid[:2]}/{oid[2:]}")]
