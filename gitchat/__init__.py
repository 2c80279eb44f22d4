"""gitchat: a chatroom for people and coding agents, kept inside a git repository."""

# Without typing and __future__: the quick way of a command loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchat.model.errors import ChatError
    from gitchat.model.query import Query
    from gitchat.model.record import Entry
    from gitchat.verbs.room import Room

__version__ = "0.2.0.dev0"

__all__ = ["ChatError", "Entry", "Query", "Room", "__version__"]

_HOMES = {
    "ChatError": "gitchat.model.errors",
    "Entry": "gitchat.model.record",
    "Query": "gitchat.model.query",
    "Room": "gitchat.verbs.room",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """What a user imports from here, loaded when it is asked for: a plain ``git chat send`` needs none of it."""
        if name in _HOMES:
            from importlib import import_module

            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
