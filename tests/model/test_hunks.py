"""Where two changes of one file meet, against git itself."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from gitchat.model.hunks import Hunk, meeting, parse_hunks, spelled


def test_hunks_are_read_as_git_writes_them() -> None:
    """A change, an addition, a deletion; the lines are those of the new file, counted from 1."""
    diff = b"--- a/x\n+++ b/x\n@@ -4,2 +4,3 @@ def f\n-a\n@@ -9,0 +11 @@\n+b\n@@ -12 +12,0 @@\n-c\n@@ -1,2 +0,0 @@\n"
    assert parse_hunks(diff) == [
        Hunk(3, 2, (4, 6), 3),
        Hunk(9, 0, (11, 11), 1),
        Hunk(11, 1, (12, 12), 0),
        Hunk(0, 2, (1, 1), 0),
    ]
    assert parse_hunks(b"Binary files a/x and b/x differ\n") == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([(7, 7)], "line 7"),
        ([(4, 6)], "lines 4-6"),
        ([(1, 1), (4, 6)], "lines 1, 4-6"),
        ([(1, 1), (3, 3), (5, 5), (7, 7), (9, 9)], "lines 1, 3, 5 and 2 more"),
    ],
)
def test_lines_are_told_in_words(lines: list[tuple[int, int]], said: str) -> None:
    """At most three ranges."""
    assert spelled(lines) == said


def _change(lines: list[str], chance: random.Random, sign: str) -> list[str]:
    made = list(lines)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(made))
        made[at : at + chance.randint(0, 2)] = [f"{sign}{chance.random()}"] * chance.randint(0, 2)
    return made


def test_changes_meet_where_git_cannot_merge_a_file(tmp_path: Path) -> None:
    """Of random changes: git merges those that meet nowhere, and of each conflict some lines are told."""
    chance = random.Random(17)
    outcomes = set()
    for number in range(120):
        root = [f"line {place}" for place in range(12)]
        sides = [_change(root, chance, sign) for sign in "ab"]
        files = []
        for name, lines in zip(("one", "root", "two"), (sides[0], root, sides[1]), strict=True):
            files.append(tmp_path / f"{name}-{number}")
            files[-1].write_text("".join(f"{line}\n" for line in lines))
        merged = subprocess.run(["git", "merge-file", "-p", *map(str, files)], capture_output=True, check=False)
        options = ["git", "diff", "--no-index", "-U0", "--no-color"]
        diffs = [
            subprocess.run([*options, str(files[1]), str(file)], capture_output=True, check=False).stdout
            for file in (files[0], files[2])
        ]
        here, there = meeting(*map(parse_hunks, diffs))
        assert bool(here) == bool(there)
        outcomes.add(bool(here))
        if merged.returncode:
            assert here, number
        elif not here:
            assert b"<<<<<<<" not in merged.stdout
    assert outcomes == {True, False}
