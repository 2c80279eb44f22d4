"""Since when conflicts are there, kept for the next look: a small disposable file beside the rooms.

One that is gone at the next look was an edit on its way, and nobody is told. Source: docs/format.md section 17.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 256 * 1024
_FORGOTTEN_SECONDS = 86_400

Key = str
"""The names of both, sorted, with a blank between."""


class FoundFile:
    """The file ``conflicts`` in ``directory``, which is ``chatroom/``. What cannot be read was never found."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, "conflicts")

    def since(self) -> dict[Key, dict[str, int]]:
        """When each path of each pair was found first, in seconds since the epoch."""
        return self._read()[0]

    def _read(self) -> tuple[dict[Key, dict[str, int]], dict[Key, tuple[str, int]]]:
        try:
            content = json.loads(self._file.read(_MAX_BYTES))
            found = {
                str(key): {str(path): int(seconds) for path, seconds in paths.items()}
                for key, paths in content["pairs"].items()
            }
            over = {str(key): (str(uid), int(seconds)) for key, (uid, seconds) in content.get("over", {}).items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}, {}
        return found, over

    def note(
        self, looked: Mapping[Key, Collection[str]], now: int, over: Mapping[Key, str] = MappingProxyType({})
    ) -> dict[Key, dict[str, int]]:
        """Keep what a look found, and give back since when each is there, as far as it is news.

        ``looked`` has the paths in conflict of each pair that was looked at, none where it merges; other pairs stay
        as they were for a day. ``over`` has the record that tells of each pair of which somebody said that it is over:
        what was there when that was heard here is no news. Raises OSError.
        """
        before, heard = self._read()
        after = {
            key: paths
            for key, paths in before.items()
            if key not in looked and max(paths.values(), default=0) > now - _FORGOTTEN_SECONDS
        }
        for key, paths in looked.items():
            known = before.get(key, {})
            if paths:
                after[key] = {path: min(known.get(path, now), now) for path in sorted(paths)}
        hears = {
            key: heard[key]
            if heard.get(key, ("", 0))[0] == uid
            else (uid, max(before.get(key, {}).values(), default=0))
            for key, uid in over.items()
        }
        if (after, hears) != (before, heard):
            self._file.replace(json.dumps({"pairs": after, "over": hears}).encode())
        return {
            key: {path: since for path, since in paths.items() if key not in hears or since > hears[key][1]}
            for key, paths in after.items()
        }
