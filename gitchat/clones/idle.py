"""Positions of agents that nobody moves any more: what is given back of all the names that ever read a room.

Agents come and go by the hundred, and each leaves a cursor that every clone fetches for ever. One that stood still
for so long is dropped by whichever clone has seen it stand, at the remote and here. A person's never is.
Source: docs/format.md sections 7.19 and 12.15.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gitchat.clones.comparing import Tips
from gitchat.model.names import Name, Oid, RefName, RoomName
from gitchat.model.refs import is_cursor, name_of_cursor, room_of
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

STILL_SECONDS = 30 * 86_400
"""How long a cursor stands still before it is dropped."""

_MAX_BYTES = 16 * 1024 * 1024


class Idle:
    """Since when the cursors at one remote stand where they are, as far as this clone has seen it.

    For who holds ``sync.lock``. A file that cannot be read says nothing: all cursors move now.
    """

    def __init__(
        self, directory: Path, remote: str, *, now: Callable[[], int], is_agents: Callable[[RoomName, Name], bool]
    ) -> None:
        """``directory`` is ``chatroom/``; ``is_agents`` tells whether a name of a room is an agent's, and no person's.

        ``now`` gives seconds since the epoch.
        """
        self._file = OwnFile(directory, f"stood-{quote(remote, safe='')}")
        self._now = now
        self._is_agents = is_agents

    def look(self, there: Tips) -> dict[RefName, Oid]:
        """Note where the cursors are that the remote has; those of agents that stood still for too long.

        Raises:
            StorageError: the file cannot be written.
        """
        before, now = self._read(), self._now()
        after = {
            ref: before[ref] if ref in before and before[ref][0] == oid and before[ref][1] <= now else (oid, now)
            for ref, oid in there.items()
            if is_cursor(ref)
        }
        if after != before:
            self._write(after)
        old = {ref: oid for ref, (oid, since) in after.items() if now - since >= STILL_SECONDS}
        return {ref: oid for ref, oid in old.items() if self._is_of_agent(ref)}

    def stay(self, ref: RefName) -> None:
        """Ask for this one no more for as long again: the remote lets nobody remove a ref. Raises as :meth:`look`."""
        stood = self._read()
        if ref in stood:
            self._write({**stood, ref: (stood[ref][0], self._now())})

    def _is_of_agent(self, ref: RefName) -> bool:
        room = room_of(ref)
        name = name_of_cursor(room, ref)
        return name is not None and self._is_agents(room, name)

    def _read(self) -> dict[RefName, tuple[Oid, int]]:
        try:
            return _decoded(self._file.read(_MAX_BYTES))
        except OSError:
            return {}

    def _write(self, stood: Mapping[RefName, tuple[Oid, int]]) -> None:
        try:
            self._file.replace(json.dumps(stood, indent=0).encode("ascii") + b"\n")
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def _decoded(data: bytes) -> dict[RefName, tuple[Oid, int]]:
    try:
        content: dict[str, Any] = json.loads(data)
        return {RefName(ref): (Oid(str(oid)), int(since)) for ref, (oid, since) in content.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return {}
