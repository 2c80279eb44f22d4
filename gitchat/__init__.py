"""gitchat: a chatroom for people and coding agents, kept inside a git repository."""

__version__ = "0.1.0"

__all__ = ["Query", "Room", "__version__"]


def __getattr__(name: str) -> object:
    """Room and Query, imported when they are asked for: a plain ``git chat send`` needs neither."""
    if name in ("Query", "Room"):
        from gitchat import room

        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
