"""Readings of a growing log against plain sets and lists. Proves docs/format.md sections 5 and 10.

A simulation proves nothing until it can fail: each rule is taken out once, and must be missed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.index.chain import Chain
from gitchat.model import reach
from tests.property.conversation import Conversation, Mismatch
from tests.seeds import seeds
from tests.world import World

STEPS = 40

MUTANT_SEEDS = range(1000, 1020)
"""One of these must notice a rule that was taken out."""


@pytest.mark.parametrize("seed", seeds(6, 20, 200))
def test_each_reader_gets_each_record_once_under_its_number(world: World, seed: int) -> None:
    """Whatever was merged, sent twice, dated wrongly, read in part or elsewhere: the ledger and the room agree."""
    Conversation(world, seed).run(STEPS)


def noticed(root: Path, *, is_clamped: bool = True, is_swapped: bool = False) -> str:
    """What the first seed says that notices something."""
    for seed in MUTANT_SEEDS:
        (root / str(seed)).mkdir()
        try:
            Conversation(World(root / str(seed)), seed, is_clamped=is_clamped, is_swapped=is_swapped).run(STEPS)
        except Mismatch as mismatch:
            return str(mismatch)
    return "nothing"


def test_parents_of_a_merge_in_the_wrong_order_would_be_noticed(tmp_path: Path) -> None:
    """The log as the last parent of a merge: numbers that were shown change."""
    assert noticed(tmp_path, is_swapped=True).startswith("numbers that were shown")


def test_committer_dates_that_decrease_would_be_noticed(tmp_path: Path) -> None:
    """Each clock as it is: the walk by date takes for unread what is read."""
    assert noticed(tmp_path, is_clamped=False).startswith("unread")


def test_skipping_the_uid_rule_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose copy was read elsewhere comes again."""
    monkeypatch.setattr(Chain, "copies", lambda self, oids: {})
    assert noticed(tmp_path).startswith("unread")


def test_cursor_at_the_last_commit_only_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frontier of one commit, where a merged line is read in part: the other heads are unread again."""
    whole = reach.frontier
    monkeypatch.setattr(reach, "frontier", lambda covered, parents_of: whole(covered, parents_of)[-1:])
    assert noticed(tmp_path).startswith(("unread", "last read"))
