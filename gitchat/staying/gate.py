"""What the hooks of a session saw last, when they had no more to say of it: ``chatroom/gate/KEY``.

The gate before the hooks of agents (``scripts/git-chat-hook``) reads the heads of the logs, and starts nothing while
they are those. It has written them to ``KEY.<pid>`` before it starts what looks here, which keeps them under ``KEY``.
No clock counts. Source: docs/format.md section 7.24.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_SEEN = re.compile(r"([A-Za-z0-9_-]{1,200})\.[0-9]{1,10}")

KEPT_SECONDS = 7 * 24 * 3600
"""How long that of a session stays that looks no more."""


class Gate:
    """The gate before this process, below ``directory``, which is ``chatroom/`` in the git common directory.

    ``seen`` is the name of what it wrote; blank when there is none, and then a hook looks each time. Nothing raises.
    """

    def __init__(self, directory: Path, seen: str) -> None:
        self._directory = directory / "gate"
        self._names = _SEEN.fullmatch(seen)

    def keep(self, *, is_settled: bool) -> None:
        """What was seen need not be looked at once more, if it ``is_settled``."""
        if self._names is None:
            return
        seen, kept = self._directory / self._names[0], self._directory / self._names[1]
        with suppress(OSError):
            if is_settled:
                os.replace(seen, kept)
            else:
                os.unlink(seen)
                os.unlink(kept)

    def sweep(self, now_seconds: int) -> None:
        """Remove those of sessions that looked no more for a week."""
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < now_seconds - KEPT_SECONDS:
                        os.unlink(entry.path)
