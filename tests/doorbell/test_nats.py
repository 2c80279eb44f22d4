"""Clones that tell each other of pushes over a real NATS server: what arrives, and what harm cannot be done.

Proves docs/format.md section 15. No test waits for the pace: the clones look by themselves every ten minutes.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from tests.cli.programs import Program, running, until
from tests.clones.conftest import Clone, Hub
from tests.doorbell.conftest import Nats, ring_by

pytestmark = pytest.mark.web


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone that has said something and synced."""
    return in_step(hub, "ann", "first")


@pytest.fixture
def bea(hub: Hub, ann: Clone) -> Clone:
    """Another one."""
    return in_step(hub, "bea")


def in_step(hub: Hub, name: str, *said: str) -> Clone:
    """A clone that follows the hub, and keeps in step with it by itself from now on."""
    clone = hub.clone(name)
    for body in said:
        clone.say(body)
    clone.sync()
    clone.git("config", "chat.sync", "batch")
    return clone


def watching(clone: Clone) -> AbstractContextManager[Program]:
    """Somebody who keeps the clone in step as long as the body runs."""
    return running(clone, "sync", "--watch", GITCHAT_NAME=clone.name)


def test_a_message_comes_to_who_waits_without_a_look(shared_nats: Nats, ann: Clone, bea: Clone) -> None:
    """What a short-lived send says, by the pusher that it started, reaches a clone that stays."""
    ring_by(shared_nats, ann, bea)
    with watching(bea) as there:
        there.line()
        until(lambda: shared_nats.hears(1))
        ann.say("second")
        assert there.line() == "lobby: 1 fetched, 0 pushed"
