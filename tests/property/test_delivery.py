"""What is sent is at the hub when nobody pushes any more, whenever it was said. Proves docs/format.md section 13.5.

The real pusher, beside writers that speak right after it has looked: while it has the lock they start nobody. A
simulation proves nothing until it can fail: the second look is left out once, and must be missed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from gitchat.staying.pusher import Held, Pusher
from gitchat.staying.rounds import Rounds
from gitchat.storage import gate
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from gitchat.workspace.pushing import lock_of, push_soon
from tests.clones.conftest import LOG, Clone, Hub
from tests.property.conversation import Mismatch, expect

SEEDS = range(3)
MESSAGES = 4
"""As many as a clone may push without waiting for its pace, and one."""


class Delivery:
    """One clone, its writers and its pushers, of which one runs at a time."""

    def __init__(self, hub: Hub, clone: Clone, seed: int, patch: pytest.MonkeyPatch) -> None:
        self._hub = hub
        self._chance = random.Random(seed)
        self._environment = replace(
            clone.world.environment(clone.path), variables=clone.world.variables | {"GITCHAT_SESSION": "one"}
        )
        self._said = ["begin"]
        self._started = 0
        patch.setattr(Environment, "start_aside", self._start)
        look = Rounds.waiting

        def looked(rounds: Rounds) -> object:
            found = look(rounds)
            if len(self._said) <= MESSAGES and self._chance.random() < 0.5:
                self._say()
            return found

        patch.setattr(Rounds, "waiting", looked)

    def _start(self, *words: str, **options: object) -> None:
        """A pusher is started, which runs when who started it has gone."""
        self._started += words[0] == "deliver"

    def _say(self) -> None:
        body = f"message {len(self._said)}"
        self._said.append(body)
        Room(self._environment, "lobby", "writer").send(body)
        push_soon(self._environment, self._environment.room_name("lobby"))

    def run(self) -> None:
        """Somebody speaks, and pushers run until nobody was started. Raises Mismatch."""
        while len(self._said) <= MESSAGES:
            self._say()
            while self._started:
                self._started -= 1
                self._push()
            done = self._hub.git("log", "--format=%s", LOG).stdout.splitlines()
            expect([body for body in self._said if body not in done], [], "not at the hub")

    def _push(self) -> None:
        held: Held = gate.hold(self._environment.repository.directory, 0, lock_of("origin"))
        with suppress(gate.ConflictError), Pusher(self._environment, "origin") as pusher:
            pusher.run(held, stay_seconds=0)


def follows(hub: Hub) -> Clone:
    """A clone whose lobby follows the hub."""
    clone = hub.clone("ann", sync="batch")
    clone.git("config", "chat.syncInterval", "0.05")
    clone.say("begin")
    clone.sync()
    return clone


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_is_delivered_whenever_it_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """No message waits for somebody who comes later."""
    Delivery(hub, follows(hub), seed, monkeypatch).run()


def one_look(self: Pusher, held: Held, lock: str, work: Callable[[], bool]) -> None:
    """Pusher._hold without the second look."""
    with held:
        work()


def test_a_second_look_that_is_left_out_would_be_noticed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said when it let go of the lock had nobody else."""
    monkeypatch.setattr(Pusher, "_hold", one_look)
    clone = follows(hub)
    with pytest.raises(Mismatch, match=r"not at the hub: found \['message \d'"):
        run_some(hub, clone)


def run_some(hub: Hub, clone: Clone) -> None:
    """One of these seeds must notice it."""
    for seed in range(10, 20):
        with pytest.MonkeyPatch.context() as patch:
            Delivery(hub, clone, seed, patch).run()
