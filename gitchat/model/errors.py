"""The errors a caller can meet, each with a message, a next step and a stable code.

Every face prints the same three fields: the command line as ``error: ...`` and
``hint: ...`` on standard error, a program as ``{"error", "hint", "code"}``.
"""

from __future__ import annotations

from collections.abc import Sequence


class ChatError(Exception):
    """An error that a person or an agent can act upon.

    ``str(error)`` is one sentence without a final stop; ``hint`` is a command or
    a decision; ``code`` is a slug that never changes its meaning; ``status`` is
    the exit status of the command line.
    """

    status = 1

    def __init__(self, message: str, *, hint: str, code: str) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class UserError(ChatError, ValueError):
    """What was asked for cannot be done as it was asked (exit status 1)."""


class Mistyped(UserError):
    """A ``word`` that names nothing; ``known`` is what it could have named, where that is a few names."""

    def __init__(self, message: str, *, hint: str, code: str, word: str, known: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, code=code)
        self.word = word
        self.known = tuple(known)


class StorageError(ChatError):
    """The disk or its permissions refuse; nothing was written (exit status 1)."""


class MountError(StorageError):
    """What we write to is mounted read-only, as in a sandbox, so that neither its owner nor its mode decides."""


class ConflictError(ChatError):
    """Somebody else's write stands in the way (exit status 3)."""

    status = 3


class FormatError(ChatError):
    """Stored bytes are damaged, missing, or of a format we cannot read (exit status 4).

    ``oid`` is the object in question, where it is one.
    """

    status = 4

    def __init__(self, message: str, *, hint: str, code: str, oid: str | None = None) -> None:
        super().__init__(message, hint=hint, code=code)
        self.oid = oid


class RemoteError(ChatError):
    """A remote refused, or could not be reached (exit status 5)."""

    status = 5
