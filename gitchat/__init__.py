"""gitchat: a chatroom for people and coding agents, kept inside a git repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitchat.errors import ChatError

if TYPE_CHECKING:
    from gitchat.room import Query, Room

__version__ = "0.2.0.dev0"

__all__ = ["ChatError", "Query", "Room", "__version__"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Room and Query, imported when they are asked for: a plain ``git chat send`` needs neither."""
        if name in ("Query", "Room"):
            from gitchat import room

            return getattr(room, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
