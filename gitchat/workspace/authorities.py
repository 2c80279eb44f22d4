"""Which remote gives the numbers of which room: the settings ``chatroom.<room>.remote``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitchat.model.names import RefName, RoomName, is_slug
from gitchat.model.refs import tracking_ref
from gitchat.workspace.repository import Repository

if TYPE_CHECKING:
    from gitchat.clones.notes import Notes


@dataclass(frozen=True)
class Authorities:
    """The authorities of the rooms of one repository. Reading raises UserError ``bad-config``."""

    repository: Repository

    @property
    def notes(self) -> Notes:
        """Where the authorities stood when that was last agreed to."""
        from gitchat.clones.notes import Notes  # for who syncs

        return Notes(self.repository.directory)

    def of(self, room: RoomName) -> str | None:
        """The remote that gives the numbers of ``room``. None where this clone does.

        What another process set meanwhile is seen: a sync beside us may have attached the room.
        """
        self.repository.forget_old_config()
        return self.repository.config.get(_key(room)) or None

    def all(self) -> dict[RoomName, str]:
        """The rooms that a remote numbers, and which one."""
        self.repository.forget_old_config()
        rooms = (room for room in self.repository.config.subsections("chatroom", "remote") if is_slug(room))
        found = {RoomName(room): self.of(RoomName(room)) for room in rooms}
        return {room: remote for room, remote in found.items() if remote is not None}

    def set(self, room: RoomName, remote: str | None) -> None:
        """From now on ``remote`` gives the numbers of ``room``; with None this clone does.

        Raises:
            StorageError: ``config-refused``: git could not write the setting.
        """
        if remote is None:
            self.notes.put({room: None})
        if remote is not None or self.of(room) is not None:
            self.repository.set_config(_key(room), remote)

    def tracking(self, ref: RefName, room: RoomName) -> RefName | None:
        """The copy of ``ref`` as the authority of ``room`` has it; None without an authority."""
        authority = self.of(room)
        return tracking_ref(authority, ref) if authority is not None else None


def _key(room: RoomName) -> str:
    return f"chatroom.{room}.remote"
