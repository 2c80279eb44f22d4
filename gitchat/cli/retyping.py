"""What is here, for who mistyped, and a command as one types it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from gitchat.model.errors import ChatError
from gitchat.workspace.environment import Environment

Here = Callable[[], Environment]
"""Opens the repository. May raise ChatError."""

_SHOWN_CHARS = 60
"""How much of a text is repeated in a command that one could type."""


def rooms(here: Here) -> Iterable[str]:
    """The rooms here; none where that cannot be told."""
    with suppress(ChatError):
        return here().store.rooms()
    return []


def names(here: Here) -> Iterable[str]:
    """Everybody who is or was in the room that is meant when none is named; nobody where that cannot be told."""
    from gitchat.verbs.room import Room

    with suppress(ChatError):
        return Room(here()).names()
    return []


def typed(words: Sequence[str]) -> str:
    """``git chat`` and the words as one types them; a long text is left to be written."""
    shown = ('"..."' if len(word) > _SHOWN_CHARS or "\n" in word else shlex.quote(word) for word in words)
    return " ".join(["git", "chat", *shown])
