"""Which servers run on a clone: the file ``serve.json``, so that others find them.

Source: docs/format.md section 7.33.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gitchat.model.errors import ChatError
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

LOOK_SECONDS = 2.0
"""How long who listens may take to be connected to."""

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs on the clone, or did before it was killed."""

    pid: int
    address: str
    """What a program on this machine asks, without a slash at its end."""
    port: int
    started: int
    """Seconds since the epoch."""

    @property
    def is_alive(self) -> bool:
        """Whether there is a process of that number, and somebody listens at its address.

        The number alone may be another's by now, or of one that was killed and that nobody has buried; and what runs
        in a container has one of its own there.
        """
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except (OSError, OverflowError):
            pass  # another user's
        try:
            with socket.create_connection((urlsplit(self.address).hostname or "", self.port), LOOK_SECONDS):
                return True
        except (OSError, ValueError, OverflowError):
            return False


class ServeFile:
    """The file of the clone whose ``chatroom/`` is ``directory``; neither need exist.

    An object of the server that started last, and beside it ``others``, those before.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = OwnFile(directory, "serve.json", is_private=True)

    def running(self) -> list[Running]:
        """Those that run, the last that started first. What does not read says nothing."""
        try:
            shape = json.loads(self._file.read(_MAX_BYTES))
            return [one for one in map(_running, (shape, *shape.get("others", ()))) if one is not None and one.is_alive]
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return []

    def add(self, server: Running) -> None:
        """``server`` runs from now on. Raises StorageError and ConflictError."""
        with gate.hold(self._directory, name="serve.lock"):
            # Who was at its address before is there no more.
            self._write([server, *(one for one in self.running() if one.address != server.address)])

    def remove(self, pid: int) -> None:
        """The server of that process ends. Never fails: a process that is gone is passed over anyway."""
        with suppress(ChatError), gate.hold(self._directory, name="serve.lock"):
            self._write([one for one in self.running() if one.pid != pid])

    def _write(self, servers: list[Running]) -> None:
        try:
            if not servers:
                self._file.remove()
                return
            first, *others = map(asdict, servers)
            self._file.replace(json.dumps(first | ({"others": others} if others else {})).encode() + b"\n")
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def _running(shape: Any) -> Running | None:
    match shape:
        case {"pid": int(pid), "address": str(address), "port": int(port), "started": int(started)}:
            return Running(pid, address, port, started)
    return None
