"""The fork of who may not push to a room's remote: which remote it is, and what waits there.

Source: docs/format.md section 12.25.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitchat.model.names import RoomName
from gitchat.model.refs import inbox_ref, log_ref, tracking_ref

if TYPE_CHECKING:
    from gitchat.workspace.environment import Environment

FORKS = "chat.forks"
"""The setting with the remotes whose inboxes are looked at by who stays."""


def fork_of(environment: Environment, remote: str) -> str | None:
    """The remote that takes what ``remote`` does not: ``remote.pushDefault``, else ``origin``.

    ``git push`` goes there, too. None where it is ``remote`` itself, or not there.
    """
    name = environment.repository.config.get("remote.pushDefault") or "origin"
    return name if name != remote and name in environment.repository.remotes() else None


def is_in_fork(environment: Environment, fork: str, room: RoomName) -> bool:
    """Whether all that is said in ``room`` here waits in ``fork``, as far as that has answered."""
    tip, clone = environment.store.tip(log_ref(room)), environment.clone.known()
    if tip is None or clone is None:
        return False
    return environment.store.tip(tracking_ref(fork, inbox_ref(room, clone))) == tip


def looked_at(environment: Environment) -> list[str]:
    """The remotes that ``chat.forks`` names, each once, as far as they are there."""
    remotes = environment.repository.remotes()
    return [name for name in dict.fromkeys(environment.repository.config.get_all(FORKS)) if name in remotes]
