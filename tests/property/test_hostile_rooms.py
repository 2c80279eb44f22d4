"""Whole rooms of a stranger's making, under every face. Proves docs/format.md sections 2.1, 4.3 and 9.3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def faults(seed: int, rooms: int) -> str:
    """What the faces did that they must not, over this many rooms from a seed on."""
    command = [sys.executable, "-m", "tests.property.faces", str(seed), str(rooms)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stderr.endswith(f"{rooms} rooms\n"):  # also where it ended on its way
        return done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_no_room_stops_a_face_or_gets_through_it(part: int) -> None:
    """160 rooms, ten beside one honest room at a time: no status above 5, nothing unescaped, and that one goes on."""
    assert faults(1000 * part, 80) == ""


@pytest.mark.soak
def test_no_room_of_very_many_does() -> None:
    """20,000 rooms."""
    assert faults(100_000, 20_000) == ""
