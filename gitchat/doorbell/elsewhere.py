"""Who lives in other clones, kept for the other processes of this one: a small disposable file for each remote.

Written by who keeps the clone in step with that remote, and hears the doorbell. Times are wall-clock seconds; what is
older than beats are believed is nobody. Source: docs/format.md section 7.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gitchat.doorbell.beats import FORGOTTEN_SECONDS, MAX_CLONES, MAX_NAMES, Elsewhere, alive
from gitchat.doorbell.knock import clone_of
from gitchat.model.names import RoomName
from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 1 << 20
_MAX_LISTED = MAX_CLONES * MAX_NAMES


class ElsewhereFile:
    """The file of ``remote`` in ``directory``, which is ``chatroom/`` in the git common directory. Nothing raises."""

    def __init__(self, directory: Path, remote: str) -> None:
        self._file = OwnFile(directory, f"elsewhere-{quote(remote, safe='')}")

    def save(self, rooms: Mapping[RoomName, Iterable[Elsewhere]], now_seconds: int) -> None:
        """Keep who lives elsewhere ``now_seconds`` after the epoch, instead of what was kept. By one process."""
        listed = {
            room: [
                {"name": one.name, "role": one.role, "client": one.client, "clone": one.clone}
                | {"at": now_seconds - one.age_seconds}
                for one in found
            ]
            for room, found in rooms.items()
        }
        with suppress(OSError):
            self._file.replace(json.dumps({"v": 1, "rooms": listed}).encode("ascii") + b"\n")

    def load(self, room: RoomName, now_seconds: int) -> list[Elsewhere]:
        """Who lives elsewhere, of those in ``room``, as far as that was heard lately; sorted as it was kept."""
        try:
            listed = json.loads(self._file.read(_MAX_BYTES))["rooms"][room]
            return [*_living(listed[:_MAX_LISTED], now_seconds)]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return []

    def remove(self) -> None:
        """Nobody listens any more."""
        with suppress(OSError):
            self._file.remove()


def _living(listed: list[Any], now_seconds: int) -> Iterator[Elsewhere]:
    for told in listed:
        one, clone = alive(told), clone_of(told["clone"])
        age_seconds = now_seconds - int(told["at"])
        # A clock that was set back has stood still.
        if one is not None and clone is not None and age_seconds < FORGOTTEN_SECONDS:
            yield Elsewhere(one.name, one.role, one.client, clone, max(0, age_seconds))
