"""Why nobody looks at people's work unasked for a while: a small disposable file beside the rooms.

Without it the next look finds out again. Source: docs/format.md section 17.11.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.asking import REST

LEAST_SECONDS, MOST_SECONDS = 120, 3600
"""For how long it counts at first that looking was slow, and at most: a machine is not always as busy."""

_MAX_BYTES = 4096

Why = Literal["files", "status", "time"]


@dataclass(frozen=True, slots=True)
class Rest:
    """Why, and since when."""

    why: Why
    """Too many ``files``; git's ``status`` is slow; or a look was ended when its ``time`` was over."""
    amount: float
    """How many files, or how many seconds it took."""
    at: int
    """In seconds since the epoch."""
    lasts: int = LEAST_SECONDS
    """For how many seconds it counts; without end of too many files."""

    @property
    def words(self) -> str:
        """For a person."""
        if self.why == "files":
            return f"there are {self.amount:,.0f} files"
        if self.why == "status":
            return f"git takes {self.amount:.1f} s to tell what is changed"
        return f"a look was ended after {self.amount:.0f} s"


class RestFile:
    """The file ``conflicts.rest`` in ``directory``, which is ``chatroom/``. What cannot be read says nothing."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, REST)

    def load(self, now: int) -> Rest | None:
        """What counts ``now``, in seconds since the epoch."""
        rest = self._read()
        return rest if rest is not None and (rest.why == "files" or 0 <= now - rest.at < rest.lasts) else None

    def lengthen(self, why: Why, amount: float, now: int) -> None:
        """Looking was too slow: it counts twice as long as before, unless a look since was quick. Never fails."""
        before = self._read()
        is_again = before is not None and before.why != "files"
        lasts = min(2 * before.lasts, MOST_SECONDS) if before is not None and is_again else LEAST_SECONDS
        self.note(Rest(why, amount, now, lasts))

    def _read(self) -> Rest | None:
        try:
            told = json.loads(self._file.read(_MAX_BYTES))
            why: Why = {"files": "files", "status": "status", "time": "time"}[told["why"]]  # type: ignore[assignment]
            rest = Rest(why, float(told["amount"]), int(told["at"]), int(told["lasts"]))
        except (OSError, ValueError, TypeError, KeyError, OverflowError):
            return None
        return rest

    def note(self, rest: Rest | None) -> None:
        """Let this be why; None where nothing is in the way. Never fails."""
        with suppress(OSError):
            if rest is None:
                self._file.remove()
            else:
                self._file.replace(json.dumps(asdict(rest)).encode())
