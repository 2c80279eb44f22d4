"""Who asks over HTTP: what the credentials of a request allow. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gitchat.model.names import Name, RoomName


@dataclass(frozen=True, slots=True)
class Actor:
    """What a request may do, decided once, before anything else looks at it."""

    key: str
    """Whom a name that it lives under belongs to: the token, the page's session, the local user; never a connection."""
    name: Name | None = None
    """The only name that it may act under; None is any that nobody else lives under."""
    is_guest: bool = False
    """Whether it only reads."""
    is_admin: bool = False
    """Whether it also sees figures and revokes tokens."""
    sees_figures: bool = False
    """Whether it may ask for the figures of the server, and nothing else, where it is neither admin nor here."""
    is_person: bool = False
    """Whether it is the page that a person sits at: what it writes comes from a human, anything else from an agent."""
    is_local: bool = False
    """Whether it is the user whose process serves, and may be told places and processes."""
    rooms: frozenset[RoomName] | None = None
    """The rooms that it sees; None is all."""
    email: str | None = None
    """The author's address of what it writes; None is the one that follows from the name."""

    def sees(self, room: RoomName) -> bool:
        """Whether it may know of ``room``."""
        return self.rooms is None or room in self.rooms
