"""Seeds of random runs: a few for ``make test``, more for ``make test-slow``, many for ``make soak``."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet


def seeds(quick: int, slow: int, soak: int) -> list[int | ParameterSet]:
    """The seeds below ``soak``: those from ``quick`` on are slow, those from ``slow`` on are left to the soak."""
    return [
        *range(quick),
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(quick, slow)),
        *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(slow, soak)),
    ]
