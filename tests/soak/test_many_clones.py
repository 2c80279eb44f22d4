"""Clones that talk in one room, each kept in step by a process of its own: what that costs the hub, for each record.

Counted at the hub, by what git starts there, and in its log. The pace itself is proved in a time of its own by
tests/staying/test_crowd.py; this shows that the real thing does what that says.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.clones.conftest import LOG, Clone, Hub, keeping, settle

SECONDS = 60.0
"""How long they talk."""

SECONDS_A_RECORD = 5.0
"""Between two records of one clone, on average."""


@contextmanager
def counted(hub: Hub, clones: list[Clone]) -> Iterator[None]:
    """Each program that git starts at the hub leaves a line."""
    for service in ("upload-pack", "receive-pack"):
        program = hub.path.parent / service
        program.write_text(f'#!/bin/sh\necho x >> "$0.count"\nexec git-{service} "$@"\n')
        program.chmod(0o755)
        for clone in clones:
            clone.git("config", f"remote.origin.{service.replace('-', '')}", program)
    hub.hook("cat > /dev/null; echo x >> $GIT_DIR/taken.count", "post-receive")
    yield


def lines(path: os.PathLike[str]) -> int:
    """How many there are."""
    try:
        with open(path, "rb") as file:
            return file.read().count(b"\n")
    except FileNotFoundError:
        return 0


@pytest.mark.soak
@pytest.mark.parametrize("count", [2, 8, 32])
def test_what_each_record_costs_the_hub(hub: Hub, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Pushes, fetches and merges, with everybody reading; nothing is lost, and all have the same numbers."""
    clones = [hub.clone(f"clone{number}", sync="batch") for number in range(count)]
    clones[0].say("begin")
    for clone in clones:
        clone.sync()
    chance = random.Random(count)
    said = ["begin"]
    with counted(hub, clones), ExitStack() as kept:
        for clone in clones:
            kept.enter_context(keeping(clone))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.expovariate(count / SECONDS_A_RECORD))  # as people do
            speaker, reader = chance.choice(clones), chance.choice(clones)
            said.append(f"record {len(said)}")
            speaker.say(said[-1], GITCHAT_SESSION="soak")
            reader.chat("read")
        talked = (lines(hub.path.parent / "receive-pack.count"), lines(hub.path / "taken.count"))
        looks = lines(hub.path.parent / "upload-pack.count")
    settle(clones)
    views = [clone.numbered() for clone in clones]
    assert sorted(body for _, body in views[0]) == sorted(said)
    assert all(view == views[0] for view in views)
    merges = int(hub.git("rev-list", "--count", "--merges", LOG).stdout)
    records, (pushes, taken) = len(said) - 1, talked
    with capsys.disabled():
        print(
            f"\n{count} clones, {records} records: {pushes / records:.2f} pushes, {looks / records:.2f} fetches and "
            f"{merges / records:.2f} merges a record; {1 - taken / pushes:.0%} of the pushes came too late"
        )
    assert taken <= pushes
