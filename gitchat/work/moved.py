"""What hooks tell an agent of its own work alone: that the base moved under it, for one. A small disposable file.

Its first line is another one when there is something else to tell, so that a gate in sh need not read the rest.
Source: docs/format.md section 7.51.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.asking import MOVED

_MAX_BYTES = 1024 * 1024
_MOST_PATHS = 20


@dataclass(frozen=True, slots=True)
class Moved:
    """What the work in one worktree meets, which nobody else is told of."""

    base: str
    """As a person calls it."""
    tip: str
    """Its newest commit."""
    behind: int
    """How many commits of it this work lacks."""
    meeting: tuple[str, ...]
    """The paths that both change, of which those come first that cannot be merged."""
    conflicts: int
    """How many of them cannot be merged."""
    is_ahead_of_users: bool = False
    others: Mapping[str, tuple[str, ...]] | None = None
    """Of whom nobody is told in a room, the paths that cannot be merged with theirs."""


class MovedFile:
    """The file ``moved`` in ``directory``, which is ``chatroom/``. What cannot be read tells nothing."""

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, MOVED)

    def of(self, worktree: Path) -> Moved | None:
        """What is noted of the worktree with this top."""
        try:
            told = json.loads(self._file.read(_MAX_BYTES).partition(b"\n")[2])[os.path.realpath(worktree)]
            others = {str(name): tuple(map(str, paths)) for name, paths in (told["others"] or {}).items()}
            return Moved(
                base=str(told["base"]),
                tip=str(told["tip"]),
                behind=int(told["behind"]),
                meeting=tuple(map(str, told["meeting"])),
                conflicts=int(told["conflicts"]),
                is_ahead_of_users=bool(told["is_ahead_of_users"]),
                others=others,
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def note(self, found: Mapping[Path, Moved]) -> None:
        """Let this be all that is noted; no file where that is nothing. Raises OSError."""
        told = {os.path.realpath(top): asdict(_cut(one)) for top, one in found.items()}
        content = json.dumps(told, sort_keys=True).encode()
        whole = hashlib.sha256(content).hexdigest()[:16].encode() + b"\n" + content + b"\n" if told else b""
        try:
            if self._file.read(_MAX_BYTES) == whole:
                return
        except FileNotFoundError:
            if not told:
                return
        self._file.replace(whole)


def _cut(one: Moved) -> Moved:
    others = {name: paths[:_MOST_PATHS] for name, paths in (one.others or {}).items()}
    return Moved(one.base, one.tip, one.behind, one.meeting[:_MOST_PATHS], one.conflicts, one.is_ahead_of_users, others)
