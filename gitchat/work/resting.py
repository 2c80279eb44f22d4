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
from gitchat.workspace.asking import REST, REST_SECONDS

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
        try:
            told = json.loads(self._file.read(_MAX_BYTES))
            why: Why = {"files": "files", "status": "status", "time": "time"}[told["why"]]  # type: ignore[assignment]
            rest = Rest(why, float(told["amount"]), int(told["at"]))
        except (OSError, ValueError, TypeError, KeyError, OverflowError):
            return None
        return rest if why == "files" or 0 <= now - rest.at < REST_SECONDS else None

    def note(self, rest: Rest | None) -> None:
        """Let this be why; None where nothing is in the way. Never fails."""
        with suppress(OSError):
            if rest is None:
                self._file.remove()
            else:
                self._file.replace(json.dumps(asdict(rest)).encode())
