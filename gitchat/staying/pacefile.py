"""What a clone has left of its pushes to a remote, kept for the next process that pushes: a small disposable file.

A process that ends and another that begins are one clone for the remote. Read and written by
who holds the keeper's lock. The time is wall-clock time in whole seconds, which may jump: a file
never makes anybody wait longer than it would have from the moment it was written.
Source: docs/format.md section 7.16.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gitchat.staying.pace import CAPACITY, LONGEST_TIDY_SECONDS, MOST_CROWDED, Allowance
from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file says."""

    allowance: Allowance
    at_seconds: int
    """When that was so."""
    is_forge: bool = False
    """Whether the remote has ever asked to slow down."""

    def allowance_at(self, seconds: int, interval_seconds: float) -> Allowance:
        """What it has become. A clock that was set back has stood still."""
        # Of two whole seconds that differ by one only an instant may lie between the times.
        elapsed = max(0, seconds - self.at_seconds - 1)
        return self.allowance.after(elapsed, interval_seconds)


class PaceFile:
    """The file of ``remote`` in ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: what cannot be kept is forgotten, and then a clone has not pushed yet.
    """

    def __init__(self, directory: Path, remote: str) -> None:
        self._file = OwnFile(directory, f"pace-{quote(remote, safe='')}")

    def load(self) -> Kept | None:
        """What was kept; None where there is nothing, or nothing that makes sense."""
        try:
            return _decoded(json.loads(self._file.read(_MAX_BYTES)))
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    def save(self, kept: Kept) -> None:
        """Keep it instead of what was kept. A kill leaves the one or the other."""
        content = {
            "tokens": round(kept.allowance.tokens, 6),
            "penalty": kept.allowance.penalty,
            "tidy_seconds": math.ceil(kept.allowance.tidy_seconds),
            "at": kept.at_seconds,
            "is_forge": kept.is_forge,
            "crowd": round(kept.allowance.crowd, 3),
        }
        with suppress(OSError):
            self._file.replace(json.dumps(content).encode("ascii") + b"\n")


def _decoded(content: dict[str, Any]) -> Kept:
    """A file's content, where every number is brought into its bounds. Raises as ``load`` catches."""
    tokens, penalty, tidy_seconds = (float(content[key]) for key in ("tokens", "penalty", "tidy_seconds"))
    crowd = float(content.get("crowd", 1.0))
    if not all(map(math.isfinite, (tokens, penalty, tidy_seconds, crowd))):
        raise ValueError("no number of anything")
    allowance = Allowance(
        min(max(tokens, 0.0), float(CAPACITY)),
        max(penalty, 1.0),
        min(max(tidy_seconds, 0.0), LONGEST_TIDY_SECONDS),
        min(max(crowd, 1.0), MOST_CROWDED),
    )
    return Kept(allowance, int(content["at"]), content.get("is_forge") is True)
