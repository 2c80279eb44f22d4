"""What a writer refuses, as the errors that its caller sees. Pure."""

from __future__ import annotations

from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import RoomName
from gitchat.quick import rules


def refuse(refusal: rules.Refusal | None) -> None:
    """Raise the error that says why something is not sent; return when nothing speaks against it."""
    if refusal is not None:
        kind = ConflictError if refusal.kind == "conflict" else UserError
        raise kind(refusal.words, hint=refusal.hint, code=refusal.code)


def checked_title(text: str, room: RoomName) -> str:
    """``text`` as a title of ``room``. Raises UserError ``bad-title``."""
    title = text.strip()
    if title and len(title) <= 200 and not any(unsafe < " " or "\x7f" <= unsafe <= "\x9f" for unsafe in title):
        return title
    raise UserError(
        "a title is one line of 1 to 200 characters without control characters",
        hint=f'for example: git chat room title {room} "Release 1.0"',
        code="bad-title",
    )
