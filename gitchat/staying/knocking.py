"""Knocking by who pushes and does not stay to listen: a pusher itself, a command by a process that nobody waits for.

Who pushes connects while it pushes, so that the line is there when the remote has taken it.
Source: docs/format.md section 15.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitchat.clones.report import Report
from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.model.refs import log_ref, room_of, tracking_ref
from gitchat.workspace.doorbells import doorbell_of, is_rung_by_pushers, knocks_of

if TYPE_CHECKING:
    from gitchat.doorbell.doorbell import Doorbell
    from gitchat.workspace.environment import Environment

LAST_SECONDS = 5.0
"""How long it may take at the end to say what was pushed last; who hears nothing looks by itself."""


class Knocking:
    """The doorbell of one remote, for who only knocks. Nothing raises, and nothing but the end waits."""

    def __init__(self, environment: Environment, remote: str) -> None:
        self._environment = environment
        self._remote = remote
        self._doorbell: Doorbell | None = None
        with suppress(ChatError):  # a bad setting is doctor's to say
            if is_rung_by_pushers(environment):
                self._doorbell = doorbell_of(environment, remote)
        if self._doorbell is not None:
            self._doorbell.listen(lambda heard: None)

    def tell(self, done: Report | ChatError) -> None:
        """Say what a round brought to the remote."""
        if self._doorbell is not None and isinstance(done, Report):
            for knock in knocks_of(self._environment, self._remote, done):
                self._doorbell.knock(knock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._doorbell is not None:
            self._doorbell.close(LAST_SECONDS)


def knock_aside(environment: Environment, remote: str, done: Report | ChatError) -> None:
    """Have it said what a round brought to the remote, by a process of its own. Returns at once, never fails."""
    if not isinstance(done, Report) or not done.taken:
        return
    with suppress(ChatError):
        if is_rung_by_pushers(environment):
            rooms = sorted({room_of(ref) for ref in done.taken})
            told = [f"--{'begun' if room in done.begun else 'knock'}={room}" for room in rooms]
            environment.start_aside("deliver", *told, "--", remote)


def knock_for(environment: Environment, remote: str, rooms: Collection[RoomName], begun: Collection[RoomName]) -> None:
    """Say where the logs of these rooms stand at ``remote``, which had none before of those of ``begun``.

    Raises what the store raises.
    """
    report = Report(remote, begun=[*begun])
    for room in {*rooms, *begun}:
        tip = environment.store.tip(tracking_ref(remote, log_ref(room)))
        report.taken |= {log_ref(room): tip} if tip is not None else {}
    with Knocking(environment, remote) as knocking:
        knocking.tell(report)
