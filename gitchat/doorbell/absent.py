"""That a hub has no doorbell, noted so that it is not asked by each process that stays: a small disposable file.

Source: docs/format.md section 7.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from gitchat.storage.ownfiles import OwnFile

ASKED_AGAIN_SECONDS = 24 * 3600
"""After how long it is asked again: somebody may have installed gitchat there."""

_MAX_BYTES = 4096


class AbsentFile:
    """The file of ``remote`` in ``directory``, which is ``chatroom/`` in the git common directory. Nothing raises."""

    def __init__(self, directory: Path, remote: str) -> None:
        self._file = OwnFile(directory, f"nodoorbell-{quote(remote, safe='')}")

    def save(self, place: str, now_seconds: int) -> None:
        """What stands at ``place``, an address as two are compared, has none."""
        with suppress(OSError):
            self._file.replace(json.dumps({"place": place, "at": now_seconds}).encode("ascii") + b"\n")

    def says(self, place: str, now_seconds: int) -> bool:
        """Whether that is known of ``place``, and lately."""
        try:
            told = json.loads(self._file.read(_MAX_BYTES))
            return told["place"] == place and 0 <= now_seconds - int(told["at"]) < ASKED_AGAIN_SECONDS
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return False

    def clear(self) -> None:
        """It has one."""
        with suppress(OSError):
            self._file.remove()
