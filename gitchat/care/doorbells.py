"""Whether the doorbell between clones is heard, tried for real. Reads only. Source: docs/format.md section 15."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitchat.care.finding import Finding
from gitchat.doorbell.proof import Listener, round_trip_ms
from gitchat.doorbell.server import EXTRA
from gitchat.model.errors import ChatError
from gitchat.workspace.doorbells import doorbell_of, nats_missing, nats_server
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import missing

_PACE = "messages come and go as often as without it"


def examine(environment: Environment, with_extra: Callable[[str], str]) -> Iterator[Finding]:
    """A finding for the NATS server that is set, else for each remote that may have a doorbell of its own."""
    try:
        server = nats_server(environment)
    except ChatError as error:
        yield Finding("wrong", "doorbell", f"{error}; {_PACE}", error.hint)
        return
    if server is not None:
        yield _of_nats(environment, server.shown, with_extra)
        return
    lost = missing(environment)
    for remote in sorted({remote for room, remote in environment.authorities.all().items() if room not in lost}):
        yield from _of_remote(environment, remote)


def _of_nats(environment: Environment, shown: str, with_extra: Callable[[str], str]) -> Finding:
    lacking = nats_missing(environment)
    if lacking is not None:
        return Finding("wrong", "doorbell", f"{shown}: {lacking}; {_PACE}", with_extra(EXTRA))
    listening, knocking = (doorbell_of(environment, "") for _ in range(2))
    assert listening is not None
    assert knocking is not None
    took_ms = round_trip_ms(listening, knocking, environment.new_uid())
    if took_ms is not None:
        return Finding("ok", "doorbell", f"{shown}: a knock is heard after {took_ms:.0f} ms")
    why = listening.trouble or knocking.trouble or "it says nothing"
    return Finding(
        "wrong",
        "doorbell",
        f"{shown}: {why}; {_PACE}",
        "see that it runs and lets you in; what is set: git config --get-regexp '^chat.nats'",
    )


def _of_remote(environment: Environment, remote: str) -> Iterator[Finding]:
    """What a hub that can ring by itself answers; nothing of one that cannot be asked."""
    doorbell = doorbell_of(environment, remote, asks_anew=True)
    if doorbell is None:
        return
    with Listener(doorbell) as here:
        if here.is_open():
            yield Finding("ok", "doorbell", f"{remote} tells at once what others push")
            return
    yield Finding("note", "doorbell", f"{remote} has none ({doorbell.trouble or 'it says nothing'}); {_PACE}")
