"""The pusher: a process that pushes what waits here for one remote, and what is said while it does, and ends.

It is started by who said something and found nobody at it (:mod:`gitchat.workspace.pushing`), and that one's
lock is handed on to it. While it is held, whoever says more relies on it. So it looks *again after it has
let go of the lock*: what was said between its last look and that moment had nobody else. Without the second
look 5 of 40 rounds of two writers ended with something unpushed.
Source: docs/format.md section 13.5.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitchat.model.errors import ChatError, ConflictError
from gitchat.staying.knocking import Knocking
from gitchat.staying.rounds import Rounds, is_busy
from gitchat.staying.turns import chosen_interval
from gitchat.storage import gate
from gitchat.workspace.pushing import Hurry, hook_lock_of, lock_of, push_soon

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.model.names import RoomName
    from gitchat.workspace.environment import Environment

STAY_SECONDS = 5.0
"""How long it stays when all is pushed: who says one thing often says another."""

HOOK_SECONDS = 60.0
"""How long one that a hook started stays, and so how often one is started at the most while commits follow commits."""

PATIENCE = 3
"""How many pauses after failures it waits out: a line that is gone for a minute. Later ones it leaves to who comes."""

BUSY_SECONDS = 1.0
"""How long to leave another process of this clone, such as a sync that somebody types, to its round."""

Held = AbstractContextManager[object]
"""A lock that is held until its end."""


class Pusher:
    """Pushes to ``remote``. For one thread; :meth:`close` may be called by any."""

    def __init__(
        self,
        environment: Environment,
        remote: str,
        *,
        patience: int = PATIENCE,
        tell: Callable[[Report | ChatError], object] = lambda done: None,
    ) -> None:
        """``environment`` must be the thread's own; ``tell`` is told what each round did.

        Raises what the repository raises, and UserError ``bad-config``.
        """
        self._directory = environment.repository.directory
        self._remote = remote
        self._patience = patience
        self._tell = tell
        self._rounds = Rounds(environment, remote, chosen_interval(environment.repository.config))
        self._changes = environment.changes(Hurry(environment, remote).is_asked)
        self._stop = threading.Event()

    def run(self, held: Held, stay_seconds: float = STAY_SECONDS) -> None:
        """Push until nothing came for ``stay_seconds``, or there is trouble. ``held`` is the keeper's lock."""
        self._hold(held, lock_of(self._remote), lambda: self._push(stay_seconds))

    def run_for_hooks(self, held: Held) -> None:
        """Push for a minute whatever comes, where nobody else does. ``held`` is the lock of who does so for hooks.

        The keeper's lock is taken for the pushes alone: who stays shall have it.
        """
        self._hold(held, hook_lock_of(self._remote), self._push_a_minute)

    def close(self) -> None:
        """End; a round that is under way is finished first."""
        self._stop.set()
        self._changes.close()

    def _hold(self, held: Held, lock: str, work: Callable[[], bool]) -> None:
        """Do ``work`` while ``lock`` is held, again as long as it says so and something waits when it is free."""
        with held:
            goes_on = work()
        # The second look: who came while the lock was held has started nobody.
        while goes_on and self._rounds.waiting().has_news:
            with suppress(ConflictError), gate.hold(self._directory, 0, lock):
                goes_on = work()
                continue
            return  # somebody else has it

    def _push(self, stay_seconds: float) -> bool:
        """Rounds until nothing waits for ``stay_seconds``; False where trouble ended them, or :meth:`close`."""
        failures = 0
        end = time.monotonic() + stay_seconds
        while not self._stop.is_set():
            waiting = self._rounds.waiting()
            if not waiting.has_news:
                left = end - time.monotonic()
                if left <= 0 or not self._changes.wait(left):
                    return not self._stop.is_set()
                continue
            seconds = self._rounds.seconds_to(waiting)
            if not failures and seconds > 0:
                self._changes.wait(seconds)
                continue
            done = self._rounds.go(waiting)
            self._tell(done)
            end = time.monotonic() + stay_seconds
            if is_busy(done):
                self._stop.wait(BUSY_SECONDS)
                continue
            trouble = self._rounds.trouble
            failures = failures + 1 if trouble is not None else 0
            if trouble is not None:
                passes = isinstance(done, ChatError) and done.code in _PASSING and not trouble.needs_a_person
                if not passes or failures > self._patience:
                    return False
                self._stop.wait(trouble.pause_seconds)
        return False

    def _push_a_minute(self) -> bool:
        end = time.monotonic() + HOOK_SECONDS
        goes_on = True
        while goes_on:
            with suppress(ConflictError), gate.hold(self._directory, 0, lock_of(self._remote)):
                goes_on = self._push(0)
            left = end - time.monotonic()
            if not goes_on or left <= 0 or not self._changes.wait(left):
                break
        return goes_on

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_PASSING = ("remote-failed", "remote-hangs")
"""Failures that may pass by themselves: the remote was not heard. What it refuses it refuses again."""


def start(environment: Environment, remote: str, held: Held, *, is_for_hooks: bool) -> None:
    """Be the pusher of ``remote`` that somebody started, whose lock is ``held``. Raises ChatError."""
    from gitchat.workspace.remotes import follow_renamed  # for who pushes unattended

    renamed: dict[RoomName, str] = {}
    with suppress(ChatError):  # the round meets it, too, and notes it
        renamed = follow_renamed(environment)
    if renamed:
        with held:  # it is another remote by now, and has a lock of its own
            pass
        push_soon(environment, next(iter(renamed)))
        return
    with Knocking(environment, remote) as knocking, Pusher(environment, remote, tell=knocking.tell) as pusher:
        (pusher.run_for_hooks if is_for_hooks else pusher.run)(held)
