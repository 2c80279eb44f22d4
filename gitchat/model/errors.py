"""The errors a caller can meet, each with a message, a next step and a stable code.

Every face prints the same three fields: the command line as ``error: ...`` and
``hint: ...`` on standard error, a program as ``{"error", "hint", "code"}``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLACE = re.compile(
    # A path that begins at a root, a home or the directory where we are, and is none of the server's own.
    r"(?<![\w.:/])[~.]{0,2}/(?!api/v1\b)[\w.~-]"
    r"|\w+://|\w@\w[\w-]*\.\w|(?<!\w)[A-Za-z]:\\"  # a URL, an address, a path of Windows
    r"|\bprocess \d|\bpid\b|\bon host\b"
)
"""What a text has where it names a place: files, processes, hosts, addresses."""

_OF_THE_PLACE = frozenset({"bad-config", "bad-path", "not-a-repository"})
"""Codes of errors that only tell of the place where we are, and of its settings."""


class ChatError(Exception):
    """An error that a person or an agent can act upon.

    ``str(error)`` is one sentence without a final stop; ``hint`` is a command or
    a decision; ``code`` is a slug that never changes its meaning; ``status`` is
    the exit status of the command line.

    Who is not of this machine is told ``public_message`` and ``public_hint``, which name no file, process, host or
    address here: those that were given, else the same where they name none, else those of the class.
    """

    status = 1
    _stranger_told = ("this cannot be done here", "tell who runs this server")
    """The message and the hint for strangers of an error that names a place and gives no other."""

    def __init__(
        self, message: str, *, hint: str, code: str, public_message: str | None = None, public_hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        self._public = (public_message, public_hint)

    @property
    def public_message(self) -> str:
        """The message for who is not of this machine."""
        return self._for_strangers(0, str(self))

    @property
    def public_hint(self) -> str:
        """The hint for who is not of this machine."""
        return self._for_strangers(1, self.hint)

    def _for_strangers(self, at: int, text: str) -> str:
        told = self._public[at] or text
        return self._stranger_told[at] if self.code in _OF_THE_PLACE or _PLACE.search(told) else told


class UserError(ChatError, ValueError):
    """What was asked for cannot be done as it was asked (exit status 1)."""


class Mistyped(UserError):
    """A ``word`` that names nothing; ``known`` is what it could have named, where that is a few names."""

    def __init__(
        self, message: str, *, hint: str, code: str, word: str, known: Sequence[str] = (), **public: str | None
    ) -> None:
        super().__init__(message, hint=hint, code=code, **public)
        self.word = word
        self.known = tuple(known)


class StorageError(ChatError):
    """The disk or its permissions refuse; nothing was written (exit status 1)."""

    _stranger_told = ("the disk of this server refuses it", "try again later, or tell who runs this server")

    def _for_strangers(self, at: int, text: str) -> str:
        return self._public[at] or self._stranger_told[at]  # the words of the system and of git may name anything


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
    _stranger_told = ("something stored here cannot be read", "tell who runs this server: git chat doctor")

    def __init__(self, message: str, *, hint: str, code: str, oid: str | None = None, **public: str | None) -> None:
        super().__init__(message, hint=hint, code=code, **public)
        self.oid = oid


class RemoteError(ChatError):
    """A remote refused, or could not be reached (exit status 5)."""

    status = 5
    _stranger_told = ("the remote of this room could not be used", "try again later, or tell who runs this server")

    def _for_strangers(self, at: int, text: str) -> str:
        return self._public[at] or self._stranger_told[at]  # the words of git and of the other side may name anything
