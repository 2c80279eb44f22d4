"""Clones of which one may not push, with every fault in between. Proves docs/format.md section 12.25.

A simulation proves nothing until it can fail: each rule is taken out once, and must be missed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.clones.inbox import Inbox
from tests.property.conversation import Mismatch
from tests.property.forked import Forked
from tests.world import World

QUICK_SEEDS, SEEDS, STEPS, QUICK_STEPS = 1, 4, 25, 10

MUTANT_SEEDS = range(2000, 2006)
"""One of these must notice a rule that was taken out."""


@pytest.mark.parametrize("seed", range(QUICK_SEEDS))
def test_what_waits_in_a_fork_is_numbered_once_everywhere(world: World, seed: int) -> None:
    """Whatever got lost, raced or ended in the middle, and however often it was taken in."""
    Forked(world, seed).run(QUICK_STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + SEEDS))
def test_it_is_after_many_steps(world: World, seed: int) -> None:
    """The same, of longer conversations."""
    Forked(world, seed).run(STEPS)


def noticed(root: Path) -> str:
    """What the first seed says that notices something."""
    for seed in MUTANT_SEEDS:
        (root / str(seed)).mkdir()
        try:
            Forked(World(root / str(seed)), seed).run(QUICK_STEPS)
        except Mismatch as mismatch:
            return str(mismatch)
    return "nothing"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutation", "name", "value"),
    [
        ("an inbox that goes before it was taken in", "_is_waiting", lambda self, room: False),
        ("an inbox that never goes", "tidy", lambda self, rooms: None),
        ("an inbox that nothing is put into", "put", lambda self, rooms, alarms: dict.fromkeys(rooms, True)),
    ],
)
def test_a_rule_that_was_taken_out_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutation: str, name: str, value: object
) -> None:
    """Each of them leaves somebody without a message, or the fork with one."""
    monkeypatch.setattr(Inbox, name, value)
    assert noticed(tmp_path) != "nothing", mutation
