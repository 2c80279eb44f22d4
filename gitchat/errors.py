"""The errors that a caller can meet, for who imports them; they are defined in :mod:`gitchat.model.errors`."""

from gitchat.model.errors import ChatError, ConflictError, FormatError, Mistyped, RemoteError, StorageError, UserError

__all__ = ["ChatError", "ConflictError", "FormatError", "Mistyped", "RemoteError", "StorageError", "UserError"]
