"""What this clone shares of its work, and since when it has seen what others share: a small disposable file.

Without it a share is replaced from where the remote has it, and what stands there for a day counts a day longer.
Source: docs/format.md section 17.8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from gitchat.model.names import Oid, RefName
from gitchat.model.refs import work_of
from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Share:
    """One share of ours."""

    remote: str
    sign: str
    """Of the work that was shared last, or that the remote did not take."""
    oid: str
    """What the remote has; empty where it has none."""
    at: int
    """When that was pushed, in seconds since the epoch."""
    left_out: tuple[tuple[str, str], ...] = ()
    """The paths that are not shared, and why; the path is empty where that is all of it."""


@dataclass(frozen=True, slots=True)
class Shares:
    """All that is noted."""

    mine: Mapping[RefName, Share] = field(default_factory=dict)
    seen: Mapping[RefName, tuple[Oid, int]] = field(default_factory=dict)
    """What others share, and since when it has stood so; by our clock, as theirs may be wrong."""


class SharesFile:
    """The file ``shared`` in ``directory``, which is ``chatroom/``. What cannot be read was never noted."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, "shared")

    def load(self) -> Shares:
        """What is noted."""
        try:
            content = json.loads(self._file.read(_MAX_BYTES))
            mine = {RefName(ref): _share(told) for ref, told in content["mine"].items() if work_of(RefName(ref))}
            seen = {RefName(ref): (Oid(str(told[0])), int(told[1])) for ref, told in content["seen"].items()}
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return Shares()
        return Shares(mine, seen)

    def save(self, shares: Shares) -> None:
        """Note it, where it is something else than what stands there. Raises OSError."""
        if shares != self.load():
            told = {"mine": {ref: asdict(one) for ref, one in shares.mine.items()}, "seen": dict(shares.seen)}
            self._file.replace(json.dumps(told).encode())

    def look(self, there: Mapping[RefName, Oid], now: int) -> dict[RefName, int]:
        """Since when each share of others stands as it is ``there``. Raises OSError."""
        shares = self.load()
        known = shares.seen
        seen = {
            ref: (oid, min(known[ref][1], now) if ref in known and known[ref][0] == oid else now)
            for ref, oid in there.items()
        }
        self.save(replace(shares, seen=seen))
        return {ref: since for ref, (_, since) in seen.items()}


def _share(told: Mapping[str, object]) -> Share:
    left_out = told["left_out"]
    pairs = tuple((str(path), str(why)) for path, why in left_out) if isinstance(left_out, list) else ()
    return Share(str(told["remote"]), str(told["sign"]), str(told["oid"]), int(str(told["at"])), pairs)
