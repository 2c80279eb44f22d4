"""Waiting until a message that was sent has got its number from the remote."""

from __future__ import annotations

import threading
from dataclasses import replace

from gitchat.model.errors import ChatError, RemoteError
from gitchat.model.names import RoomName
from gitchat.model.record import Entry
from gitchat.workspace.environment import Environment


def deliver(environment: Environment, room: RoomName, entry: Entry, seconds: float) -> tuple[Entry, ChatError | None]:
    """Push ``entry``, and give it as it is then, and why it has no number yet; None when it has one.

    A remote may be silent for long, so it is pushed by a thread that nobody waits for longer than ``seconds``.
    What is late then still goes on, and is pending here: nothing is lost by giving up.
    """
    remote = environment.authorities.of(room)
    if entry.number is not None or remote is None:
        return entry, None
    trouble: list[ChatError] = []
    # The copy has nothing open yet: what a thread opens it uses alone.
    pusher = threading.Thread(target=_push, args=(replace(environment), remote, room, trouble), daemon=True)
    pusher.start()
    pusher.join(seconds)
    late = f"the remote '{remote}' has not taken it within {seconds:g} s"
    reason = late if pusher.is_alive() else str(trouble[0]) if trouble else None
    entry = environment.log(room).find(entry.handle)
    if entry.number is not None:
        return entry, None
    return entry, RemoteError(
        f"{entry.handle} has no number yet: {reason or 'somebody else pushed first, again and again'}",
        hint=f"it is stored, and pending; push it later: git chat sync {remote}",
        code="not-numbered",
    )


def _push(environment: Environment, remote: str, room: RoomName, trouble: list[ChatError]) -> None:
    from gitchat.clones.settling import settle  # for who syncs
    from gitchat.workspace.remotes import open_remote

    try:
        report = settle(open_remote(environment, remote), room, is_asked=False, random=environment.random)
    except ChatError as error:
        trouble.append(error)
    else:
        if report.refusal is not None:
            trouble.append(report.refusal)
        elif report.alarms:  # why the room was left as it is
            trouble.append(RemoteError(report.alarms[-1], hint="git chat sync", code="not-numbered"))
