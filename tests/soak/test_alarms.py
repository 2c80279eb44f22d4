"""Conflicts that are told, held against merges that were made and that are made up. The whole of it: make alarms."""

from __future__ import annotations

import pytest

from checks import alarms


@pytest.mark.soak
def test_nobody_is_told_wrongly_and_nothing_is_missed() -> None:
    """What would be told before is what the merge meets, as branches and as work that is shared uncommitted."""
    found = alarms.run(alarms.ROOT, 60, 40, seed=1_000)
    for name, tally in found.items():
        assert tally.merges > 20, name
        assert (tally.false_alarms, tally.misses, tally.not_looked) == ([], [], 0), name
    assert any(tally.conflicting for tally in found.values())
