"""Whom an answer goes to. Pure."""

from __future__ import annotations

from gitchat.model.names import is_name
from gitchat.model.record import Record


def who_asked(asked: Record, me: str) -> tuple[str, ...]:
    """Whom my answer to ``asked`` goes to: everybody, told by none, where that did; else who wrote it.

    Where I wrote it myself, whom it was for. A writer whose name is none that can be written to is answered before all.
    """
    if not asked.to:
        return ()
    if asked.author == me:
        return asked.to
    return (asked.author,) if is_name(asked.author) else ()


def is_to_me(asked: Record, me: str, role: str | None) -> bool:
    """Whether ``asked`` is from somebody else, and to my name or to my role and not to everybody."""
    mine = {me, f"role:{role}"} if role else {me}
    return asked.author != me and not mine.isdisjoint(asked.to)
