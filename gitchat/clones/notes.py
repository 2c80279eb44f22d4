"""Where the authority of each room stood when it was last agreed to: the file ``authorities`` in ``chatroom/``.

A remote's name is a name in the configuration, which anybody can give to another address. The
note keeps the address, in the form in which two are compared, so that nothing is pushed to a
place that nobody agreed to. It is disposable: without it the remote's log has to show that it
is the one we know. Source: docs/format.md sections 7.14 and 12.10.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gitchat.model.names import RoomName, is_slug
from gitchat.storage import gate
from gitchat.storage.refusals import storage_error

MAX_BYTES = 1024 * 1024

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of the authority of one room."""

    remote: str
    """The name that the remote had here."""
    address: str
    """Where it stood, as ``address.compared`` gives it."""


class Notes:
    """The notes of one clone. ``directory`` is ``chatroom/`` in the git common directory; it need not exist.

    Reading never fails: what cannot be read, or is no such file, tells nothing. Writing raises
    StorageError ``disk-full``, ``read-only``, ``storage``, and ConflictError ``write-lock-held``.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "authorities"

    def of(self, room: RoomName) -> Note | None:
        """What is noted of ``room``; None for nothing."""
        return self.all().get(room)

    def all(self) -> dict[RoomName, Note]:
        """What is noted, of each room."""
        try:
            descriptor = os.open(self._path, _FLAGS)
        except OSError:
            return {}
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return {}
            return _decoded(file.read(MAX_BYTES))

    def put(self, notes: Mapping[RoomName, Note | None]) -> None:
        """Note these; None takes out what is noted of a room."""
        with gate.hold(self._directory, name="authorities.lock"):
            before = self.all()
            after = {room: note for room, note in {**before, **notes}.items() if note is not None}
            if after != before:
                self._write(after)

    def _write(self, notes: Mapping[RoomName, Note]) -> None:
        content = {"rooms": {room: asdict(note) for room, note in sorted(notes.items())}}
        draft = self._path.with_name("authorities.new")
        try:
            draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise storage_error(error, self._path) from error


def _decoded(data: bytes) -> dict[RoomName, Note]:
    """The notes in a file's content; nothing where it is no such content."""
    try:
        rooms: dict[str, Any] = json.loads(data)["rooms"]
        found = {room: Note(str(at["remote"]), str(at["address"])) for room, at in rooms.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return {RoomName(room): note for room, note in found.items() if is_slug(room)}
