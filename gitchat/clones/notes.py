"""Where the authority of each room stood when it was last agreed to: the file ``authorities`` in ``chatroom/``.

A remote's name is a name in the configuration, which anybody can give to another address. The
note keeps the address, in the form in which two are compared, so that nothing is pushed to a
place that nobody agreed to. A room that joined by itself follows by its note alone, without a
setting. What came of the last look at a remote stands there, too. The file is disposable: without
it the refs tell which rooms follow, and the remote's log has to show that it is the one we know.
Source: docs/format.md sections 7.15, 12.10 and 12.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gitchat.clones.looking import Found, Look
from gitchat.model.layout import Layout, parse_prefix
from gitchat.model.names import RoomName, is_slug
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of the authority of one room."""

    remote: str
    """The name that the remote had here. Empty: somebody said that this clone gives the numbers."""
    address: str
    """Where it stood, as ``address.compared`` gives it. Empty where nobody looked yet."""


HERE = Note("", "")
"""The note of a room that does not follow by itself, because somebody took it off its remote."""


@dataclass(frozen=True, slots=True)
class Noted:
    """All that stands in the file."""

    rooms: Mapping[RoomName, Note] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)
    """The last look at each remote, by its name."""
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    """What refs are called at each remote where rooms were found, by its name."""


class Notes:
    """The notes of one clone. ``directory`` is ``chatroom/`` in the git common directory; it need not exist.

    Reading never fails: what cannot be read, or is no such file, tells nothing. Writing raises
    StorageError ``disk-full``, ``read-only``, ``storage``, and ConflictError ``write-lock-held``.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = OwnFile(directory, "authorities")

    def of(self, room: RoomName) -> Note | None:
        """What is noted of ``room``; None for nothing."""
        return self.all().get(room)

    def all(self) -> dict[RoomName, Note]:
        """What is noted, of each room."""
        return dict((self.read() or Noted()).rooms)

    def look(self, remote: str) -> Look | None:
        """The last look at ``remote``; None before the first."""
        return (self.read() or Noted()).looks.get(remote)

    def read(self) -> Noted | None:
        """All that is noted; None where there is no such file, or what is there does not read."""
        try:
            return _decoded(self._file.read(MAX_BYTES))
        except OSError:
            return None

    def put(self, notes: Mapping[RoomName, Note | None]) -> None:
        """Note these; None takes out what is noted of a room."""
        with gate.hold(self._directory, name="authorities.lock"):
            before = self.read()
            rooms = {**(before or Noted()).rooms, **notes}
            kept = {room: note for room, note in rooms.items() if note is not None}
            self._write(replace(before or Noted(), rooms=kept), before)

    def put_look(self, remote: str, look: Look | None) -> None:
        """Note what came of a look at ``remote``; None forgets the last one."""
        with gate.hold(self._directory, name="authorities.lock"):
            before = self.read()
            looks = {**(before or Noted()).looks, **({remote: look} if look is not None else {})}
            if look is None:
                looks.pop(remote, None)
            self._write(replace(before or Noted(), looks=looks), before)

    def put_layout(self, remote: str, layout: Layout) -> None:
        """Note what refs are called at ``remote``."""
        with gate.hold(self._directory, name="authorities.lock"):
            before = self.read()
            layouts = {**(before or Noted()).layouts, remote: layout}
            self._write(replace(before or Noted(), layouts=layouts), before)

    def _write(self, after: Noted, before: Noted | None) -> None:
        if after == (before or Noted()):
            return
        import json

        content: dict[str, Any] = {"rooms": {room: asdict(note) for room, note in sorted(after.rooms.items())}}
        if after.looks:
            content["looks"] = {
                remote: asdict(look) | {"found": look.found.value} for remote, look in sorted(after.looks.items())
            }
        if after.layouts:
            content["layouts"] = {remote: layout.prefix for remote, layout in sorted(after.layouts.items())}
        try:
            self._file.replace(json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise storage_error(error, self._file.path) from error


def _decoded(data: bytes) -> Noted | None:
    """The notes in a file's content; None where it is no such content."""
    import json  # for who has such a file

    try:
        content: dict[str, Any] = json.loads(data)
        found = {room: Note(str(at["remote"]), str(at["address"])) for room, at in content["rooms"].items()}
        looks = content.get("looks", {}).items()
        prefixes = content.get("layouts", {}).items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    rooms = {RoomName(room): note for room, note in found.items() if is_slug(room)}
    return Noted(
        rooms,
        {str(remote): look for remote, at in looks if (look := _decoded_look(at)) is not None},
        {str(remote): layout for remote, at in prefixes if (layout := parse_prefix(str(at))) is not None},
    )


def _decoded_look(at: Any) -> Look | None:
    """One look, or None for what is none: then it is looked again."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        both = tuple(RoomName(room) for room in at["both"] if is_slug(room))
        found = Found(at["found"])
        return Look(str(at["address"]), int(at["seconds"]), found, int(at["tries"]), both, str(at["words"]))
    return None
