"""Rounds with a remote until there is nothing more to do: others push, too, and one of two comes too late."""

from __future__ import annotations

import time
from collections.abc import Callable

from gitchat.clones.report import Consent, Report
from gitchat.clones.sync import Remote
from gitchat.model.names import RoomName

ROUNDS = 6
"""How often a push that came too late is tried again while somebody waits."""

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
"""Bounds of the pause after the first push that came too late; it is as long as a round takes, and doubles."""


def settle(
    remote: Remote,
    room: RoomName | None,
    *,
    consent: Consent = Consent(),  # noqa: B008 - frozen
    pushes: bool = True,
    is_asked: bool = True,
    random: Callable[[], float],
    rounds: int = ROUNDS,
    again: Callable[[], object] = lambda: None,
) -> Report:
    """Rounds until the remote took everything, or said no for another reason than that somebody was quicker.

    There are ``rounds`` of them at the most, each with one push; ``again`` is called before each but the first.
    ``random`` gives numbers from 0 to 1, which spread the pauses of clones that collide. Raises as Remote.round.
    """
    total = Report(remote.name)
    pause_seconds = 0.0
    for number in range(rounds):
        if number:
            again()
            time.sleep(pause_seconds * random())  # so that two who collided do not collide again
        begin = time.monotonic()
        total.add(remote.round(room, consent=consent, pushes=pushes, is_asked=is_asked))
        if not total.is_late:
            break
        wanted = pause_seconds * 2 or max(SHORTEST_PAUSE_SECONDS, time.monotonic() - begin)
        pause_seconds = min(wanted, LONGEST_PAUSE_SECONDS)
    return total
