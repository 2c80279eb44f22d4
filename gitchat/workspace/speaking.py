"""Who may speak under a name that somebody lives under."""

from __future__ import annotations

from gitchat.model.errors import ConflictError
from gitchat.model.names import Name
from gitchat.model.participant import Presence
from gitchat.workspace.identity import Caller


def refuse_elsewhere(caller: Caller, name: Name) -> None:
    """Refuse to speak under ``name`` while somebody else lives under it.

    Raises:
        ConflictError: ``name-held``.
    """
    presence = caller.roll().find(name)
    if presence is not None and presence.is_living and _is_elsewhere(caller, presence):
        raise ConflictError(
            f"'{name}' is held by {presence.holder or 'another process'}, which alone speaks under it",
            hint='speak under your own name: git chat send "hello"; or as this one where it lives',
            code="name-held",
            public_message=f"somebody else lives under '{name}'",
        )


def _is_elsewhere(caller: Caller, presence: Presence) -> bool:
    """Whether a living name is another's than the caller's.

    It is ours where our session took it. Who knows of no session has the names of those like it: a person has as many
    terminals as it likes, and two processes of an agent that tells nothing of its session cannot be told from one.
    """
    holder = presence.holder
    if holder is None:
        return True
    has_session = bool(holder.of_session or caller.keys)
    return not caller.acts_for(holder) if has_session else holder.client != caller.client
