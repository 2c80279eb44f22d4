"""When a store looks again at what it wrote, and at how much of that: every look is a call of the system an object."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitchat.model.names import Oid

AGAIN_SECONDS = 0.2
"""How soon a store looks again at what it wrote."""

AT_ONCE = 32
"""How many objects it looks at before a record: who writes now and then must not pay for all that is not packed yet."""


class Looks:
    """The looks of one store at the objects of its journal: at all of them first, and then a part of them each time."""

    def __init__(self) -> None:
        self._looked_at: float | None = None
        self._upto = 0
        """How many objects were looked at since it began with the oldest again."""

    @property
    def has_begun(self) -> bool:
        """Whether it has looked at all."""
        return self._looked_at is not None

    def begin(self, *, is_forced: bool = False) -> bool:
        """Whether to look now: nobody did a moment ago, or it ``is_forced``. From now on somebody did."""
        now = time.monotonic()
        is_time = self._looked_at is None or is_forced or now - self._looked_at >= AGAIN_SECONDS
        if is_time:
            self._looked_at = now
        return is_time

    def part(self, oids: Sequence[Oid]) -> Sequence[Oid]:
        """The next ones of ``oids``, which are those of the journal, oldest first."""
        start = self._upto if self._upto < len(oids) else 0
        self._upto = start + AT_ONCE
        return oids[start : self._upto]


def not_loose(common_dir: Path, oids: Iterable[Oid]) -> list[Oid]:
    """Those of ``oids`` of which there is no loose copy."""
    objects = f"{common_dir}/objects"
    return [oid for oid in oids if not os.path.exists(f"{objects}/{oid[:2]}/{oid[2:]}")]
