"""Knocks that get lost, come twice or late, and lies. Proves docs/format.md section 15.

A simulation proves nothing until it can fail: each rule is taken out once, and must be missed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitchat.clones.report import Report
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid
from gitchat.staying.porter import Porter
from tests.property.clones import Faulty
from tests.property.conversation import Mismatch
from tests.property.ringing import Ringing
from tests.world import World

QUICK_SEEDS, SEEDS, QUICK_STEPS, STEPS = (3,), range(4, 9), 20, 40

MUTANT_SEEDS = range(2000, 2008)


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_what_is_knocked_for_is_found_and_nothing_is_lost(world: World, seed: int) -> None:
    """A knock about what is not here leads to it; one about what is here, to nothing; without any all still comes."""
    Ringing(world, seed).run(QUICK_STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_found_after_many_steps(world: World, seed: int) -> None:
    """The same, of longer conversations."""
    Ringing(world, seed).run(STEPS)


class Deaf(Porter):
    """Takes all that it hears for something that it has."""

    def _has(self, tip: Oid) -> bool:
        return True


class Credulous(Porter):
    """Takes all that it hears for something that it lacks."""

    def _has(self, tip: Oid) -> bool:
        return False


class Silent(Porter):
    """Tells nobody what it pushed."""

    def looked(self, done: Report | ChatError, *, was_called: bool) -> None:
        if isinstance(done, Report):
            done.taken.clear()
        super().looked(done, was_called=was_called)


class Settled(Faulty):
    """Looks where the rooms were when it is knocked for, whatever it is told."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        leads = self._following.leads

        def stays(*told: Any, is_asked: bool, **how: Any) -> bool:
            return is_asked and leads(*told, is_asked=is_asked, **how)

        self._following.leads = stays  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("porter", "remote", "words"),
    [
        (Deaf, Faulty, "a look in"),
        (Credulous, Faulty, "a reason to look"),
        (Silent, Faulty, "knocks of"),
        (Porter, Settled, "what was knocked for"),
    ],
)
def test_a_rule_that_is_taken_out_is_noticed(
    tmp_path: Path, porter: type[Porter], remote: type[Faulty], words: str
) -> None:
    """Who hears nothing, who believes everything, who does not knock, and who looks where the rooms are no more."""
    assert noticed(tmp_path, porter, remote).startswith(words)


def noticed(root: Path, porter: type[Porter], remote: type[Faulty]) -> str:
    """What the first seed says that notices something."""
    for seed in MUTANT_SEEDS:
        (root / str(seed)).mkdir()
        try:
            Ringing(World(root / str(seed)), seed, porter, remote).run(STEPS)
        except Mismatch as mismatch:
            return str(mismatch)
    return "nothing"
