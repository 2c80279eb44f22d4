"""What the hooks of a session saw last, when they had no more to say of it: ``chatroom/gate/KEY``.

The gate before the hooks of agents (``scripts/git-chat-hook``) reads the heads of the logs, and starts nothing while
they are those. It has written them to ``KEY.<pid>`` before it starts what looks here, which keeps them under ``KEY``.
No clock counts. Source: docs/format.md section 7.24.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from gitchat.storage.ownfiles import OwnFile, entries

_SEEN = re.compile(r"([A-Za-z0-9_-]{1,200})\.[0-9]{1,10}")

KEPT_SECONDS = 7 * 24 * 3600
"""How long that of a session stays that looks no more."""


class Gate:
    """The gate before this process, below ``directory``, which is ``chatroom/`` in the git common directory.

    ``seen`` is the name of what it wrote; blank when there is none, and then a hook looks each time. Nothing raises.
    """

    def __init__(self, directory: Path, seen: str) -> None:
        self._directory = directory
        self._names = _SEEN.fullmatch(seen)

    def keep(self, *, is_settled: bool) -> None:
        """What was seen need not be looked at once more, if it ``is_settled``."""
        if self._names is None:
            if self._directory.is_dir():
                with suppress(OSError):  # the gate, which is sh, writes only where this is
                    self._file("any").make_directory()
            return
        seen, kept = self._file(self._names[0]), self._file(self._names[1])
        with suppress(OSError):
            if is_settled:
                seen.rename(self._names[1])
            else:
                seen.remove()
                kept.remove()

    def sweep(self, now_seconds: int) -> None:
        """Remove those of sessions that looked no more for a week."""
        for name in entries(self._directory, "gate"):
            with suppress(OSError):
                if self._file(name).modified() < now_seconds - KEPT_SECONDS:
                    self._file(name).remove()

    def _file(self, name: str) -> OwnFile:
        return OwnFile(self._directory, f"gate/{name}")
