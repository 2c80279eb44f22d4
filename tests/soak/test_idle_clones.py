"""What clones that have nothing to say cost their hub, by smart HTTP and by a path, with a doorbell and without.

Counted at the hub, for some minutes after the looks have grown rare. The figures are for docs/hosts.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.programs import running
from tests.clones.conftest import Clone, Hub, smart_http
from tests.doorbell.conftest import Nats, ring_by
from tests.world import World

pytestmark = pytest.mark.soak

CLONES = int(os.environ.get("GITCHAT_IDLE_CLONES", "12"))
"""How many clones of each hub."""

SETTLING_SECONDS = 150
"""Until looks are as rare as they get."""

COUNTED_SECONDS = 300
"""How long is counted: longer than between two looks that are made without a knock."""


@dataclass
class Fleet:
    """The clones of one hub."""

    name: str
    hub: Hub
    traces: Path
    clones: list[Clone]

    def counts(self) -> dict[str, int]:
        """What the hub was asked so far."""
        return {
            "requests": self.hub.requests,
            "bytes": self.hub.received_bytes + self.hub.sent_bytes,
            "looks": sum(b'"name":"fetch"' in one.read_bytes() for one in self.traces.iterdir()),
        }


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Nats]:
    """A NATS server."""
    server = Nats(tmp_path)
    server.start()
    yield server
    server.kill()


def fleet(world: World, name: str, nats: Nats | None, ends: ExitStack) -> Fleet:
    """Clones that stay in step with a hub of their own."""
    hub = Hub(world, world.root / f"{name}.git")
    traces = world.root / f"{name}-traces"
    traces.mkdir()
    url = ends.enter_context(smart_http(hub)) if name.startswith("http") else hub.path
    clones = []
    for number in range(CLONES):
        clone = hub.clone(f"{name}-{number}", url)
        if not clones:
            clone.say("first")
        clone.sync()
        clone.git("config", "chat.sync", "batch")
        if nats is not None:
            ring_by(nats, clone)
            clone.git("config", "--unset", "chat.syncInterval")
        clones.append(clone)
    for clone in clones:
        ends.enter_context(running(clone, "sync", "--watch", GITCHAT_NAME=clone.name, GIT_TRACE2_EVENT=str(traces)))
    return Fleet(name, hub, traces, clones)


def test_idle_clones_ask_their_hub_seldom(world: World, nats: Nats) -> None:
    """At most four requests a minute and clone without a doorbell, and one with it; a message still comes to all."""
    with ExitStack() as ends:
        fleets = [
            fleet(world, name, nats if "bell" in name else None, ends)
            for name in ("http", "http-bell", "path", "path-bell")
        ]
        time.sleep(SETTLING_SECONDS)
        before = [one.counts() for one in fleets]
        time.sleep(COUNTED_SECONDS)
        rates = {}
        for one, start in zip(fleets, before, strict=True):
            minutes = COUNTED_SECONDS / 60 * CLONES
            rates[one.name] = {what: (count - start[what]) / minutes for what, count in one.counts().items()}
        print(f"\n{CLONES} idle clones of each hub, a minute and clone:")
        for name, rate in rates.items():
            print(f"  {name:<10} " + ", ".join(f"{what} {value:.2f}" for what, value in rate.items()))
        assert rates["http"]["requests"] <= 4
        assert rates["http-bell"]["requests"] <= 1
        assert rates["path-bell"]["looks"] <= 1
        for one in fleets:
            if "bell" in one.name:
                one.clones[0].say("second")
                one.clones[0].sync()
                end = time.monotonic() + 60
                while not all(len(clone.bodies()) == 2 for clone in one.clones):
                    assert time.monotonic() < end, f"it did not come to all of {one.name}"
                    time.sleep(0.5)
