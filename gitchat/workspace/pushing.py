"""Having what was said here pushed, by a process that nobody waits for: one of a clone and remote at a time.

Who has moved a ref tries the keeper's lock. Where it is held, its holder sees what was moved; where it is
free, one pusher is started, and the lock goes with it, so that who comes next finds it held again. The
pusher is :mod:`gitchat.staying.pusher`. Source: docs/format.md sections 13.1 and 13.5.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.trouble import Trouble


def lock_of(remote: str) -> str:
    """The lock's file of who brings the rooms that follow ``remote`` together with it."""
    return f"keep-{quote(remote, safe='')}.lock"


def hook_lock_of(remote: str) -> str:
    """The lock's file of who does so for hooks."""
    return f"hook-{quote(remote, safe='')}.lock"


def carrier_of(environment: Environment, room: RoomName) -> str | None:
    """The remote that what is said in ``room`` is carried to by itself.

    None where there is none, or ``chat.sync`` is ``manual``. Raises UserError ``bad-config``.
    """
    remote = environment.authorities.of(room)
    return remote if remote is not None and environment.syncs_by_itself() else None


def stays(environment: Environment) -> bool:
    """Whether somebody goes on here when this process has ended: a person at a terminal, or an agent's session.

    Not in a job of a build service (``CI``), where all may be gone the moment after, and not in a script.
    """
    if environment.is_ci:
        return False
    caller = environment.caller
    return environment.is_terminal or caller.client is not None or caller.session is not None


def push_soon(environment: Environment, room: RoomName, *, cursors: bool = False, is_hook: bool = False) -> None:
    """Have what waits here for the remote of ``room`` pushed, if nobody does so already. Returns at once, never fails.

    ``cursors`` is whether positions are carried as quickly as records: somebody goes, and may come back
    elsewhere. ``is_hook`` is for what comes with each commit: it starts one process a minute at the most.
    While the remote is not heard, nothing is started before the pause that was noted is over.
    """
    with suppress(ChatError, OSError):  # a read-only place, a full disk, a bad setting: what was said is stored
        remote = carrier_of(environment, room)
        if remote is None:
            return
        if cursors:
            Hurry(environment, remote).ask()
        trouble = trouble_of(environment, remote, room)
        if trouble is None or not trouble.is_pausing(environment.now().seconds):
            _start(environment, remote, is_hook=is_hook)


def trouble_of(environment: Environment, remote: str, room: RoomName) -> Trouble | None:
    """Why what is said in ``room`` waits for ``remote``, as far as somebody has tried; None where nothing is known."""
    from gitchat.clones.trouble import TroubleFile  # for who has a remote

    trouble = TroubleFile(environment.repository.directory, remote).load()
    return trouble if trouble is not None and trouble.is_about(room) else None


def _start(environment: Environment, remote: str, *, is_hook: bool) -> None:
    """Start one pusher. Raises ConflictError where there is one, or a keeper."""
    directory = environment.repository.directory
    with gate.hold(directory, 0, lock_of(remote)) as keeping:
        if not is_hook:
            hand_over(environment, remote, keeping)
            return
        with gate.hold(directory, 0, hook_lock_of(remote)) as hooked:
            hand_over(environment, remote, hooked, "--for-hooks")


def hand_over(environment: Environment, remote: str, held: gate.Gate, *options: str) -> None:
    """Start a pusher that goes on holding what is ``held`` here."""
    descriptor = held.hand_on()
    environment.start_aside("deliver", *options, "--held", str(descriptor), "--", remote, keep_open=(descriptor,))


class Hurry:
    """Whether somebody has asked that positions go to ``remote`` at once: a file, there or not.

    The process that pushes may be running already, so that no argument reaches it.
    """

    def __init__(self, environment: Environment, remote: str) -> None:
        self._file = OwnFile(environment.repository.directory, f"hurry-{quote(remote, safe='')}")

    def ask(self) -> None:
        """Raises OSError."""
        os.close(self._file.open(os.O_WRONLY | os.O_CREAT))

    def is_asked(self) -> bool:
        """Whether it is asked and not done."""
        return self._file.path.exists()

    def take(self) -> bool:
        """Whether it was asked; from now on it is not."""
        was_asked = self.is_asked()
        with suppress(OSError):
            self._file.remove()
        return was_asked
